/* lineage.c - m31r/lineage.h: which run made what another one read.
 *
 * Every run of the directory is read once for its artifacts and parents. The makers of a digest are
 * found in a sorted list; the run that an input names itself wins over another that made the same
 * bytes, and of several the newest does. Then two walks, backward and forward, breadth first, so
 * that a run gets the least number of generations.
 */
#include "m31r/lineage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyse/kept.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/run_find.h"
#include "m31r/runs.h"
#include "read/reader_int.h"

#define NONE SIZE_MAX

typedef struct row {
    m31r_lineage_run run;
    size_t first_file, n_files;
    const char **parents;
    size_t n_parents;
    bool is_found; /* part of the lineage */
} row;

typedef struct file {
    m31r_lineage_file file; /* `run` is the row until the end */
    const char *named;      /* the run that the input names as its maker; "" for none */
    size_t maker;           /* row of the maker of an input */
    bool is_input;
} file;

struct m31r_lineage {
    m31ri_kept kept;
    row *rows; /* all runs, oldest first */
    size_t n_rows;
    file *files; /* of all runs */
    size_t n_files, files_capacity;
    size_t *made; /* files that are no inputs, by digest, then by row */
    size_t n_made;
    size_t *order; /* the lineage's runs, as rows */
    size_t n_order;
    file *shown; /* the lineage's files */
    size_t n_shown, n_broken;
    char target[M31RI_SHA256_HEX]; /* digest of the file asked for; "" for a run */
};

/* ---- reading every run -------------------------------------------------------------------------
 */

