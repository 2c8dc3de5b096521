/* artifacts.c - the files a run makes and reads, named by size and SHA-256.
 *
 * A checkpoint is hashed at registration: it is the one moment when it is known to be whole and
 * closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "emit/state.h"
#include "m31r/artifact.h"
#include "m31r/log.h"
#include "m31r/metric.h"
#include "identity/checkpoint_origin.h"

typedef struct registration {
    const char *role;    /* "checkpoint" or "input" */
    const char *message; /* of its record */
    const char *path;
    int64_t step;
} registration;

typedef struct file_facts {
    uint64_t bytes;
    int64_t mtime_ns;
    char sha256[M31RI_SHA256_HEX];
    char shown_path[512]; /* relative to the run's directory when it is below it */
} file_facts;

/* Opens `path` below the run's directory when it is there, else as given. */
static int open_artifact(const m31r_run *run, const char *path)
{
    struct stat st;
    if (path[0] != '/' && fstatat(run->dir.fd, path, &st, 0) == 0) {
        int fd = openat(run->dir.fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0) {
            return fd;
        }
    }
    return m31ri_open_input(path);
}

static m31r_err look(const m31r_run *run, const char *path, file_facts *out, m31r_error *e)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    size_t prefix = strlen(run->dir.path);
    int fd = open_artifact(run, path);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    m31r_err err = m31ri_sha256_fd(fd, digest, &out->bytes, e);
    struct stat st;
    out->mtime_ns =
        fstat(fd, &st) == 0 ? (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec : 0;
    close(fd);
    if (err != M31R_OK) {
        return err;
    }
    bool is_inside = strncmp(path, run->dir.path, prefix) == 0 && path[prefix] == '/';
    snprintf(out->shown_path, sizeof out->shown_path, "%s", is_inside ? path + prefix + 1 : path);
    m31ri_sha256_hex(digest, out->sha256);
    return M31R_OK;
}

static void refuse(m31r_run *run, const registration *r, const m31r_error *e)
{
    m31r_warning(m31r_run_logger(run, "m31r"), "artifact_unreadable", "path", r->path, "role",
                 r->role, "error", (const char *)e->message);
}

/* An input that is another run's checkpoint makes this run its continuation. */
static void note_origin(m31r_run *run, const char *sha256)
{
    m31ri_checkpoint_origin origin;
    if (!m31ri_checkpoint_origin_find(&run->dir, sha256, &origin)) {
        return;
    }
    json_t *notice = json_pack("{s:s, s:s, s:s}", "kind", "resumes", "run", origin.run_id,
                               "checkpoint_sha256", sha256);
    if (notice != NULL && origin.has_step) {
        json_object_set_new(notice, "step", json_integer(origin.step));
    }
    m31ri_notice(run, notice);
}

static m31r_err add(m31r_run *run, const registration *r)
{
    file_facts facts;
    m31r_error e;
    if (!m31ri_run_enter(run)) {
        return M31R_E_CLOSED;
    }
    if (r->path == NULL) {
        return M31R_E_ARG;
    }
    m31r_err err = look(run, r->path, &facts, &e);
    if (err != M31R_OK) {
        refuse(run, r, &e);
        return err;
    }
    json_t *notice = json_pack("{s:s, s:s, s:s, s:I, s:s, s:I}", "kind", "artifact", "role",
                               r->role, "path", facts.shown_path, "bytes", (json_int_t)facts.bytes,
                               "sha256", facts.sha256, "mtime_ns", (json_int_t)facts.mtime_ns);
    const m31r_value keys[] = {m31r_of_string("step"), m31r_of_string("path"),
                               m31r_of_string("bytes"), m31r_of_string("sha256")};
    const m31r_value values[] = {m31r_of_int(r->step), m31r_of_string(facts.shown_path),
                                 m31r_of_uint(facts.bytes), m31r_of_string(facts.sha256)};
    int skip = r->step == M31R_NO_STEP; /* without a step the record begins with the path */
    if (!skip && notice != NULL) {
        json_object_set_new(notice, "step", json_integer(r->step));
    }
    m31ri_notice(run, notice);
    if (strcmp(r->role, "input") == 0) {
        note_origin(run, facts.sha256);
    }
    const m31r_fields fields = {keys + skip, values + skip, 4 - (size_t)skip};
    return m31r_log_write(m31r_run_logger(run, "m31r"), M31R_INFO, m31r_of_string(r->message),
                          &fields);
}

m31r_err m31r_checkpoint_add(m31r_run *run, const char *path, int64_t step)
{
    const registration r = {"checkpoint", "checkpoint_saved", path, step};
    return add(run, &r);
}

m31r_err m31r_input_add(m31r_run *run, const char *path)
{
    const registration r = {"input", "input_read", path, M31R_NO_STEP};
    return add(run, &r);
}
