/* lineage_rows.c - all runs of a root and what ties them.
 *
 * The makers of a digest are a list, newest first, behind a table of digests. The run that an input
 * names itself wins over another that made the same bytes; of several the newest does. What is
 * named and cannot be held against a digest is said to be broken, with the reason.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runs/lineage_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage");
}

static bool find_known(void *context, const char *run_id, const char **out_name,
                       const char **out_timestamp)
{
    m31ri_links links;
    if (!m31ri_link_set_get(context, run_id, &links)) {
        return false;
    }
    *out_name = links.name;
    *out_timestamp = links.timestamp;
    return true;
}

static bool add_file(m31r_lineage *l, const m31ri_lineage_file *f)
{
    if (l->n_files == l->files_capacity) {
        size_t capacity = l->files_capacity * 2 + 256;
        m31ri_lineage_file *grown = m31ri_realloc(l->files, capacity * sizeof *grown);
        if (grown == NULL || capacity >= M31RI_NO_ROW) {
            return false;
        }
        l->files = grown;
        l->files_capacity = capacity;
    }
    l->files[l->n_files++] = *f;
    l->rows[f->row].n_files++;
    return true;
}

/* Fills a row from the run's links. A run whose metadata cannot be read has none. */
static bool fill_row(m31r_lineage *l, uint32_t row)
{
    m31ri_links links;
    m31ri_lineage_file f = {.broken = "", .row = row, .maker = M31RI_NO_ROW, .older = M31RI_NO_ROW};
    l->rows[row] = (m31ri_lineage_row){(uint32_t)l->n_files, 0, M31RI_NO_ROW, M31RI_NO_ROW};
    if (!m31ri_link_set_get(l->links, l->list.runs[row].run_id, &links)) {
        return true;
    }
    const char *parent;
    while (m31ri_links_parent(&links, &parent)) {
        m31ri_lineage_file p = f;
        p.is_parent = true;
        p.file = (m31ri_link_file){"parent", "", "", parent, M31R_UNKNOWN};
        if (!add_file(l, &p)) {
            return false;
        }
    }
    while (m31ri_links_file(&links, &f.file)) {
        f.is_input = strcmp(f.file.role, "input") == 0;
        if (!add_file(l, &f)) {
            return false;
        }
    }
    return true;
}

static bool fill_rows(m31r_lineage *l)
{
    l->rows = m31ri_calloc(l->list.n + 1, sizeof *l->rows);
    for (size_t i = 0; i < l->list.n && l->rows != NULL; i++) {
        const char *run_id = l->list.runs[i].run_id;
        if (m31ri_name_table_add(&l->ids, run_id, strlen(run_id)) != i ||
            !fill_row(l, (uint32_t)i)) {
            return false;
        }
    }
    return l->rows != NULL;
}

/* ---- who made what -----------------------------------------------------------------------------
 */

/* The beginning of a digest is enough to find it by; who looks compares it whole. */
static size_t key_length(const char *digest)
{
    return strnlen(digest, 16);
}

static bool list_made(m31r_lineage *l)
{
    l->newest = m31ri_calloc(l->n_files + 1, sizeof *l->newest);
    for (size_t i = 0; i < l->n_files && l->newest != NULL; i++) {
        m31ri_lineage_file *f = &l->files[i];
        if (f->is_input || f->is_parent || f->file.digest[0] == '\0') {
            continue;
        }
        size_t n = l->digests.n;
        size_t number =
            m31ri_name_table_add(&l->digests, f->file.digest, key_length(f->file.digest));
        if (number == M31RI_NO_NAME) {
            return false;
        }
        f->older = number < n ? l->newest[number] : M31RI_NO_ROW;
        l->newest[number] = (uint32_t)i;
    }
    return l->newest != NULL;
}

uint32_t m31ri_lineage_row_of(const m31r_lineage *l, const char *run_id)
{
    size_t row = m31ri_name_table_find(&l->ids, run_id, strlen(run_id));
    return row != M31RI_NO_NAME ? (uint32_t)row : M31RI_NO_ROW;
}

uint32_t m31ri_lineage_maker(const m31r_lineage *l, const char *digest, uint32_t reader)
{
    size_t number = m31ri_name_table_find(&l->digests, digest, key_length(digest));
    uint32_t i = number != M31RI_NO_NAME ? l->newest[number] : M31RI_NO_ROW;
    while (i != M31RI_NO_ROW &&
           (l->files[i].row == reader || strcmp(l->files[i].file.digest, digest) != 0)) {
        i = l->files[i].older;
    }
    return i != M31RI_NO_ROW ? l->files[i].row : M31RI_NO_ROW;
}

