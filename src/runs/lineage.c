/* lineage.c - m31r/lineage.h: two walks from a run, backward and forward, breadth first, so that a
 * run gets the least number of generations.
 *
 * What ties runs comes from their links (link_set.h), which a cache holds for all runs; the facts
 * that are shown are taken for the runs of the lineage alone.
 */
#include "m31r/lineage.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/lineage_int.h"
#include "base/alloc.h"
#include "base/fail.h"

#define FEW_RUNS 300 /* above, reading the whole index of runs costs less than asking for each */

/* ---- walking -----------------------------------------------------------------------------------
 */

typedef struct walker {
    m31r_lineage *l;
    m31r_kin kin;
    int generations;
} walker;

static void reach(walker *w, uint32_t row)
{
    m31r_lineage *l = w->l;
    if (row == M31RI_NO_ROW || l->rows[row].shown != M31RI_NO_ROW) {
        return;
    }
    l->rows[row].shown = (uint32_t)l->n_order;
    l->order_rows[l->n_order] = row;
    l->order[l->n_order].kin = w->kin;
    l->order[l->n_order++].generations = w->generations;
}

/* Appends every run that is reached from `start` in one direction, nearest first. */
static void walk(m31r_lineage *l, uint32_t start, m31r_kin kin)
{
    walker w = {l, kin, 1};
    size_t head = l->n_order;
    uint32_t at = start;
    for (;;) {
        const m31ri_lineage_row *r = &l->rows[at];
        for (uint32_t i = 0; i < r->n_files && kin == M31R_KIN_ANCESTOR; i++) {
            reach(&w, l->files[r->first_file + i].maker);
        }
        uint32_t edge = kin == M31R_KIN_DESCENDANT ? r->first_child : M31RI_NO_ROW;
        for (; edge != M31RI_NO_ROW; edge = l->edges[edge].next) {
            reach(&w, l->edges[edge].child);
        }
        if (head == l->n_order) {
            return;
        }
        w.generations = l->order[head].generations + 1;
        at = l->order_rows[head++];
    }
}

typedef struct place {
    m31r_lineage_run run;
    uint32_t row;
} place;

