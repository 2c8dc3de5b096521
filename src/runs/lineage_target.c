/* lineage_target.c - which run a person asks for: by the bytes of a file, wherever it lies now, by
 * a file inside its directory, or by what names a run everywhere. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/lineage_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"

/* The run whose directory holds `path`; M31RI_NO_ROW when none does. */
static uint32_t row_around(const m31r_lineage *l, const char *path)
{
    char whole[PATH_MAX];
    char root[PATH_MAX];
    if (realpath(path, whole) == NULL || realpath(l->root, root) == NULL) {
        return M31RI_NO_ROW;
    }
    size_t n = strlen(root);
    if (strncmp(whole, root, n) != 0 || whole[n] != '/') {
        return M31RI_NO_ROW;
    }
    whole[n + 1 + strcspn(whole + n + 1, "/")] = '\0';
    return m31ri_lineage_row_of(l, whole + n + 1);
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* No run knows these bytes. A file of this name that a run registered has changed since. */
static m31r_err refuse(const m31r_lineage *l, const char *path, m31r_error *e)
{
    for (size_t i = l->n_files; i-- > 0;) {
        const m31ri_lineage_file *f = &l->files[i];
        if (!f->is_parent && strcmp(last_part(f->file.path), last_part(path)) == 0) {
            m31r_err err = m31ri_fail(e, M31R_E_INVALID,
                                      "%s has SHA-256 %.12s, but %s registered it with %.12s", path,
                                      l->target, l->list.runs[f->row].run_id, f->file.digest);
            m31ri_fail_hint(e, "its link is broken: the file was changed, or is another one of "
                               "the same name");
            return err;
        }
    }
    m31r_err err = m31ri_fail(e, M31R_E_NOTFOUND, "no run here made or read %s (SHA-256 %.12s)",
                              path, l->target);
    m31ri_fail_hint(e, "--root DIR looks below another directory of runs");
    return err;
}

/* The newest run that made these bytes, else the oldest that read them. */
static m31r_err row_of_file(m31r_lineage *l, const char *path, uint32_t *out, m31r_error *e)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    int fd = m31ri_open_input(path);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    m31r_err err = m31ri_sha256_fd(fd, digest, NULL, e);
    close(fd);
    if (err != M31R_OK) {
        return err;
    }
    m31ri_sha256_hex(digest, l->target);
    *out = m31ri_lineage_maker(l, l->target, M31RI_NO_ROW);
    for (size_t i = 0; i < l->n_files && *out == M31RI_NO_ROW; i++) {
        *out = strcmp(l->files[i].file.digest, l->target) == 0 ? l->files[i].row : M31RI_NO_ROW;
    }
    if (*out == M31RI_NO_ROW) {
        *out = row_around(l, path);
        l->target[*out != M31RI_NO_ROW ? 0 : M31RI_SHA256_HEX - 1] = '\0';
    }
    return *out != M31RI_NO_ROW ? M31R_OK : refuse(l, path, e);
}

static m31r_err row_of_path(const m31r_lineage *l, const char *target, uint32_t *out, m31r_error *e)
{
    char *path = NULL;
    m31r_err err = m31ri_run_find(l->root, target, &path, e);
    if (err == M31R_OK) {
        for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) {
            path[n - 1] = '\0';
        }
        const char *run_id = last_part(path);
        *out = m31ri_lineage_row_of(l, run_id);
        if (*out == M31RI_NO_ROW) {
            err = m31ri_fail(e, M31R_E_NOTFOUND, "%s is not below %s: give its --root", run_id,
                             l->root);
        }
    }
    m31ri_free(path);
    return err;
}

m31r_err m31ri_lineage_find(m31r_lineage *l, const char *target, uint32_t *out, m31r_error *e)
{
    size_t row = 0;
    bool is_file = access(target, F_OK) == 0 && !m31ri_run_path_is_run(target);
    if (is_file) {
        return row_of_file(l, target, out, e);
    }
    if (strchr(target, '/') != NULL || target[0] == '.') {
        return row_of_path(l, target, out, e);
    }
    m31r_err err = m31ri_run_list_find(l->root_fd, &l->list, target, &row, e);
    if (err == M31R_E_NOTFOUND) {
        return row_of_path(l, target, out, e); /* a run that was removed is said there */
    }
    *out = (uint32_t)row;
    return err;
}
