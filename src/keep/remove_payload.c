/* remove_payload.c - files of class payload, as the manifest lists them, less those to be kept.
 *
 * A path of the manifest is followed part by part from the run's descriptor, no link on the way; a
 * file of another size than was sealed is not what the tombstone would say, and stops it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/manifest_read.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/notes_file.h"
#include "keep/keep_int.h"
#include "m31r/series.h"

/* The checkpoints to keep: steps, or INT64_MIN. */
typedef struct kept_steps {
    int64_t last, best;
} kept_steps;

static bool is_checkpoint(const m31r_artifact_facts *a)
{
    return strcmp(a->role, "checkpoint") == 0 && a->step != M31R_UNKNOWN;
}

static int64_t newest_step(const m31r_reader *r)
{
    m31r_artifact_facts a;
    int64_t newest = M31R_UNKNOWN;
    for (size_t i = 0; m31r_reader_artifact(r, i, &a) == M31R_OK; i++) {
        newest = is_checkpoint(&a) && a.step > newest ? a.step : newest;
    }
    return newest;
}

/* The checkpoint nearest to a step; of two equally near the later one. */
static int64_t nearest_step(const m31r_reader *r, int64_t step)
{
    m31r_artifact_facts a;
    int64_t nearest = M31R_UNKNOWN;
    for (size_t i = 0; m31r_reader_artifact(r, i, &a) == M31R_OK; i++) {
        bool is_nearer = is_checkpoint(&a) &&
                         (nearest == M31R_UNKNOWN || llabs(a.step - step) < llabs(nearest - step) ||
                          (llabs(a.step - step) == llabs(nearest - step) && a.step > nearest));
        nearest = is_nearer ? a.step : nearest;
    }
    return nearest;
}

static bool find_best(const m31r_reader *r, const char *metric, int64_t *out, char *why,
                      size_t size)
{
    m31r_series *series = NULL;
    m31r_metric_facts m;
    bool is_found = m31r_series_open(&series, r, NULL) == M31R_OK &&
                    m31r_series_find(series, metric, &m) == M31R_OK && m.best_step != M31R_NO_STEP;
    if (is_found) {
        *out = nearest_step(r, m.best_step);
    } else {
        snprintf(why, size,
                 "the best of %.80s is not known: no such metric, or it has no direction", metric);
    }
    m31r_series_close(series);
    return is_found;
}

static m31r_err find_kept(const m31r_reader *r, const char *keep, kept_steps *out, char *why,
                          size_t size)
{
    char metric[160];
    *out = (kept_steps){M31R_UNKNOWN, M31R_UNKNOWN};
    while (keep != NULL && *keep != '\0') {
        size_t n = strcspn(keep, ",");
        if (n == 4 && memcmp(keep, "last", 4) == 0) {
            out->last = newest_step(r);
        } else if (n > 5 && n < sizeof metric && memcmp(keep, "best:", 5) == 0) {
            snprintf(metric, sizeof metric, "%.*s", (int)(n - 5), keep + 5);
            if (!find_best(r, metric, &out->best, why, size)) {
                return M31R_OK;
            }
        } else {
            return M31R_E_ARG;
        }
        keep += n + (keep[n] == ',');
    }
    return M31R_OK;
}

/* True for a file of a checkpoint that stays: the file itself, or one below its directory. */
static bool is_kept(const m31r_reader *r, const kept_steps *steps, const char *path)
{
    m31r_artifact_facts a;
    for (size_t i = 0; m31r_reader_artifact(r, i, &a) == M31R_OK; i++) {
        size_t n = strlen(a.path);
        bool is_it = is_checkpoint(&a) && (a.step == steps->last || a.step == steps->best) &&
                     strncmp(path, a.path, n) == 0 && (path[n] == '\0' || path[n] == '/');
        if (is_it) {
            return true;
        }
    }
    return false;
}

