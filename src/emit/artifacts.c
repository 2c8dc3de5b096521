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
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "emit/stage_state.h"
#include "store/artifact_fate.h"
#include "m31r/artifact.h"
#include "m31r/log.h"
#include "m31r/metric.h"
#include "identity/artifact_origin.h"

#define WAITED_FOR_BYTES (8 * 1024 * 1024)

typedef struct registration {
    const char *role;    /* "checkpoint", "input", or what the program calls it */
    const char *message; /* of its record */
    const char *path;
    int64_t step;
} registration;

typedef struct file_facts {
    uint64_t bytes;
    int64_t mtime_ns;
    int64_t hashed_ns; /* wall time before the hashing */
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

static int64_t mtime_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Hashes a file that stands still meanwhile. One that was written a moment ago could be written
 * again without another mtime; a large one is waited for, so that it need not be hashed again when
 * the run is sealed. */
static m31r_err hash(int fd, file_facts *out, m31r_error *e)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    struct stat before = {0}, after = {0};
    m31r_err err = M31R_OK;
    for (int i = 0; i < 2 && err == M31R_OK; i++) {
        int64_t now = m31ri_wall_ns();
        if (fstat(fd, &before) == 0 && before.st_size >= WAITED_FOR_BYTES &&
            now - mtime_of(&before) >= 0 && now - mtime_of(&before) < M31RI_MTIME_GRAIN_NS) {
            nanosleep(&(struct timespec){0, M31RI_MTIME_GRAIN_NS}, NULL);
        }
        out->hashed_ns = m31ri_wall_ns();
        err = m31ri_sha256_fd(fd, digest, &out->bytes, e);
        if (err == M31R_OK && fstat(fd, &after) == 0 && mtime_of(&before) == mtime_of(&after) &&
            before.st_size == after.st_size) {
            break;
        }
    }
    if (err == M31R_OK) {
        out->mtime_ns = mtime_of(&after);
        m31ri_sha256_hex(digest, out->sha256);
    }
    return err;
}

static m31r_err look(const m31r_run *run, const char *path, file_facts *out, m31r_error *e)
{
    size_t prefix = strlen(run->dir.path);
    int fd = open_artifact(run, path);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    m31r_err err = hash(fd, out, e);
    close(fd);
    if (err != M31R_OK) {
        return err;
    }
    bool is_inside = strncmp(path, run->dir.path, prefix) == 0 && path[prefix] == '/';
    snprintf(out->shown_path, sizeof out->shown_path, "%s", is_inside ? path + prefix + 1 : path);
    return M31R_OK;
}

static void refuse(m31r_run *run, const registration *r, const m31r_error *e)
{
    m31r_warning(m31r_run_logger(run, "m31r"), "artifact_unreadable", "path", r->path, "role",
                 r->role, "error", (const char *)e->message);
}

/* An input that another run made makes that run a parent; when both are of one stage and it is a
 * checkpoint, this run goes on with that one. */
static void note_origin(m31r_run *run, const char *sha256, json_t *artifact)
{
    m31ri_artifact_origin origin;
    if (!m31ri_artifact_origin_find(&run->dir, sha256, &origin)) {
        return;
    }
    json_object_set_new(artifact, "run", json_string(origin.run_id));
    m31ri_notice(run, json_pack("{s:s, s:s}", "kind", "parent", "run", origin.run_id));
    if (strcmp(origin.role, "checkpoint") != 0 || strcmp(origin.stage, run->stage) != 0) {
        return;
    }
    json_t *notice = json_pack("{s:s, s:s, s:s}", "kind", "resumes", "run", origin.run_id,
                               "checkpoint_sha256", sha256);
    if (notice != NULL && origin.has_step) {
        json_object_set_new(notice, "step", json_integer(origin.step));
    }
    m31ri_notice(run, notice);
}

/* Hashes the file and tells the run's owner; `out` are its facts. */
static m31r_err note(m31r_run *run, const registration *r, file_facts *out)
{
    m31r_error e;
    if (!m31ri_run_enter(run)) {
        return M31R_E_CLOSED;
    }
    if (r->path == NULL) {
        return M31R_E_ARG;
    }
    m31r_err err = look(run, r->path, out, &e);
    if (err != M31R_OK) {
        refuse(run, r, &e);
        return err;
    }
    json_t *notice =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:I}", "kind", "artifact", "role", r->role,
                  "path", out->shown_path, "bytes", (json_int_t)out->bytes, "sha256", out->sha256,
                  "mtime_ns", (json_int_t)out->mtime_ns, "hashed_ns", (json_int_t)out->hashed_ns);
    if (notice == NULL) {
        return M31R_E_NOMEM;
    }
    if (r->step != M31R_NO_STEP) {
        json_object_set_new(notice, "step", json_integer(r->step));
    }
    if (strcmp(r->role, "input") == 0) {
        note_origin(run, out->sha256, notice);
    }
    m31ri_notice(run, notice);
    return M31R_OK;
}

static m31r_err add(m31r_run *run, const registration *r)
{
    file_facts facts;
    m31r_err err = note(run, r, &facts);
    if (err != M31R_OK) {
        return err;
    }
    bool is_output = strcmp(r->message, "output_written") == 0;
    m31r_value keys[4];
    m31r_value values[4];
    size_t n = 0;
    if (r->step != M31R_NO_STEP) {
        keys[n] = m31r_of_string("step");
        values[n++] = m31r_of_int(r->step);
    }
    if (is_output) {
        keys[n] = m31r_of_string("role");
        values[n++] = m31r_of_string(r->role);
    }
    keys[n] = m31r_of_string("path");
    values[n++] = m31r_of_string(facts.shown_path);
    keys[n] = m31r_of_string("bytes");
    values[n++] = m31r_of_uint(facts.bytes);
    keys[n] = m31r_of_string("sha256");
    values[n++] = m31r_of_string(facts.sha256);
    const m31r_fields fields = {keys, values, n};
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

m31r_err m31r_output_add(m31r_run *run, const char *role, const char *path)
{
    const registration r = {role, "output_written", path, M31R_NO_STEP};
    size_t length = role != NULL ? strlen(role) : 0;
    bool is_word = length > 0 && length <= 32 &&
                   strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
    if (!is_word || strcmp(role, "input") == 0) {
        return M31R_E_ARG;
    }
    return add(run, &r);
}

void m31ri_register_shard(m31r_run *run, m31r_data_shard_fields *f, char sha256[M31RI_SHA256_HEX])
{
    const registration r = {"shard", "", f->path, M31R_NO_STEP};
    file_facts facts;
    if (m31ri_is_unset_string(f->path) || note(run, &r, &facts) != M31R_OK) {
        return;
    }
    memcpy(sha256, facts.sha256, M31RI_SHA256_HEX);
    m31ri_fill_integer(&f->bytes, facts.bytes);
    if (m31ri_is_unset_string(f->sha256)) {
        f->sha256 = sha256;
    }
}
