/* stage_score.c - what evaluation and serving calls count, and the scores and quantiles that
 * follow.
 *
 * Tasks are kept until the summary, because pass@k needs each task's own counts. They are summed in
 * an order of their own, so that threads which finish in another order give the same last bit.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "emit/stage_state.h"
#include "format/point.h"

#define MIB (1024.0 * 1024.0)
#define MAX_TASKS (1u << 20)

static void add_value(m31r_quantiles *q, double value)
{
    if (q != NULL && !m31ri_is_unset_number(value)) {
        (void)m31r_quantiles_add(q, value);
    }
}

/* A quantile of nothing stays unset. */
static void fill_quantile(const m31r_quantiles *q, double share, double *field)
{
    if (q != NULL && m31r_quantiles_count(q) > 0) {
        m31ri_fill_number(field, m31r_quantiles_get(q, share));
    }
}

/* ---- eval --------------------------------------------------------------------------------------
 */

static m31ri_task *new_task(m31ri_eval_counts *e)
{
    if (e->n_tasks == e->capacity) {
        size_t capacity = e->capacity == 0 ? 64 : e->capacity * 2;
        m31ri_task *tasks = NULL;
        if (capacity <= MAX_TASKS) {
            tasks = m31ri_realloc(e->tasks, capacity * sizeof *tasks);
        }
        if (tasks == NULL) {
            return NULL;
        }
        e->tasks = tasks;
        e->capacity = capacity;
    }
    return &e->tasks[e->n_tasks++];
}

bool m31ri_fill_eval_task(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_eval_task_fields *f = fields;
    m31ri_eval_counts *e = &s->eval;
    (void)run;
    bool is_whole = f->samples >= 1 && f->compiled >= 0 && f->passed >= 0 &&
                    !m31ri_is_unset_string(f->category);
    size_t category = is_whole ? m31ri_words_count(&e->categories, f->category, 1) : SIZE_MAX;
    m31ri_task *task = category != SIZE_MAX ? new_task(e) : NULL;
    if (task != NULL) {
        *task = (m31ri_task){category, (uint64_t)f->samples, (uint64_t)f->compiled,
                             (uint64_t)f->passed};
    }
    add_value(s->latency, f->latency_ms);
    m31ri_fill_integer(&f->number, e->n_tasks);
    m31ri_fill_memory(s, &f->memory_mb);
    return true;
}

typedef struct score {
    uint64_t n_tasks, n_samples, n_compiled, least_samples;
    double pass_at_1, pass_at_k; /* sums until finish() */
    bool has_pass_at_k;          /* no task has fewer samples than k */
} score;

static void add_task(score *to, const m31ri_task *t, uint64_t k)
{
    double at_k = m31r_pass_at_k(t->n_samples, t->n_passed, k);
    to->least_samples =
        to->n_tasks == 0 || t->n_samples < to->least_samples ? t->n_samples : to->least_samples;
    to->has_pass_at_k = (to->n_tasks == 0 || to->has_pass_at_k) && !isnan(at_k);
    to->n_tasks++;
    to->n_samples += t->n_samples;
    to->n_compiled += t->n_compiled;
    to->pass_at_1 += m31r_pass_at_k(t->n_samples, t->n_passed, 1);
    to->pass_at_k += at_k;
}

