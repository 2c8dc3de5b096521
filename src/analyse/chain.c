/* chain.c - m31r/chain.h: which steps each attempt has of each metric, and what is superseded.
 *
 * One pass over the points of each attempt gives the first and last step of each metric; a second
 * one, over the older attempts, counts what is superseded. The overlaps are chain_overlap.c's.
 */
#include "m31r/chain.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analyse/chain_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "read/reader_int.h"

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the attempts of a run");
}

/* Widens the steps of the point's metric. */
static m31r_err take_step(m31ri_chain_attempt *a, const m31r_point_view *p, m31r_error *e)
{
    m31ri_chain_steps *s =
        (m31ri_chain_steps *)(uintptr_t)m31ri_chain_steps_of(a, p->name, p->name_length);
    if (s == NULL) {
        m31ri_chain_steps *grown =
            m31ri_realloc(a->metrics, (a->n_metrics + 1) * sizeof *a->metrics);
        if (grown == NULL) {
            return no_memory(e);
        }
        a->metrics = grown;
        s = &grown[a->n_metrics];
        *s = (m31ri_chain_steps){m31ri_strndup(p->name, p->name_length), p->step, p->step};
        if (s->name == NULL) {
            return no_memory(e);
        }
        a->n_metrics++;
    }
    s->first = p->step < s->first ? p->step : s->first;
    s->last = p->step > s->last ? p->step : s->last;
    m31r_attempt *said = &a->said;
    bool has_none = said->first_step == M31R_NO_STEP;
    said->first_step = has_none || p->step < said->first_step ? p->step : said->first_step;
    said->last_step = has_none || p->step > said->last_step ? p->step : said->last_step;
    return M31R_OK;
}

static m31r_err read_steps(m31ri_chain_attempt *a, m31r_error *e)
{
    m31r_points *points = NULL;
    m31r_point_view p;
    m31r_err err = m31r_points_open(&points, a->said.reader, e);
    while (err == M31R_OK && (err = m31r_points_next(points, &p, e)) == M31R_OK) {
        a->said.n_points++;
        a->said.n_nonfinite += !isfinite(p.value);
        if (p.step != M31R_NO_STEP) {
            err = take_step(a, &p, e);
        }
    }
    m31r_points_close(points);
    return err == M31R_EOF ? M31R_OK : err;
}

static m31r_err count_superseded(m31r_chain *c, size_t i, m31r_error *e)
{
    m31r_points *points = NULL;
    m31r_point_view p;
    m31r_err err = m31r_points_open(&points, c->attempts[i].said.reader, e);
    while (err == M31R_OK && (err = m31r_points_next(points, &p, e)) == M31R_OK) {
        c->attempts[i].said.n_superseded += m31ri_chain_is_superseded(c, i, &p);
    }
    m31r_points_close(points);
    return err == M31R_EOF ? M31R_OK : err;
}

static bool is_in_chain(const m31r_chain *c, const char *run_id)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->attempts[i].said.reader->facts.run_id, run_id) == 0) {
            return true;
        }
    }
    return false;
}

/* Opens the run of that id beside `reader`'s; `*out` NULL, and the reason in c->problem, when it is
 * not there. */
static m31r_err open_beside(m31r_chain *c, const m31r_reader *reader, const char *run_id,
                            m31r_reader **out, m31r_error *e)
{
    m31r_error why = {0};
    m31ri_buf path = M31RI_BUF_INIT;
    *out = NULL;
    m31ri_buf_add_format(&path, "%s/../%s", reader->path, run_id);
    m31r_err err = strchr(run_id, '/') != NULL ? M31R_E_NOTFOUND
                   : !m31ri_buf_ok(&path)      ? M31R_E_NOMEM
                                               : m31ri_reader_open_path(out, path.data, &why);
    m31ri_buf_release(&path);
    if (err == M31R_E_NOMEM) {
        return no_memory(e);
    }
    if (err != M31R_OK || strcmp((*out)->facts.run_id, run_id) != 0) {
        m31r_reader_close(*out);
        *out = NULL;
        snprintf(c->problem, sizeof c->problem, "run %.64s, which it continues, is not found",
                 run_id);
    }
    return M31R_OK;
}

