/* diff.c - m31r/diff.h: the parts put together, and the verdict.
 *
 * The points come before the lanes in time, so that a field of a record that is a metric too is
 * counted once, as a metric; in the result the lanes stand first.
 */
#include "m31r/diff.h"

#include <math.h>
#include <string.h>

#include "diff/diff_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "m31r/chain.h"

/* When one of the runs continues the other, what they can share is the steps that both have. */
static m31r_err find_overlap(m31r_diff *d, m31r_error *e)
{
    const m31r_facts *a = &d->a->facts;
    const m31r_facts *b = &d->b->facts;
    bool a_resumes = a->resumes[0] != '\0' && strcmp(a->resumes, b->run_id) == 0;
    bool b_resumes = b->resumes[0] != '\0' && strcmp(b->resumes, a->run_id) == 0;
    m31r_chain *chain = NULL;
    m31r_overlap overlap;
    if (!a_resumes && !b_resumes) {
        return M31R_OK;
    }
    m31r_err err = m31r_chain_open(&chain, a_resumes ? d->a : d->b, e);
    if (err != M31R_OK) {
        return err;
    }
    /* found when the older one lies beside the newer; else the runs are compared whole */
    if (m31r_chain_overlap(chain, m31r_chain_count(chain) - 1, &overlap) == M31R_OK) {
        bool has_none = overlap.first_step == M31R_NO_STEP;
        d->is_overlap = true;
        d->first_step = has_none ? 1 : overlap.first_step;
        d->last_step = has_none ? 0 : overlap.last_step;
    }
    m31r_chain_close(chain);
    return M31R_OK;
}

/* Why equality is not proved although nothing differs; "" when it is. */
static const char *doubt(m31r_diff *d)
{
    const m31r_reader *readers[2] = {d->a, d->b};
    for (int i = 0; i < 2; i++) {
        const m31r_facts *f = &readers[i]->facts;
        if (f->state == M31R_STATE_RUNNING) {
            return m31ri_kept_format(&d->kept, "%s is still running", f->run_id);
        }
        if (f->lost_records > 0 || f->lost_points > 0) {
            return m31ri_kept_format(&d->kept, "%s lost %lld records and %lld points", f->run_id,
                                     (long long)f->lost_records, (long long)f->lost_points);
        }
    }
    uint64_t n = 0;
    for (size_t i = 0; i < d->n_parts; i++) {
        const m31r_diff_part *p = &d->parts[i];
        if (p->set_aside[0] == '\0' && p->n_unread > 0) {
            return m31ri_kept_format(&d->kept, "%llu lines of %s could not be read",
                                     (unsigned long long)p->n_unread, p->name);
        }
        n += p->set_aside[0] == '\0' ? p->n_a : 0;
    }
    if (n == 0 && d->is_overlap) {
        return "one run continues the other, and they have no step in common";
    }
    return n == 0 ? "there is no record and no point to compare" : "";
}

m31r_err m31r_diff_open(m31r_diff **out, const m31r_reader *a, const m31r_reader *b,
                        const m31r_diff_options *options, m31r_error *e)
{
    if (options == NULL || options->size != sizeof *options || !isfinite(options->rtol) ||
        !isfinite(options->atol) || options->rtol < 0 || options->atol < 0) {
        return m31ri_fail(e, M31R_E_ARG, "a tolerance is 0 or more, and finite");
    }
    m31r_diff *d = m31ri_calloc(1, sizeof *d);
    if (d == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a difference");
    }
    d->a = a;
    d->b = b;
    d->options = *options;
    m31r_err err = m31ri_diff_identity(d, e);
    if (err == M31R_OK) {
        err = find_overlap(d, e);
    }
    if (err == M31R_OK) {
        err = m31ri_diff_points(d, e);
    }
    if (err == M31R_OK) {
        err = m31ri_diff_lanes(d, e);
    }
    for (size_t i = 0; i < d->n_partings; i++) {
        m31ri_parting *p = d->partings[i];
        p->said.n_course = m31ri_trace_read(&p->trace, p->course);
        p->said.course = p->course;
    }
    d->why = doubt(d);
    if (err == M31R_OK && d->kept.failed) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a difference");
    }
    if (err != M31R_OK) {
        m31r_diff_close(d);
        return err;
    }
    *out = d;
    return M31R_OK;
}

bool m31r_diff_overlap(const m31r_diff *d, int64_t *out_first, int64_t *out_last)
{
    if (d->is_overlap) {
        *out_first = d->first_step;
        *out_last = d->last_step;
    }
    return d->is_overlap;
}

void m31r_diff_close(m31r_diff *d)
{
    if (d == NULL) {
        return;
    }
    for (size_t i = 0; i < d->n_partings; i++) {
        m31ri_free(d->partings[i]);
    }
    for (size_t i = 0; i < d->n_parts; i++) {
        m31ri_free((m31r_diff_line *)d->parts[i].first.context);
    }
    m31ri_free(d->partings);
    m31ri_free(d->parts);
    m31ri_free(d->elapsed_ns);
    m31ri_free(d->facts);
    m31ri_kept_release(&d->kept);
    m31ri_free(d);
}

const m31r_diff_part *m31r_diff_first(const m31r_diff *d)
{
    const m31r_diff_part *first = NULL;
    int64_t earliest = INT64_MAX;
    for (size_t i = 0; i < d->n_parts; i++) {
        const m31r_diff_part *p = m31r_diff_part_at(d, i);
        int64_t elapsed = d->elapsed_ns[p - d->parts];
        bool is_earlier = first != NULL && !p->is_points && elapsed < earliest;
        if (p->differs && p->set_aside[0] == '\0' && (first == NULL || is_earlier)) {
            first = p;
            earliest = elapsed;
        }
    }
    return first;
}

m31r_diff_verdict m31r_diff_result(const m31r_diff *d, const char **out_why)
{
    bool differs = m31r_diff_first(d) != NULL;
    if (out_why != NULL) {
        *out_why = differs ? "" : d->why;
    }
    if (differs) {
        return M31R_DIFF_DIFFERS;
    }
    return d->why[0] != '\0' ? M31R_DIFF_UNPROVED : M31R_DIFF_EQUAL;
}

const m31r_diff_fact *m31r_diff_identity(const m31r_diff *d, size_t i)
{
    return i < d->n_facts ? &d->facts[i] : NULL;
}

const m31r_diff_part *m31r_diff_part_at(const m31r_diff *d, size_t i)
{
    size_t n_points = 0;
    while (n_points < d->n_parts && d->parts[n_points].is_points) {
        n_points++;
    }
    if (i >= d->n_parts) {
        return NULL;
    }
    size_t n_lanes = d->n_parts - n_points;
    return i < n_lanes ? &d->parts[n_points + i] : &d->parts[i - n_lanes];
}

m31r_err m31r_diff_divergence(const m31r_diff *d, size_t i, m31r_divergence *out)
{
    for (size_t k = 0; k < d->n_partings; k++) {
        if (d->partings[k]->said.n_differ > 0 && i-- == 0) {
            *out = d->partings[k]->said;
            return M31R_OK;
        }
    }
    return M31R_E_NOTFOUND;
}

const char *m31r_diff_verdict_name(m31r_diff_verdict verdict)
{
    static const char *const names[] = {"equal", "unproved", "differs"};
    return verdict >= 0 && verdict <= M31R_DIFF_DIFFERS ? names[verdict] : "?";
}