/* The directory that the last part of `path` stands in, no link followed; -1 and errno. */
static int open_parent(int run, const char *path, const char **out_name)
{
    int at = m31ri_open_dir(run, ".", false);
    for (const char *slash; at >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        char part[NAME_MAX + 1];
        size_t n = (size_t)(slash - path);
        int next = -1;
        if (n == 0 || n >= sizeof part || (n <= 2 && strncmp(path, "..", n) == 0)) {
            errno = EINVAL;
        } else {
            memcpy(part, path, n);
            part[n] = '\0';
            next = m31ri_open_dir(at, part, false);
        }
        int saved = errno;
        close(at);
        errno = saved;
        at = next;
    }
    *out_name = path;
    return at;
}

static m31r_err remove_one(const m31r_reader *r, const m31ri_manifest_file *f, const char *reason,
                           m31r_error *e)
{
    const m31r_value keys[] = {m31r_of_string("path"), m31r_of_string("bytes"),
                               m31r_of_string("sha256"), m31r_of_string("reason")};
    const m31r_value values[] = {m31r_of_string(f->shown), m31r_of_uint(f->bytes),
                                 m31r_of_string(f->sha256), m31r_of_string(reason)};
    struct stat st;
    const char *name;
    m31r_err err = M31R_OK;
    int dir = open_parent(r->fd, f->path, &name);
    bool is_there = dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (is_there &&
        (S_ISDIR(st.st_mode) || (f->target == NULL && (uint64_t)st.st_size != f->bytes))) {
        err = m31ri_fail(e, M31R_E_INVALID, "%s is not what was sealed: m31r verify says more",
                         f->path);
    } else if (is_there) {
        err = m31ri_note_line(r->fd, M31RI_NOTES_FILE, M31RI_NOTE_REMOVED, keys, values, 4, e);
        if (err == M31R_OK && unlinkat(dir, name, 0) != 0 && errno != ENOENT) {
            err = m31ri_fail_sys(e, errno, f->path, "removing %s", f->path);
        }
    }
    if (dir >= 0) {
        close(dir);
    }
    return err;
}

static bool is_there(int run, const char *path)
{
    struct stat st;
    return fstatat(run, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static m31r_err walk(const m31r_reader *r, const m31ri_manifest *m, const m31r_removal_options *o,
                     m31r_removal *out, m31r_error *e)
{
    kept_steps steps;
    m31r_err err = find_kept(r, o->keep, &steps, out->refused, sizeof out->refused);
    if (err != M31R_OK) {
        return m31ri_fail(e, err, "--keep takes last, best:METRIC or both, not \"%.100s\"",
                          o->keep);
    }
    for (size_t i = 0; i < m->n && err == M31R_OK && out->refused[0] == '\0'; i++) {
        const m31ri_manifest_file *f = &m->files[i];
        if (f->is_record || !is_there(r->fd, f->path)) {
            continue;
        }
        if (is_kept(r, &steps, f->path)) {
            out->n_kept++;
            continue;
        }
        err = o->is_dry ? M31R_OK : remove_one(r, f, o->reason, e);
        out->n_files += err == M31R_OK;
        out->bytes += err == M31R_OK ? f->bytes : 0;
    }
    out->is_done = err == M31R_OK && !o->is_dry && out->refused[0] == '\0';
    return err;
}

m31r_err m31ri_remove_payload(const m31r_reader *r, const m31r_removal_options *o,
                              m31r_removal *out, m31r_error *e)
{
    m31ri_manifest m;
    m31r_error reason = {0};
    m31r_err err = m31ri_manifest_read(r->fd, &m, &reason);
    if (err != M31R_OK) {
        snprintf(out->refused, sizeof out->refused, "it has no manifest to tell payload by: %.200s",
                 reason.message);
        return err == M31R_E_NOMEM ? err : M31R_OK;
    }
    snprintf(out->tombstone, sizeof out->tombstone, "%.400s/%s", r->path, M31RI_NOTES_FILE);
    if (!m.is_readable || m.fault[0] != '\0') {
        snprintf(out->refused, sizeof out->refused, "its manifest is not whole: %.200s", m.fault);
    } else {
        err = walk(r, &m, o, out, e);
    }
    m31ri_manifest_release(&m);
    return err;
}