/* Newest first, while it is being followed back. */
static m31r_err follow(m31r_chain *c, const m31r_reader *reader, m31r_error *e)
{
    m31r_reader *opened = NULL;
    for (;;) {
        m31ri_chain_attempt *grown = m31ri_realloc(c->attempts, (c->n + 1) * sizeof *c->attempts);
        if (grown == NULL) {
            m31r_reader_close(opened);
            return no_memory(e);
        }
        c->attempts = grown;
        c->attempts[c->n++] = (m31ri_chain_attempt){
            .opened = opened,
            .said = {.reader = reader, .first_step = M31R_NO_STEP, .last_step = M31R_NO_STEP},
            .changed = "",
            .overlap = {.first_step = M31R_NO_STEP, .last_step = M31R_NO_STEP, .name = ""}};
        const char *before = reader->facts.resumes;
        if (before[0] == '\0') {
            return M31R_OK;
        }
        if (c->n == M31R_CHAIN_LIMIT || is_in_chain(c, before)) {
            snprintf(c->problem, sizeof c->problem, "%s",
                     c->n == M31R_CHAIN_LIMIT ? "there are more attempts than are followed back"
                                              : "its attempts continue one another in a circle");
            return M31R_OK;
        }
        m31r_err err = open_beside(c, reader, before, &opened, e);
        if (err != M31R_OK || opened == NULL) {
            return err;
        }
        reader = opened;
    }
}

static void turn_round(m31r_chain *c)
{
    for (size_t i = 0; i < c->n / 2; i++) {
        m31ri_chain_attempt swapped = c->attempts[i];
        c->attempts[i] = c->attempts[c->n - 1 - i];
        c->attempts[c->n - 1 - i] = swapped;
    }
}

m31r_err m31r_chain_open(m31r_chain **out, const m31r_reader *reader, m31r_error *e)
{
    m31r_chain *c = m31ri_calloc(1, sizeof *c);
    m31r_err err = c != NULL ? follow(c, reader, e) : no_memory(e);
    if (err == M31R_OK) {
        turn_round(c);
    }
    for (size_t i = 0; err == M31R_OK && c->n > 1 && i < c->n; i++) {
        err = read_steps(&c->attempts[i], e);
    }
    for (size_t i = 0; err == M31R_OK && i + 1 < c->n; i++) {
        err = count_superseded(c, i, e);
        err = err == M31R_OK ? m31ri_chain_compare(c, i + 1, e) : err;
        err = err == M31R_OK ? m31ri_chain_find_changes(c, i + 1, e) : err;
    }
    if (err != M31R_OK) {
        m31r_chain_close(c);
        return err;
    }
    *out = c;
    return M31R_OK;
}

void m31r_chain_close(m31r_chain *c)
{
    for (size_t i = 0; c != NULL && i < c->n; i++) {
        m31ri_chain_attempt *a = &c->attempts[i];
        for (size_t k = 0; k < a->n_metrics; k++) {
            m31ri_free(a->metrics[k].name);
        }
        m31ri_free(a->metrics);
        m31r_reader_close(a->opened);
    }
    if (c != NULL) {
        m31ri_kept_release(&c->kept);
        m31ri_free(c->attempts);
        m31ri_free(c);
    }
}

m31r_err m31r_chain_attempt(const m31r_chain *c, size_t i, m31r_attempt *out)
{
    if (i >= c->n) {
        return M31R_E_NOTFOUND;
    }
    *out = c->attempts[i].said;
    return M31R_OK;
}

m31r_err m31r_chain_overlap(const m31r_chain *c, size_t i, m31r_overlap *out)
{
    if (i == 0 || i >= c->n) {
        return M31R_E_NOTFOUND;
    }
    *out = c->attempts[i].overlap;
    return M31R_OK;
}

const char *m31r_chain_changed(const m31r_chain *c, size_t i)
{
    return i < c->n ? c->attempts[i].changed : "";
}

const char *m31r_chain_problem(const m31r_chain *c)
{
    return c->problem;
}
