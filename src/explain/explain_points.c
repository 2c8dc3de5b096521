/* explain_points.c - what the points tell of an end, in one pass and bounded memory.
 *
 * The memory trend is the least-squares slope of system.rss_mb over its own times.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "explain/explain_int.h"
#include "m31r/series.h"

#define TREND_SAMPLES 8
#define TREND_MINUTES 1.0 /* a program that starts always grows */
#define NAME_BYTES 128

typedef struct found_point {
    char name[NAME_BYTES + 1];
    int64_t step;
    double value;
    char file[64];
    uint64_t line, last_line;
    uint64_t n; /* points of this sort in all */
    bool is_found;
} found_point;

typedef struct points_pass {
    found_point nonfinite, healthy;
    found_point memory; /* first and last line, last value */
    double memory_first, n, sum_t, sum_v, sum_tt, sum_tv;
    int64_t memory_start_ns, memory_end_ns;
} points_pass;

static bool is_named(const m31r_point_view *p, const char *name)
{
    return strlen(name) == p->name_length && memcmp(name, p->name, p->name_length) == 0;
}

static void keep(found_point *f, const m31r_point_view *p)
{
    snprintf(f->name, sizeof f->name, "%.*s", (int)p->name_length, p->name);
    snprintf(f->file, sizeof f->file, "%s", p->file);
    f->step = p->step;
    f->value = p->value;
    f->line = p->line_number;
    f->is_found = true;
}

static void take_memory(points_pass *pass, const m31r_point_view *p)
{
    uint64_t first_line = pass->memory.line;
    if (pass->n == 0) {
        pass->memory_first = p->value;
        pass->memory_start_ns = p->wall_ns;
        first_line = p->line_number;
    }
    keep(&pass->memory, p);
    pass->memory.line = first_line;
    pass->memory.last_line = p->line_number;
    pass->memory_end_ns = p->wall_ns;
    double t = (double)(p->wall_ns - pass->memory_start_ns) / 60e9; /* minutes */
    pass->n++;
    pass->sum_t += t;
    pass->sum_v += p->value;
    pass->sum_tt += t * t;
    pass->sum_tv += t * p->value;
}

static void take_point(points_pass *pass, const m31r_point_view *p)
{
    if (!isfinite(p->value)) {
        if (!pass->nonfinite.is_found) {
            keep(&pass->nonfinite, p);
        }
        pass->nonfinite.n++;
    } else if (is_named(p, "loss") || is_named(p, "train_loss")) {
        keep(&pass->healthy, p);
    } else if (is_named(p, "system.rss_mb")) {
        take_memory(pass, p);
    }
}

static m31ri_place place_of(const found_point *f)
{
    m31ri_place place = {.line = f->line};
    snprintf(place.file, sizeof place.file, "%s", f->file);
    return place;
}

/* " at step 5", or nothing. */
static const char *at_step(m31r_explanation *x, int64_t step)
{
    return step == M31R_NO_STEP ? ""
                                : m31ri_kept_format(&x->kept, " at step %lld", (long long)step);
}

static void say_memory(m31r_explanation *x, const points_pass *pass)
{
    static const m31ri_place none = {"metrics.csv", 0};
    const found_point *m = &pass->memory;
    double spread = pass->n * pass->sum_tt - pass->sum_t * pass->sum_t;
    double minutes = (double)(pass->memory_end_ns - pass->memory_start_ns) / 60e9;
    if (pass->n < TREND_SAMPLES || minutes < TREND_MINUTES || spread <= 0) {
        m31ri_explain_say(x, "unknown", none,
                          "the trend of memory: %.0f samples of system.rss_mb in %.1f min; %d over "
                          "%.0f min are needed",
                          pass->n, minutes, TREND_SAMPLES, TREND_MINUTES);
        return;
    }
    double slope = (pass->n * pass->sum_tv - pass->sum_t * pass->sum_v) / spread;
    m31ri_explain_say(x, "memory", place_of(m),
                      "system.rss_mb %.1f -> %.1f MiB in %.1f min, slope %+.2f MiB/min over %.0f "
                      "samples",
                      pass->memory_first, m->value, minutes, slope, pass->n);
    x->statements[x->n - 1].last_line = m->last_line;
}

static void say(m31r_explanation *x, const points_pass *pass)
{
    static const m31ri_place none = {"metrics.csv", 0};
    const found_point *h = &pass->healthy;
    const found_point *bad = &pass->nonfinite;
    if (h->is_found) {
        m31ri_explain_say(x, "healthy", place_of(h), "last finite %s%s: %.6g", h->name,
                          at_step(x, h->step), h->value);
    } else {
        m31ri_explain_say(x, "unknown", none, "the last healthy step: no finite point of loss");
    }
    if (bad->is_found) {
        m31ri_explain_say(x, "nonfinite", place_of(bad), "first in %s%s; %llu points in all",
                          bad->name, at_step(x, bad->step), (unsigned long long)bad->n);
    }
    say_memory(x, pass);
}

m31r_err m31ri_explain_points(m31r_explanation *x, m31r_error *e)
{
    points_pass pass = {0};
    m31r_points *points = NULL;
    m31r_point_view p;
    m31r_err err = m31r_points_open(&points, x->reader, e);
    while (err == M31R_OK && (err = m31r_points_next(points, &p, e)) == M31R_OK) {
        take_point(&pass, &p);
    }
    m31r_points_close(points);
    if (err != M31R_EOF) {
        return err;
    }
    say(x, &pass);
    return M31R_OK;
}