static int compare_counts(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_counts(const void *x, const void *y)
{
    const m31ri_task *a = x;
    const m31ri_task *b = y;
    int by_samples = compare_counts(a->n_samples, b->n_samples);
    return by_samples != 0 ? by_samples : compare_counts(a->n_passed, b->n_passed);
}

/* The score of one category, or of all with SIZE_MAX. */
static score score_of(const m31ri_eval_counts *e, size_t category, uint64_t k)
{
    score sum = {0};
    for (size_t i = 0; i < e->n_tasks; i++) {
        if (category == SIZE_MAX || e->tasks[i].category == category) {
            add_task(&sum, &e->tasks[i], k);
        }
    }
    if (sum.n_tasks > 0) {
        sum.pass_at_1 /= (double)sum.n_tasks;
        sum.pass_at_k /= (double)sum.n_tasks;
    }
    return sum;
}

static double compile_rate(const score *s)
{
    return s->n_samples > 0 ? (double)s->n_compiled / (double)s->n_samples : NAN;
}

/* A point of a category: `metric.category`. */
static void add_point(m31r_run *run, const char *metric, const char *category, double value)
{
    char name[256];
    int n = snprintf(name, sizeof name, "%s.%s", metric, category);
    if (n > 0 && (size_t)n < sizeof name && m31ri_point_name_is_valid(name, (size_t)n)) {
        m31r_metric_define(run, name, "1", M31R_BETTER_HIGHER);
        m31r_metric(run, name, value, M31R_NO_STEP);
    }
}

static void write_category(m31r_run *run, const char *category, const score *sum, uint64_t k)
{
    static const char name[] = "category_score";
    const m31ri_stage *stage = m31ri_stage_find("eval");
    const m31ri_stage_message *m = m31ri_stage_message_find(stage, name, sizeof name - 1);
    m31ri_cell cells[] = {
        {.s = category},          {.i = (int64_t)sum->n_tasks}, {.i = (int64_t)sum->n_samples},
        {.d = compile_rate(sum)}, {.d = sum->pass_at_1},        {.i = (int64_t)k},
        {.d = sum->pass_at_k}};
    if (!sum->has_pass_at_k) {
        cells[6].bits = UINT64_MAX;
    }
    m31ri_stage_write(run, m, cells);
    add_point(run, "compile_rate", category, compile_rate(sum));
    add_point(run, "pass_at_1", category, sum->pass_at_1);
    if (sum->has_pass_at_k) {
        add_point(run, "pass_at_k", category, sum->pass_at_k);
    }
}

/* Categories in order of their names. */
static void write_categories(m31r_run *run, const m31ri_eval_counts *e, uint64_t k)
{
    const char *last = "";
    for (size_t done = 0; done < e->categories.n; done++) {
        size_t next = SIZE_MAX;
        for (size_t i = 0; i < e->categories.n; i++) {
            const char *word = e->categories.items[i].word;
            if ((done == 0 || strcmp(word, last) > 0) &&
                (next == SIZE_MAX || strcmp(word, e->categories.items[next].word) < 0)) {
                next = i;
            }
        }
        last = e->categories.items[next].word;
        score sum = score_of(e, next, k);
        write_category(run, last, &sum, k);
    }
}

bool m31ri_fill_eval_summary(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_eval_summary_fields *f = fields;
    m31ri_eval_counts *e = &s->eval;
    if (e->n_tasks > 1) {
        qsort(e->tasks, e->n_tasks, sizeof e->tasks[0], by_counts);
    }
    score all = score_of(e, SIZE_MAX, 1);
    m31ri_fill_integer(&f->tasks, all.n_tasks);
    m31ri_fill_integer(&f->samples, all.n_samples);
    if (all.n_tasks > 0) {
        m31ri_fill_integer(&f->k, all.least_samples);
        uint64_t k = f->k >= 1 ? (uint64_t)f->k : 1;
        all = score_of(e, SIZE_MAX, k);
        write_categories(run, e, k);
        m31ri_fill_number(&f->compile_rate, compile_rate(&all));
        m31ri_fill_number(&f->pass_at_1, all.pass_at_1);
        if (all.has_pass_at_k) {
            m31ri_fill_number(&f->pass_at_k, all.pass_at_k);
        }
    }
    fill_quantile(s->latency, 0.5, &f->latency_p50_ms);
    fill_quantile(s->latency, 0.9, &f->latency_p90_ms);
    fill_quantile(s->latency, 0.99, &f->latency_p99_ms);
    m31ri_fill_memory(s, &f->memory_mb);
    m31ri_fill_duration(run, &f->duration_s);
    return true;
}

/* ---- serve -------------------------------------------------------------------------------------
 */

bool m31ri_fill_serve_request(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_serve_request_fields *f = fields;
    m31ri_serve_counts *c = &s->serve;
    (void)run;
    c->n_requests++;
    c->n_errors += f->status >= 400 || !m31ri_is_unset_string(f->error);
    c->n_tokens += f->tokens_generated > 0 ? (uint64_t)f->tokens_generated : 0;
    add_value(s->latency, f->latency_ms);
    add_value(s->first_token, f->first_token_ms);
    m31ri_fill_integer(&f->request, c->n_requests);
    m31ri_fill_memory(s, &f->memory_mb);
    return true;
}

bool m31ri_fill_serve_summary(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_serve_summary_fields *f = fields;
    m31r_memory memory;
    m31ri_fill_integer(&f->requests, s->serve.n_requests);
    m31ri_fill_integer(&f->errors, s->serve.n_errors);
    m31ri_fill_integer(&f->tokens_generated, s->serve.n_tokens);
    fill_quantile(s->latency, 0.5, &f->latency_p50_ms);
    fill_quantile(s->latency, 0.9, &f->latency_p90_ms);
    fill_quantile(s->latency, 0.99, &f->latency_p99_ms);
    fill_quantile(s->latency, 0.999, &f->latency_p999_ms);
    fill_quantile(s->first_token, 0.5, &f->first_token_p50_ms);
    m31ri_fill_memory(s, &f->memory_mb);
    if (m31r_memory_read(&memory, false) == M31R_OK) {
        m31ri_fill_number(&f->peak_memory_mb, (double)memory.peak_bytes / MIB);
    }
    m31ri_fill_duration(run, &f->duration_s);
    return true;
}
