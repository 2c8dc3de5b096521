/* remove.c - m31r_remove(): which runs, what stands against it, and the order of things. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/run_files.h"
#include "keep/keep_int.h"
#include "m31r/runs.h"

/* Bytes and files of a run, its notes and manifest too. */
static void measure(const m31r_reader *r, m31r_removal *out)
{
    m31ri_run_files files;
    struct stat st;
    if (m31ri_run_files_read(r->fd, &files, NULL) == M31R_OK) {
        for (size_t i = 0; i < files.n; i++) {
            if (fstatat(r->fd, files.files[i].path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                out->n_files++;
                out->bytes += (uint64_t)st.st_size;
            }
        }
        m31ri_run_files_release(&files);
    }
}

/* The tombstone first; then the logs of a run that did not finish; then the run. */
static m31r_err remove_whole(const m31r_reader *r, const m31r_removal_options *o, m31r_removal *out,
                             m31r_error *e)
{
    const char *slash = strrchr(r->path, '/');
    const char *run_id = slash != NULL ? slash + 1 : r->path;
    char *root_path =
        slash != NULL ? m31ri_strndup(r->path, (size_t)(slash - r->path)) : m31ri_strdup(".");
    measure(r, out);
    snprintf(out->tombstone, sizeof out->tombstone, "%.300s/%s/%.160s",
             root_path != NULL ? root_path : "", M31RI_TOMBSTONES, run_id);
    int root = root_path != NULL ? m31ri_open_dir(AT_FDCWD, root_path, true) : -1;
    m31r_err err = root >= 0 ? M31R_OK
                             : m31ri_fail_sys(e, errno, root_path, "opening %s",
                                              root_path != NULL ? root_path : "");
    if (err == M31R_OK && !o->is_dry) {
        err = m31ri_tombstone_write(root, r, o->reason, NULL, e);
        if (err == M31R_OK && r->facts.state != M31R_STATE_FINISHED) {
            err = m31ri_tombstone_take_logs(root, r->fd, run_id, e);
        }
        err = err == M31R_OK ? m31ri_remove_run(root, run_id, r->fd, e) : err;
        out->is_done = err == M31R_OK;
    }
    if (root >= 0) {
        close(root);
    }
    m31ri_free(root_path);
    return err;
}

static m31r_err remove_one(const char *path, const m31r_removal_options *o, m31r_removal *out,
                           m31r_error *e)
{
    m31r_reader *r = NULL;
    m31r_removal done = {0};
    m31r_err err = m31ri_reader_open_path(&r, path, e);
    if (err != M31R_OK) {
        return err;
    }
    snprintf(done.run_id, sizeof done.run_id, "%s", r->facts.run_id);
    snprintf(done.name, sizeof done.name, "%s", r->facts.name);
    snprintf(done.state, sizeof done.state, "%s", m31r_state_name(r->facts.state));
    m31ri_removal_check(r, false, done.refused, sizeof done.refused);
    if (done.refused[0] == '\0') {
        err = o->is_payload ? m31ri_remove_payload(r, o, &done, e) : remove_whole(r, o, &done, e);
    }
    m31r_reader_close(r);
    *out = done;
    return err;
}

typedef struct path_list {
    char **paths;
    size_t n;
} path_list;

static m31r_err list_by_expr(const m31r_removal_options *o, path_list *out, m31r_error *e)
{
    m31r_runs *runs = NULL;
    const m31r_facts *facts;
    m31r_err err = m31r_runs_open(&runs, o->root, e);
    if (err == M31R_OK) {
        err = m31r_runs_set_filter(runs, o->expr, e);
    }
    if (err == M31R_OK) {
        out->paths = m31ri_calloc(m31r_runs_count(runs) + 1, sizeof *out->paths);
        err = out->paths != NULL ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; err == M31R_OK && i < m31r_runs_count(runs); i++) {
        if (m31r_runs_facts(runs, i, &facts, NULL) == M31R_OK) {
            out->paths[out->n] = m31ri_strdup(facts->path);
            err =
                out->paths[out->n] != NULL ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
            out->n += err == M31R_OK;
        }
    }
    m31r_runs_close(runs);
    return err;
}

static m31r_err list_one(const m31r_removal_options *o, path_list *out, m31r_error *e)
{
    m31r_reader *r = NULL;
    m31r_err err = m31r_reader_open(&r, o->root, o->run, e);
    out->paths = m31ri_calloc(1, sizeof *out->paths);
    if (err == M31R_OK && out->paths != NULL) {
        out->paths[0] = m31ri_strdup(r->path); /* as it was found: no link is resolved */
        out->n = out->paths[0] != NULL;
    }
    if (err == M31R_OK && out->n == 0) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    m31r_reader_close(r);
    return err;
}

static m31r_err check(const m31r_removal_options *o, m31r_error *e)
{
    m31r_err err = m31ri_reason_check(o->reason, e);
    if (err != M31R_OK) {
        return err;
    }
    if ((o->run == NULL) == (o->expr == NULL)) {
        return m31ri_fail(e, M31R_E_ARG, "which runs: one, or those of an expression");
    }
    return o->keep == NULL || o->is_payload
               ? M31R_OK
               : m31ri_fail(e, M31R_E_ARG, "--keep goes with --payload: a run is removed whole");
}

m31r_err m31r_remove(const m31r_removal_options *o,
                     bool (*each)(void *context, const m31r_removal *r), void *context,
                     m31r_error *e)
{
    path_list list = {0};
    bool goes_on = true;
    m31r_err err = check(o, e);
    if (err == M31R_OK) {
        err = o->run != NULL ? list_one(o, &list, e) : list_by_expr(o, &list, e);
    }
    for (size_t i = 0; i < list.n && err == M31R_OK && goes_on; i++) {
        m31r_removal r = {0};
        err = remove_one(list.paths[i], o, &r, e);
        goes_on = err != M31R_OK || each(context, &r);
    }
    for (size_t i = 0; i < list.n; i++) {
        m31ri_free(list.paths[i]);
    }
    m31ri_free(list.paths);
    return err;
}