static const char *keep(m31r_lineage *l, const char *text)
{
    return m31ri_kept_text(&l->kept, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static const char *member(m31r_lineage *l, const json_t *object, const char *key)
{
    return keep(l, json_string_value(json_object_get(object, key)));
}

static bool add_file(m31r_lineage *l, size_t at, const json_t *artifact)
{
    if (l->n_files == l->files_capacity) {
        size_t capacity = l->files_capacity * 2 + 64;
        file *grown = m31ri_realloc(l->files, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        l->files = grown;
        l->files_capacity = capacity;
    }
    const json_t *step = json_object_get(artifact, "step");
    file f = {.file = {.run = at,
                       .role = member(l, artifact, "role"),
                       .path = member(l, artifact, "path"),
                       .digest = member(l, artifact, "sha256"),
                       .step = json_is_integer(step) ? json_integer_value(step) : M31R_UNKNOWN,
                       .maker = "",
                       .broken = ""},
              .named = member(l, artifact, "run"),
              .maker = NONE};
    f.is_input = strcmp(f.file.role, "input") == 0;
    l->files[l->n_files++] = f;
    l->rows[at].n_files++;
    return true;
}

static bool add_parents(m31r_lineage *l, row *r, const json_t *parents)
{
    size_t n = json_array_size(parents);
    r->parents = m31ri_calloc(n + 1, sizeof *r->parents);
    for (size_t i = 0; i < n && r->parents != NULL; i++) {
        const char *id = json_string_value(json_array_get(parents, i));
        if (id != NULL) {
            r->parents[r->n_parents++] = keep(l, id);
        }
    }
    return r->parents != NULL;
}

static bool fill_row(m31r_lineage *l, size_t at, const m31r_reader *reader)
{
    row *r = &l->rows[at];
    const m31r_facts *f = m31r_reader_facts(reader);
    const json_t *artifacts = m31ri_reader_get(reader, "artifacts");
    r->run = (m31r_lineage_run){.run_id = keep(l, f->run_id),
                                .path = keep(l, f->path),
                                .name = keep(l, f->name),
                                .stage = keep(l, f->stage),
                                .state = f->state,
                                .start = keep(l, f->start),
                                .end = keep(l, f->end),
                                .config = keep(l, f->config.value),
                                .config_digest = keep(l, f->config.digest),
                                .dataset = keep(l, f->dataset.value),
                                .tokenizer = keep(l, f->tokenizer.value),
                                .commit = keep(l, f->commit.value),
                                .seed = keep(l, f->seed.value),
                                .is_dirty = f->is_dirty,
                                .metric = ""};
    r->first_file = l->n_files;
    for (size_t i = 0; i < json_array_size(artifacts); i++) {
        if (!add_file(l, at, json_array_get(artifacts, i))) {
            return false;
        }
    }
    return add_parents(l, r, m31ri_reader_get(reader, "parents"));
}

static m31r_err read_runs(m31r_lineage *l, const char *root, m31r_error *e)
{
    m31ri_run_list list = {0};
    m31r_err err = m31ri_run_list_read(root, &list, e);
    l->rows = err == M31R_OK ? m31ri_calloc(list.n + 1, sizeof *l->rows) : NULL;
    for (size_t i = 0; i < list.n && l->rows != NULL && err == M31R_OK; i++) {
        char path[PATH_MAX];
        m31r_reader *reader = NULL;
        snprintf(path, sizeof path, "%s/%s", root, list.runs[i].run_id);
        if (m31ri_reader_open_path(&reader, path, NULL) != M31R_OK) {
            continue; /* removed meanwhile */
        }
        if (!fill_row(l, l->n_rows++, reader)) {
            err = M31R_E_NOMEM;
        }
        m31r_reader_close(reader);
    }
    if (err == M31R_E_NOMEM || (err == M31R_OK && l->rows == NULL)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage");
    }
    m31ri_run_list_release(&list);
    return err;
}

/* ---- who made what -----------------------------------------------------------------------------
 */

static int by_digest(const void *a, const void *b, void *context)
{
    const m31r_lineage *l = context;
    const file *x = &l->files[*(const size_t *)a];
    const file *y = &l->files[*(const size_t *)b];
    int order = strcmp(x->file.digest, y->file.digest);
    return order != 0 ? order : x->file.run < y->file.run ? -1 : x->file.run > y->file.run;
}

static bool sort_made(m31r_lineage *l)
{
    l->made = m31ri_calloc(l->n_files + 1, sizeof *l->made);
    for (size_t i = 0; i < l->n_files && l->made != NULL; i++) {
        if (!l->files[i].is_input && l->files[i].file.digest[0] != '\0') {
            l->made[l->n_made++] = i;
        }
    }
    if (l->n_made > 1) {
        qsort_r(l->made, l->n_made, sizeof *l->made, by_digest, l);
    }
    return l->made != NULL;
}

/* The run that made a digest: the named one, else the newest that is not `reader` itself. */
static size_t maker_of(const m31r_lineage *l, const char *digest, const char *named, size_t reader)
{
    size_t low = 0;
    size_t high = l->n_made;
    size_t found = NONE;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(l->files[l->made[middle]].file.digest, digest) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < l->n_made; low++) {
        const file *f = &l->files[l->made[low]];
        if (strcmp(f->file.digest, digest) != 0) {
            break;
        }
        if (strcmp(l->rows[f->file.run].run.run_id, named) == 0) {
            return f->file.run;
        }
        found = f->file.run != reader ? f->file.run : found;
    }
    return found;
}

static void link_inputs(m31r_lineage *l)
{
    for (size_t i = 0; i < l->n_files; i++) {
        file *f = &l->files[i];
        if (!f->is_input || f->file.digest[0] == '\0') {
            continue;
        }
        f->maker = maker_of(l, f->file.digest, f->named, f->file.run);
        if (f->maker != NONE) {
            f->file.maker = l->rows[f->maker].run.run_id;
        } else if (f->named[0] != '\0') {
            f->file.maker = f->named;
            f->file.broken = "the run that made it is not here";
        }
    }
}

/* ---- walking -----------------------------------------------------------------------------------
 */

static bool names_as_parent(const row *child, const row *parent)
{
    for (size_t i = 0; i < child->n_parents; i++) {
        if (strcmp(child->parents[i], parent->run.run_id) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_child_of(const m31r_lineage *l, size_t child, size_t parent)
{
    const row *c = &l->rows[child];
    for (size_t i = 0; i < c->n_files; i++) {
        if (l->files[c->first_file + i].maker == parent) {
            return true;
        }
    }
    return names_as_parent(c, &l->rows[parent]);
}

/* Appends to `order` every run that is reached from `start` in one direction, nearest first. */
static void walk(m31r_lineage *l, size_t start, m31r_kin kin)
{
    size_t head = l->n_order;
    size_t at = start;
    for (;;) {
        for (size_t i = 0; i < l->n_rows; i++) {
            bool is_next = kin == M31R_KIN_ANCESTOR ? is_child_of(l, at, i) : is_child_of(l, i, at);
            if (is_next && !l->rows[i].is_found) {
                l->rows[i].is_found = true;
                l->rows[i].run.kin = kin;
                l->rows[i].run.generations = l->rows[at].run.generations + 1;
                l->order[l->n_order++] = i;
            }
        }
        if (head == l->n_order) {
            return;
        }
        at = l->order[head++];
    }
}

static bool show_files(m31r_lineage *l)
{
    l->shown = m31ri_calloc(l->n_files + 1, sizeof *l->shown);
    for (size_t i = 0; i < l->n_order && l->shown != NULL; i++) {
        const row *r = &l->rows[l->order[i]];
        for (size_t k = 0; k < r->n_files; k++) {
            file f = l->files[r->first_file + k];
            f.file.run = i;
            f.file.is_target = l->target[0] != '\0' && strcmp(f.file.digest, l->target) == 0;
            l->n_broken += f.file.broken[0] != '\0';
            l->shown[l->n_shown++] = f;
        }
    }
    return l->shown != NULL;
}

static int by_age(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Oldest first: a maker is older than who reads what it made. */
static void sort_by_age(size_t *order, size_t n)
{
    if (n > 1) {
        qsort(order, n, sizeof *order, by_age);
    }
}

/* Ancestors, the oldest first; then the run; then descendants. */
static m31r_err follow(m31r_lineage *l, size_t start, m31r_error *e)
{
    l->order = m31ri_calloc(l->n_rows + 1, sizeof *l->order);
    if (l->order == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage");
    }
    l->rows[start].is_found = true;
    l->rows[start].run.kin = M31R_KIN_SELF;
    walk(l, start, M31R_KIN_ANCESTOR);
    sort_by_age(l->order, l->n_order);
    l->order[l->n_order++] = start;
    size_t first_descendant = l->n_order;
    walk(l, start, M31R_KIN_DESCENDANT);
    sort_by_age(l->order + first_descendant, l->n_order - first_descendant);
    if (!show_files(l) || l->kept.failed) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage");
    }
    return M31R_OK;
}

/* The metric that a list of runs shows, for each run of the lineage. */
static void add_metrics(m31r_lineage *l, const char *root)
{
    m31r_runs *runs = NULL;
    m31r_run_row found;
    if (m31r_runs_open(&runs, root, NULL) != M31R_OK) {
        return;
    }
    for (size_t i = 0; i < m31r_runs_count(runs); i++) {
        const m31r_facts *f = NULL;
        row *r = NULL;
        if (m31r_runs_facts(runs, i, &f, NULL) != M31R_OK) {
            continue;
        }
        for (size_t k = 0; k < l->n_order && r == NULL; k++) {
            row *candidate = &l->rows[l->order[k]];
            r = strcmp(candidate->run.run_id, f->run_id) == 0 ? candidate : NULL;
        }
        if (r != NULL && m31r_runs_get(runs, i, &found, NULL) == M31R_OK) {
            r->run.metric = keep(l, found.metric);
            r->run.metric_last = found.metric_last;
        }
    }
    m31r_runs_close(runs);
}

/* ---- the target --------------------------------------------------------------------------------
 */

static size_t row_of_id(const m31r_lineage *l, const char *run_id)
{
    for (size_t i = 0; i < l->n_rows; i++) {
        if (strcmp(l->rows[i].run.run_id, run_id) == 0) {
            return i;
        }
    }
    return NONE;
}

/* The run whose directory holds `path`; NONE when none does. */
static size_t row_around(const m31r_lineage *l, const char *path)
{
    char whole[PATH_MAX];
    if (realpath(path, whole) == NULL) {
        return NONE;
    }
    for (size_t i = 0; i < l->n_rows; i++) {
        char run[PATH_MAX];
        if (realpath(l->rows[i].run.path, run) != NULL) {
            size_t n = strlen(run);
            if (strncmp(whole, run, n) == 0 && whole[n] == '/') {
                return i;
            }
        }
    }
    return NONE;
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
        const m31r_lineage_file *f = &l->files[i].file;
        if (strcmp(last_part(f->path), last_part(path)) == 0) {
            m31r_err err = m31ri_fail(e, M31R_E_INVALID,
                                      "%s has SHA-256 %.12s, but %s registered it with %.12s", path,
                                      l->target, l->rows[f->run].run.run_id, f->digest);
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
static m31r_err row_of_file(m31r_lineage *l, const char *path, size_t *out, m31r_error *e)
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
    *out = maker_of(l, l->target, "", NONE);
    for (size_t i = 0; i < l->n_files && *out == NONE; i++) {
        *out = strcmp(l->files[i].file.digest, l->target) == 0 ? l->files[i].file.run : NONE;
    }
    if (*out == NONE) {
        *out = row_around(l, path);
        l->target[*out != NONE ? 0 : M31RI_SHA256_HEX - 1] = '\0';
    }
    return *out != NONE ? M31R_OK : refuse(l, path, e);
}

static m31r_err find_start(m31r_lineage *l, const char *root, const char *target, size_t *out,
                           m31r_error *e)
{
    char *path = NULL;
    bool is_file = access(target, F_OK) == 0 && !m31ri_run_path_is_run(target);
    if (is_file) {
        return row_of_file(l, target, out, e);
    }
    m31r_err err = m31ri_run_find(root, target, &path, e);
    if (err == M31R_OK) {
        char *run_id = path;
        size_t length = strlen(path);
        while (length > 1 && path[length - 1] == '/') {
            path[--length] = '\0';
        }
        run_id = (char *)last_part(path);
        *out = row_of_id(l, run_id);
        if (*out == NONE) {
            err =
                m31ri_fail(e, M31R_E_NOTFOUND, "%s is not below %s: give its --root", run_id, root);
        }
    }
    m31ri_free(path);
    return err;
}

m31r_err m31r_lineage_open(m31r_lineage **out, const char *root, const char *target, m31r_error *e)
{
    const char *below = root != NULL ? root : "experiments";
    size_t start = NONE;
    m31r_lineage *l = m31ri_calloc(1, sizeof *l);
    if (l == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage");
    }
    m31r_err err = read_runs(l, below, e);
    if (err == M31R_OK && !sort_made(l)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage");
    }
    if (err == M31R_OK) {
        link_inputs(l);
        err = find_start(l, below, target, &start, e);
    }
    if (err == M31R_OK) {
        err = follow(l, start, e);
    }
    if (err != M31R_OK) {
        m31r_lineage_close(l);
        return err;
    }
    add_metrics(l, below);
    *out = l;
    return M31R_OK;
}

void m31r_lineage_close(m31r_lineage *l)
{
    if (l == NULL) {
        return;
    }
    for (size_t i = 0; i < l->n_rows; i++) {
        m31ri_free(l->rows[i].parents);
    }
    m31ri_kept_release(&l->kept);
    m31ri_free(l->rows);
    m31ri_free(l->files);
    m31ri_free(l->made);
    m31ri_free(l->order);
    m31ri_free(l->shown);
    m31ri_free(l);
}

size_t m31r_lineage_runs(const m31r_lineage *l)
{
    return l->n_order;
}

m31r_err m31r_lineage_get_run(const m31r_lineage *l, size_t i, m31r_lineage_run *out)
{
    if (i >= l->n_order) {
        return M31R_E_NOTFOUND;
    }
    *out = l->rows[l->order[i]].run;
    return M31R_OK;
}

m31r_err m31r_lineage_get_file(const m31r_lineage *l, size_t i, m31r_lineage_file *out)
{
    if (i >= l->n_shown) {
        return M31R_E_NOTFOUND;
    }
    *out = l->shown[i].file;
    return M31R_OK;
}

size_t m31r_lineage_broken(const m31r_lineage *l)
{
    return l->n_broken;
}
