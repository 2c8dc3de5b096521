/* diff_value.c - when are two values the same, and how far do numbers part? */
#include <math.h>
#include <string.h>

#include "diff/diff_int.h"
#include "analyse/measured.h"
#include "base/alloc.h"
#include "format/number.h"

static bool is_whole(const char *text, size_t length)
{
    return memchr(text, '.', length) == NULL && memchr(text, 'e', length) == NULL &&
           memchr(text, 'E', length) == NULL;
}

bool m31ri_diff_same_number(const m31r_diff *d, const m31ri_value_pair *pair, double out[2],
                            bool *out_are_numbers)
{
    bool are_bytes_same =
        pair->a_length == pair->b_length && memcmp(pair->a, pair->b, pair->a_length) == 0;
    *out_are_numbers = m31ri_number_read_double(pair->a, pair->a_length, &out[0]) &&
                       m31ri_number_read_double(pair->b, pair->b_length, &out[1]);
    bool has_tolerance = d->options.rtol > 0 || d->options.atol > 0;
    if (are_bytes_same || !*out_are_numbers || !has_tolerance ||
        (is_whole(pair->a, pair->a_length) && is_whole(pair->b, pair->b_length))) {
        return are_bytes_same;
    }
    if (!isfinite(out[0]) || !isfinite(out[1])) {
        return out[0] == out[1];
    }
    double larger = fmax(fabs(out[0]), fabs(out[1]));
    return fabs(out[0] - out[1]) <= d->options.atol + d->options.rtol * larger;
}

/* Both texts are the same from here on but for the ids; each id is stepped over as one. */
bool m31ri_diff_same_text(const m31r_diff *d, const m31ri_value_pair *pair)
{
    const char *ids[2] = {d->a->facts.run_id, d->b->facts.run_id};
    size_t lengths[2] = {strlen(ids[0]), strlen(ids[1])};
    size_t i = 0;
    size_t k = 0;
    while (i < pair->a_length && k < pair->b_length) {
        if (lengths[0] > 0 && lengths[1] > 0 && pair->a_length - i >= lengths[0] &&
            pair->b_length - k >= lengths[1] && memcmp(pair->a + i, ids[0], lengths[0]) == 0 &&
            memcmp(pair->b + k, ids[1], lengths[1]) == 0) {
            i += lengths[0];
            k += lengths[1];
        } else if (pair->a[i++] != pair->b[k++]) {
            return false;
        }
    }
    return i == pair->a_length && k == pair->b_length;
}

static double relative(double a, double b)
{
    if (a == b || (isnan(a) && isnan(b))) {
        return 0;
    }
    if (!isfinite(a) || !isfinite(b)) {
        return INFINITY;
    }
    return fabs(a - b) / fmax(fabs(a), fabs(b));
}

/* Numbers come in turns, so the one after the last used is tried first. */
static m31ri_parting *find(m31r_diff *d, const char *name, size_t length)
{
    for (size_t i = 0; i < d->n_partings; i++) {
        size_t at = (d->last_parting + 1 + i) % d->n_partings;
        const char *known = d->partings[at]->said.name;
        if (strncmp(known, name, length) == 0 && known[length] == '\0') {
            d->last_parting = at;
            return d->partings[at];
        }
    }
    return NULL;
}

static m31ri_parting *add(m31r_diff *d, const char *name, size_t length, bool is_metric)
{
    m31ri_parting **grown = m31ri_realloc(d->partings, (d->n_partings + 1) * sizeof *grown);
    m31ri_parting *p = m31ri_calloc(1, sizeof *p);
    if (grown != NULL) {
        d->partings = grown;
    }
    if (grown == NULL || p == NULL) {
        m31ri_free(p);
        return NULL;
    }
    p->said = (m31r_divergence){.name = m31ri_kept_text(&d->kept, name, length),
                                .is_measured = m31ri_is_measured(name, length),
                                .first_step = M31R_UNKNOWN,
                                .max_step = M31R_UNKNOWN,
                                .last_step = M31R_UNKNOWN};
    p->is_metric = is_metric;
    d->partings[d->n_partings++] = p;
    return p;
}

bool m31ri_diff_note(m31r_diff *d, const char *const name[2], const double values[2], int64_t step,
                     bool is_metric)
{
    size_t length = (size_t)(name[1] - name[0]);
    m31ri_parting *p = find(d, name[0], length);
    if (p == NULL && (p = add(d, name[0], length, is_metric)) == NULL) {
        return false;
    }
    if (p->is_metric && !is_metric) {
        return true;
    }
    double r = relative(values[0], values[1]);
    p->said.n++;
    p->said.last_step = step;
    p->said.last_relative = r;
    m31ri_trace_add(&p->trace, r);
    if (r > 0 && p->said.n_differ++ == 0) {
        p->said.first_step = step;
    }
    if (r > p->said.max_relative) {
        p->said.max_relative = r;
        p->said.max_step = step;
    }
    return true;
}
