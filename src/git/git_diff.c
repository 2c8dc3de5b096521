/* git_diff.c - one changed file as a part of a patch, in git's own form.
 *
 * A binary file (a NUL in its first 8,000 bytes, the attribute -diff, or more than 4 MiB) is named
 * with the full names of both contents and kept no further: what is in it cannot be searched for
 * secrets. A file that became a symlink, or the other way, is one deletion and one addition.
 */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "git/git_facts_int.h"
#include "git/line_diff.h"

#define BINARY_BYTES 8000
#define MODE_LINK 0120000
#define MODE_TYPE 0170000

/* One side of the comparison. mode 0: there is no such file. */
typedef struct side {
    uint32_t mode;
    uint8_t oid[32];
    m31ri_buf bytes; /* empty when `is_large` */
    bool is_large;
} side;

static bool is_binary(const side *s)
{
    size_t n = s->bytes.length < BINARY_BYTES ? s->bytes.length : BINARY_BYTES;
    return s->is_large || memchr(m31ri_buf_str(&s->bytes), '\0', n) != NULL;
}

static m31r_err read_stored(const m31ri_git_work *w, const uint8_t *oid, side *out, m31r_error *e)
{
    m31r_err err = m31ri_git_object_read(w->repo, oid, &out->bytes, e);
    out->is_large = err == M31R_E_LIMIT || out->bytes.length > M31RI_DIFF_BYTES;
    if (out->is_large) {
        m31ri_buf_clear(&out->bytes);
        err = M31R_OK;
    }
    memcpy(out->oid, oid, w->repo->oid_bytes);
    return err;
}

/* What the work tree holds, as git would store it. A file that cannot be read is as one that is
 * too large: its name stays zero. */
static m31r_err read_work(const m31ri_git_work *w, const m31ri_git_delta *d,
                          const m31ri_git_manner *manner, side *out, m31r_error *e)
{
    m31r_err err = M31R_OK;
    bool is_lfs = manner->is_lfs && out->mode != MODE_LINK;
    out->is_large = is_lfs ? !m31ri_git_lfs_pointer(w->top, d->path, &out->bytes)
                           : !m31ri_git_work_read(w->top, d->path, M31RI_DIFF_BYTES, &out->bytes);
    if (!m31ri_buf_ok(&out->bytes)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory taking the diff");
    }
    if (out->is_large) {
        m31ri_git_work_oid(w, d->path, out->oid);
        return M31R_OK;
    }
    if (out->mode != MODE_LINK && !is_lfs) {
        err = m31ri_git_clean(w->repo, manner, d->index_oid, &out->bytes, e);
    }
    if (err == M31R_OK) {
        m31ri_git_blob_oid(m31ri_buf_str(&out->bytes), out->bytes.length, w->repo->oid_bytes,
                           out->oid);
    }
    return err;
}

/* Is `path` one that git puts into quotes? */
static bool needs_quotes(const char *path)
{
    for (const char *p = path; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
            return true;
        }
    }
    return false;
}

/* `prefix` and `path`, quoted as in C where it is needed. */
static void add_path(m31ri_buf *out, const char *prefix, const char *path)
{
    static const char plain[] = "\a\b\t\n\v\f\r\"\\";
    static const char letters[] = "abtnvfr\"\\";
    if (!needs_quotes(path)) {
        m31ri_buf_add_format(out, "%s%s", prefix, path);
        return;
    }
    m31ri_buf_add_format(out, "\"%s", prefix);
    for (const char *p = path; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        const char *known = strchr(plain, c);
        if (known != NULL) {
            m31ri_buf_add_format(out, "\\%c", letters[known - plain]);
        } else if (c < 0x20 || c >= 0x7f) {
            m31ri_buf_add_format(out, "\\%03o", c);
        } else {
            m31ri_buf_add_char(out, (char)c);
        }
    }
    m31ri_buf_add_char(out, '"');
}

/* "--- a/path": a path with a space is closed by a tab, as git does it. */
static void add_name(m31ri_buf *out, const char *lead, const char *prefix, const char *path)
{
    m31ri_buf_add_str(out, lead);
    add_path(out, prefix, path);
    m31ri_buf_add_str(out, !needs_quotes(path) && strchr(path, ' ') != NULL ? "\t\n" : "\n");
}

static void add_oid(m31ri_buf *out, const uint8_t *oid, size_t oid_bytes)
{
    for (size_t i = 0; i < oid_bytes; i++) {
        m31ri_buf_add_format(out, "%02x", oid[i]);
    }
}