static bool row_made(const m31r_lineage *l, uint32_t row, const char *digest)
{
    const m31ri_lineage_row *r = &l->rows[row];
    for (uint32_t i = r->first_file; i < r->first_file + r->n_files; i++) {
        const m31ri_lineage_file *f = &l->files[i];
        if (!f->is_input && !f->is_parent && strcmp(f->file.digest, digest) == 0) {
            return true;
        }
    }
    return false;
}

/* The maker of an input, and why its link is broken when it is. */
static void link_input(const m31r_lineage *l, m31ri_lineage_file *f)
{
    uint32_t named =
        f->file.named[0] != '\0' ? m31ri_lineage_row_of(l, f->file.named) : M31RI_NO_ROW;
    bool has_digest = f->file.digest[0] != '\0';
    if (!has_digest) {
        f->maker = named;
        f->broken = f->file.named[0] != '\0' ? "it has no digest: nothing proves who made it" : "";
    } else if (named != M31RI_NO_ROW && row_made(l, named, f->file.digest)) {
        f->maker = named;
    } else {
        f->maker = m31ri_lineage_maker(l, f->file.digest, f->row);
    }
    if (has_digest && f->maker == M31RI_NO_ROW && f->file.named[0] != '\0') {
        f->broken = named != M31RI_NO_ROW ? "the run that it names made no file with these bytes"
                                          : "the run that made it is not here";
    }
}

/* Does an input of this row already say that it comes of that run? */
static bool is_said_by_input(const m31r_lineage *l, const m31ri_lineage_file *parent)
{
    const m31ri_lineage_row *r = &l->rows[parent->row];
    for (uint32_t i = r->first_file; i < r->first_file + r->n_files; i++) {
        const m31ri_lineage_file *f = &l->files[i];
        bool is_made_there = parent->maker != M31RI_NO_ROW && f->maker == parent->maker;
        if (f->is_input && (is_made_there || strcmp(f->file.named, parent->file.named) == 0)) {
            return true;
        }
    }
    return false;
}

static void link_files(m31r_lineage *l)
{
    for (size_t i = 0; i < l->n_files; i++) {
        if (l->files[i].is_input) {
            link_input(l, &l->files[i]);
        }
    }
    for (size_t i = 0; i < l->n_files; i++) {
        m31ri_lineage_file *f = &l->files[i];
        if (f->is_parent) {
            f->maker = m31ri_lineage_row_of(l, f->file.named);
            f->is_said = is_said_by_input(l, f);
            bool is_broken = f->maker == M31RI_NO_ROW && !f->is_said;
            f->broken = is_broken ? "the run that it names as its parent is not here" : "";
        }
    }
}

static bool list_children(m31r_lineage *l)
{
    l->edges = m31ri_calloc(l->n_files + 1, sizeof *l->edges);
    for (size_t i = l->n_files; i-- > 0 && l->edges != NULL;) {
        const m31ri_lineage_file *f = &l->files[i];
        if (f->maker != M31RI_NO_ROW) {
            m31ri_lineage_row *maker = &l->rows[f->maker];
            l->edges[l->n_edges] = (m31ri_lineage_edge){f->row, maker->first_child};
            maker->first_child = (uint32_t)l->n_edges++;
        }
    }
    return l->edges != NULL;
}

m31r_err m31ri_lineage_read(m31r_lineage *l, m31r_error *e)
{
    l->root_fd = m31ri_open_dir(AT_FDCWD, l->root, true);
    if (l->root_fd < 0) {
        return m31ri_fail_sys(e, errno, l->root, "opening the directory of runs %s", l->root);
    }
    l->links = m31ri_link_set_open(l->root, l->root_fd);
    if (l->links == NULL) {
        return no_memory(e);
    }
    m31ri_run_known known = {find_known, l->links};
    m31r_err err = m31ri_run_list_read_fd(l->root_fd, &known, &l->list, e);
    if (err == M31R_OK && l->list.n >= M31RI_NO_ROW) {
        err = m31ri_fail(e, M31R_E_LIMIT, "more than %u runs", M31RI_NO_ROW - 1);
    }
    if (err == M31R_OK && (!fill_rows(l) || !list_made(l))) {
        err = no_memory(e);
    }
    if (err != M31R_OK) {
        return err;
    }
    link_files(l);
    return list_children(l) ? M31R_OK : no_memory(e);
}