static int by_kin_and_age(const void *a, const void *b)
{
    const place *x = a;
    const place *y = b;
    if (x->run.kin != y->run.kin) {
        return x->run.kin < y->run.kin ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Ancestors, the run, descendants; each the oldest first: a maker is older than who reads what it
 * made. */
static bool sort_order(m31r_lineage *l)
{
    place *places = m31ri_calloc(l->n_order + 1, sizeof *places);
    for (size_t i = 0; i < l->n_order && places != NULL; i++) {
        places[i] = (place){l->order[i], l->order_rows[i]};
    }
    if (places != NULL) {
        qsort(places, l->n_order, sizeof *places, by_kin_and_age);
    }
    for (size_t i = 0; i < l->n_order && places != NULL; i++) {
        l->order[i] = places[i].run;
        l->order_rows[i] = places[i].row;
        l->rows[places[i].row].shown = (uint32_t)i;
    }
    m31ri_free(places);
    return places != NULL;
}

/* ---- what is shown -----------------------------------------------------------------------------
 */

static m31r_lineage_file shown_file(const m31r_lineage *l, size_t run, const m31ri_lineage_file *f)
{
    bool is_here = f->maker != M31RI_NO_ROW;
    uint32_t maker = is_here ? l->rows[f->maker].shown : M31RI_NO_ROW;
    return (m31r_lineage_file){
        .run = run,
        .role = f->file.role,
        .path = f->file.path,
        .digest = f->file.digest,
        .step = f->file.step,
        .maker = is_here ? l->runs->list.runs[f->maker].run_id : f->file.named,
        .maker_run = maker != M31RI_NO_ROW ? maker : M31R_LINEAGE_NONE,
        .broken = f->broken,
        .is_target = l->target[0] != '\0' && strcmp(f->file.digest, l->target) == 0};
}

static m31r_lineage_parent shown_parent(const m31r_lineage *l, size_t run,
                                        const m31ri_lineage_file *f)
{
    uint32_t shown = f->maker != M31RI_NO_ROW ? l->rows[f->maker].shown : M31RI_NO_ROW;
    return (m31r_lineage_parent){run, f->file.named,
                                 shown != M31RI_NO_ROW ? shown : M31R_LINEAGE_NONE, f->broken};
}

static void show_row(m31r_lineage *l, size_t run)
{
    const m31ri_lineage_row *r = &l->rows[l->order_rows[run]];
    for (uint32_t i = r->first_file; i < r->first_file + r->n_files; i++) {
        const m31ri_lineage_file *f = &l->files[i];
        if (!f->is_parent) {
            l->shown[l->n_shown++] = shown_file(l, run, f);
        } else if (!f->is_said) {
            l->parents[l->n_parents++] = shown_parent(l, run, f);
        }
        l->n_broken += f->broken[0] != '\0';
    }
}

static bool show_files(m31r_lineage *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n_order; i++) {
        n += l->rows[l->order_rows[i]].n_files;
    }
    l->shown = m31ri_calloc(n + 1, sizeof *l->shown);
    l->parents = m31ri_calloc(n + 1, sizeof *l->parents);
    for (size_t i = 0; i < l->n_order && l->shown != NULL && l->parents != NULL; i++) {
        show_row(l, i);
    }
    return l->shown != NULL && l->parents != NULL;
}

static const char *keep(m31r_lineage *l, const char *text)
{
    return text != NULL ? m31ri_kept_text(&l->kept, text, strlen(text)) : "";
}

static void fill_run(m31r_lineage *l, m31r_lineage_run *r, const m31r_facts *f)
{
    r->path = keep(l, f->path);
    r->name = keep(l, f->name);
    r->stage = keep(l, f->stage);
    r->state = f->state;
    r->start = keep(l, f->start);
    r->end = keep(l, f->end);
    r->config = keep(l, f->config.value);
    r->config_digest = keep(l, f->config.digest);
    r->dataset = keep(l, f->dataset.value);
    r->tokenizer = keep(l, f->tokenizer.value);
    r->commit = keep(l, f->commit.value);
    r->seed = keep(l, f->seed.value);
    r->is_dirty = f->is_dirty;
}

/* Facts, and the metric that a list of runs shows. One that was removed meanwhile has its id. */
static void fill_runs(m31r_lineage *l)
{
    static const m31r_facts gone = {0};
    for (size_t i = 0; i < l->n_order; i++) {
        m31r_lineage_run *r = &l->order[i];
        m31r_run_row row = {.metric = ""};
        m31ri_piece_bytes numbers;
        bool is_here = m31ri_runs_take(l->runs, l->order_rows[i], NULL) == M31R_OK;
        fill_run(l, r, is_here ? &l->runs->facts : &gone);
        r->run_id = keep(l, l->runs->list.runs[l->order_rows[i]].run_id);
        bool has_numbers =
            is_here && m31ri_runs_piece(l->runs, M31RI_PIECE_NUMBERS, &numbers, NULL) == M31R_OK &&
            m31ri_numbers_unpack(numbers, &row);
        r->metric = keep(l, has_numbers ? row.metric : "");
        r->metric_last = row.metric_last;
    }
}

static m31r_err follow(m31r_lineage *l, uint32_t start, m31r_error *e)
{
    l->order = m31ri_calloc(l->list.n + 1, sizeof *l->order);
    l->order_rows = m31ri_calloc(l->list.n + 1, sizeof *l->order_rows);
    if (l->order == NULL || l->order_rows == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage");
    }
    reach(&(walker){l, M31R_KIN_SELF, 0}, start);
    walk(l, start, M31R_KIN_ANCESTOR);
    walk(l, start, M31R_KIN_DESCENDANT);
    int fd = l->root_fd;
    l->root_fd = -1;
    m31r_err err = m31ri_runs_open_list(&l->runs, l->root, fd, &l->list, l->n_order <= FEW_RUNS, e);
    if (err != M31R_OK) {
        return err;
    }
    if (sort_order(l) && show_files(l)) {
        fill_runs(l);
    } else {
        l->kept.failed = true;
    }
    return l->kept.failed ? m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage") : M31R_OK;
}

/* ---- public ------------------------------------------------------------------------------------
 */

m31r_err m31r_lineage_open(m31r_lineage **out, const char *root, const char *target, m31r_error *e)
{
    uint32_t start = 0;
    m31r_lineage *l = m31ri_calloc(1, sizeof *l);
    if (l != NULL) {
        l->root_fd = -1;
        l->root = m31ri_strdup(root != NULL ? root : "experiments");
    }
    if (l == NULL || l->root == NULL) {
        m31r_lineage_close(l);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lineage");
    }
    m31r_err err = m31ri_lineage_read(l, e);
    if (err == M31R_OK) {
        err = m31ri_lineage_find(l, target, &start, e);
    }
    if (err == M31R_OK) {
        err = follow(l, start, e);
    }
    if (err != M31R_OK) {
        m31r_lineage_close(l);
        return err;
    }
    *out = l;
    return M31R_OK;
}

void m31r_lineage_close(m31r_lineage *l)
{
    if (l == NULL) {
        return;
    }
    m31r_runs_close(l->runs);
    m31ri_link_set_close(l->links);
    m31ri_run_list_release(&l->list);
    if (l->root_fd >= 0) {
        close(l->root_fd);
    }
    m31ri_name_table_release(&l->digests);
    m31ri_name_table_release(&l->ids);
    m31ri_kept_release(&l->kept);
    m31ri_free(l->rows);
    m31ri_free(l->files);
    m31ri_free(l->edges);
    m31ri_free(l->newest);
    m31ri_free(l->order);
    m31ri_free(l->order_rows);
    m31ri_free(l->shown);
    m31ri_free(l->parents);
    m31ri_free(l->root);
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
    *out = l->order[i];
    return M31R_OK;
}

m31r_err m31r_lineage_get_file(const m31r_lineage *l, size_t i, m31r_lineage_file *out)
{
    if (i >= l->n_shown) {
        return M31R_E_NOTFOUND;
    }
    *out = l->shown[i];
    return M31R_OK;
}

m31r_err m31r_lineage_get_parent(const m31r_lineage *l, size_t i, m31r_lineage_parent *out)
{
    if (i >= l->n_parents) {
        return M31R_E_NOTFOUND;
    }
    *out = l->parents[i];
    return M31R_OK;
}

size_t m31r_lineage_broken(const m31r_lineage *l)
{
    return l->n_broken;
}