static void add_header(const m31ri_git_work *w, const char *path, const side *before,
                       const side *after, m31ri_buf *out)
{
    m31ri_buf_add_str(out, "diff --git ");
    add_path(out, "a/", path);
    m31ri_buf_add_char(out, ' ');
    add_path(out, "b/", path);
    m31ri_buf_add_char(out, '\n');
    if (before->mode == 0) {
        m31ri_buf_add_format(out, "new file mode %06o\n", after->mode);
    } else if (after->mode == 0) {
        m31ri_buf_add_format(out, "deleted file mode %06o\n", before->mode);
    } else if (before->mode != after->mode) {
        m31ri_buf_add_format(out, "old mode %06o\nnew mode %06o\n", before->mode, after->mode);
    }
    if (memcmp(before->oid, after->oid, w->repo->oid_bytes) == 0) {
        return; /* only the mode */
    }
    m31ri_buf_add_str(out, "index ");
    add_oid(out, before->oid, w->repo->oid_bytes);
    m31ri_buf_add_str(out, "..");
    add_oid(out, after->oid, w->repo->oid_bytes);
    if (before->mode == after->mode) {
        m31ri_buf_add_format(out, " %06o", before->mode);
    }
    m31ri_buf_add_char(out, '\n');
}

static void add_binary(const char *path, const side *before, const side *after, m31ri_buf *out)
{
    m31ri_buf_add_str(out, "Binary files ");
    before->mode != 0 ? add_path(out, "a/", path) : m31ri_buf_add_str(out, "/dev/null");
    m31ri_buf_add_str(out, " and ");
    after->mode != 0 ? add_path(out, "b/", path) : m31ri_buf_add_str(out, "/dev/null");
    m31ri_buf_add_str(out, " differ\n");
}

/* One patch of two sides of the same type, or of which one is missing. */
static m31r_err add_patch(const m31ri_git_work *w, const char *path, bool as_binary,
                          const side *before, const side *after, m31ri_buf *out, m31r_error *e)
{
    add_header(w, path, before, after, out);
    if (memcmp(before->oid, after->oid, w->repo->oid_bytes) == 0) {
        return M31R_OK;
    }
    if (as_binary || is_binary(before) || is_binary(after)) {
        add_binary(path, before, after, out);
        return M31R_OK;
    }
    if (before->bytes.length + after->bytes.length == 0) {
        return M31R_OK; /* an empty file comes or goes */
    }
    before->mode != 0 ? add_name(out, "--- ", "a/", path)
                      : m31ri_buf_add_str(out, "--- /dev/null\n");
    after->mode != 0 ? add_name(out, "+++ ", "b/", path)
                     : m31ri_buf_add_str(out, "+++ /dev/null\n");
    return m31ri_line_diff(&before->bytes, &after->bytes, out, e);
}

static m31r_err make_patch(const m31ri_git_work *w, const m31ri_git_delta *d, m31ri_buf *out,
                           m31r_error *e)
{
    m31ri_git_manner manner = {0};
    const side nothing = {0};
    side before = {.mode = d->old_mode};
    side after = {.mode = d->new_mode};
    m31r_err err = m31ri_git_manner_of(w->attributes, w->repo, d->path, &manner, e);
    if (err == M31R_OK && before.mode != 0) {
        err = read_stored(w, d->old_oid, &before, e);
    }
    if (err == M31R_OK && after.mode != 0) {
        err = d->is_new_stored ? read_stored(w, d->index_oid, &after, e)
                               : read_work(w, d, &manner, &after, e);
    }
    bool as_binary = manner.is_binary && !manner.is_lfs; /* a pointer is text */
    bool is_other_type = before.mode != 0 && after.mode != 0 &&
                         (before.mode & MODE_TYPE) != (after.mode & MODE_TYPE);
    if (err == M31R_OK && is_other_type) {
        err = add_patch(w, d->path, as_binary, &before, &nothing, out, e);
        m31ri_buf_release(&before.bytes);
        before = nothing;
    }
    if (err == M31R_OK) {
        err = add_patch(w, d->path, as_binary, &before, &after, out, e);
    }
    m31ri_buf_release(&before.bytes);
    m31ri_buf_release(&after.bytes);
    if (err == M31R_OK && !m31ri_buf_ok(out)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory taking the diff");
    }
    return err;
}

m31r_err m31ri_git_diff_add(const m31ri_git_work *w, const m31ri_git_delta *d, m31ri_git_facts *g,
                            m31r_error *e)
{
    m31ri_buf patch = M31RI_BUF_INIT;
    m31r_error why = {0};
    m31r_err err = make_patch(w, d, &patch, &why);
    if (err == M31R_OK && g->diff.length + patch.length <= M31RI_DIFF_BYTES) {
        m31ri_buf_add(&g->diff, m31ri_buf_str(&patch), patch.length);
    } else {
        g->diff_is_cut = true; /* too much, or an object that is not here (a partial clone) */
    }
    m31ri_buf_release(&patch);
    if (err == M31R_E_NOMEM || !m31ri_buf_ok(&g->diff)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory taking the diff");
    }
    if (err != M31R_OK && g->reason[0] == '\0') {
        snprintf(g->reason, sizeof g->reason, "not in the diff: %.60s: %.70s", d->path,
                 why.message);
    }
    return M31R_OK;
}
