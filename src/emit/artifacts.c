/* artifacts.c - the files a run makes and reads, named by size and SHA-256.
 *
 * A small file is hashed at registration, a large one by hash_queue.c, through the descriptor that
 * was opened then: what is known of it at once is told at once. One whose digest is remembered is
 * not read.
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
#include "emit/hash_queue.h"
#include "emit/stage_state.h"
#include "format/digest_cache.h"
#include "format/json_text.h"
#include "store/artifact_fate.h"
#include "m31r/artifact.h"
#include "m31r/log.h"
#include "m31r/metric.h"
#include "identity/artifact_origin.h"

#define WAITED_FOR_BYTES (8 * 1024 * 1024)

typedef m31ri_artifact registration;
typedef m31ri_artifact_facts file_facts;

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
        if (mtime_of(&before) == out->mtime_ns && (uint64_t)after.st_size == out->bytes) {
            m31ri_digest_keep(fd, &after, digest, out->hashed_ns);
        }
    }
    return err;
}

/* `path` below the run when it is there, as text. */
static void show_path(const m31r_run *run, const char *path, file_facts *out)
{
    size_t prefix = strlen(run->dir.path);
    bool is_inside = strncmp(path, run->dir.path, prefix) == 0 && path[prefix] == '/';
    m31ri_buf shown = M31RI_BUF_INIT, text = M31RI_BUF_INIT;
    path = is_inside ? path + prefix + 1 : path;
    m31ri_json_escape(&shown, path, strlen(path)); /* and back: what is no UTF-8 becomes U+FFFD */
    m31ri_json_unescape(&text, m31ri_buf_str(&shown), shown.length);
    bool is_text = m31ri_utf8_is_valid(path, strlen(path));
    snprintf(out->shown_path, sizeof out->shown_path, "%s", is_text ? path : m31ri_buf_str(&text));
    m31ri_buf_release(&shown);
    m31ri_buf_release(&text);
}

/* The digest, when it is remembered. */
static bool is_remembered(int fd, file_facts *out)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !m31ri_digest_find(&st, digest)) {
        return false;
    }
    out->bytes = (uint64_t)st.st_size;
    out->mtime_ns = mtime_of(&st);
    out->hashed_ns = m31ri_wall_ns();
    m31ri_sha256_hex(digest, out->sha256);
    return true;
}

/* What is known of a large file before it is read. False for one that is to be hashed at once. */
static bool is_for_later(int fd, file_facts *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < WAITED_FOR_BYTES) {
        return false;
    }
    out->bytes = (uint64_t)st.st_size;
    out->mtime_ns = mtime_of(&st);
    out->sha256[0] = '\0';
    return true;
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

/* Tells the run's owner; without a digest as long as there is none. */
static void tell(m31r_run *run, const registration *r, const file_facts *f)
{
    bool is_hashed = f->sha256[0] != '\0';
    json_t *notice =
        json_pack("{s:s, s:s, s:s, s:I, s:s?, s:I}", "kind", "artifact", "role", r->role, "path",
                  f->shown_path, "bytes", (json_int_t)f->bytes, "sha256",
                  is_hashed ? f->sha256 : NULL, "mtime_ns", (json_int_t)f->mtime_ns);
    if (notice == NULL) {
        return;
    }
    json_object_set_new(notice, "hashed_ns",
                        is_hashed ? json_integer((json_int_t)f->hashed_ns) : json_null());
    if (r->step != M31R_NO_STEP) {
        json_object_set_new(notice, "step", json_integer(r->step));
    }
    if (is_hashed && strcmp(r->role, "input") == 0) {
        note_origin(run, f->sha256, notice);
    }
    m31ri_notice(run, notice);
}

/* Opens it and says what is known of it; `*out_fd` is -1 when all is, else the file that is still
 * to be hashed. */
static m31r_err note(m31r_run *run, const registration *r, bool may_wait, file_facts *out,
                     int *out_fd)
{
    m31r_error e;
    *out_fd = -1;
    if (!m31ri_run_enter(run)) {
        return M31R_E_CLOSED;
    }
    if (r->path == NULL) {
        return M31R_E_ARG;
    }
    int fd = open_artifact(run, r->path);
    m31r_err err = fd >= 0 ? M31R_OK : m31ri_fail_sys(&e, errno, r->path, "opening %s", r->path);
    show_path(run, r->path, out);
    bool is_later = false;
    if (err == M31R_OK && !is_remembered(fd, out)) {
        is_later = may_wait && is_for_later(fd, out);
        err = is_later ? M31R_OK : hash(fd, out, &e);
    }
    if (err == M31R_OK) {
        tell(run, r, out);
    } else {
        refuse(run, r, &e);
    }
    if (is_later) {
        *out_fd = fd;
    } else if (fd >= 0) {
        close(fd);
    }
    return err;
}

/* The record of a file whose digest is known. */
static m31r_err record(m31r_run *run, const registration *r, const file_facts *facts)
{
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
    values[n++] = m31r_of_string(facts->shown_path);
    keys[n] = m31r_of_string("bytes");
    values[n++] = m31r_of_uint(facts->bytes);
    keys[n] = m31r_of_string("sha256");
    values[n++] = m31r_of_string(facts->sha256);
    const m31r_fields fields = {keys, values, n};
    return m31r_log_write(m31r_run_logger(run, "m31r"), M31R_INFO, m31r_of_string(r->message),
                          &fields);
}

void m31ri_artifact_hashed(m31r_run *run, const m31ri_artifact *a, const m31ri_artifact_facts *f)
{
    tell(run, a, f);
    record(run, a, f);
}

static m31r_err add(m31r_run *run, const registration *r)
{
    file_facts facts;
    int fd;
    m31r_err err = note(run, r, true, &facts, &fd);
    if (err != M31R_OK) {
        return err;
    }
    if (fd < 0) {
        return record(run, r, &facts);
    }
    if (m31ri_hash_queue_add(run, r, &facts, fd)) {
        return M31R_OK;
    }
    m31r_error e; /* no memory, or no thread: at once, then */
    err = hash(fd, &facts, &e);
    close(fd);
    if (err == M31R_OK) {
        m31ri_artifact_hashed(run, r, &facts);
    }
    return err;
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
    int fd;
    if (m31ri_is_unset_string(f->path) || note(run, &r, false, &facts, &fd) != M31R_OK) {
        return;
    }
    memcpy(sha256, facts.sha256, M31RI_SHA256_HEX);
    m31ri_fill_integer(&f->bytes, facts.bytes);
    if (m31ri_is_unset_string(f->sha256)) {
        f->sha256 = sha256;
    }
}
