/* run_watch.c - from points to series, and from ranks to rows.
 *
 * A series is found by its name and rank in a table of open addressing. A duration that several
 * ranks give has rows, one a step, in a ring: a row is judged when every rank is in it, or when a
 * step so much later comes that its place is needed.
 */
#include "stat/run_watch.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "stat/rank_rules.h"
#include "stat/series_rules.h"

#define NO_STEP INT64_MIN
#define TABLE_SIZE ((size_t)2 * M31RI_WATCH_SERIES)

typedef struct row {
    int64_t step; /* NO_STEP: free */
    uint32_t n;
} row;

/* A duration of all ranks. */
typedef struct rank_rows {
    struct rank_rows *next;
    char *name;
    m31ri_rank_rules *rules;
    row rows[M31RI_WATCH_STEPS];
    double *figures; /* n_ranks for each row */
    int64_t judged;  /* the newest step that was; NO_STEP */
} rank_rows;

typedef struct series {
    char *name;
    size_t name_length;
    int rank;
    m31ri_metric_role role;
    m31ri_series_watch *watch;
    rank_rows *rows; /* of a duration in a job of several ranks, else NULL */
} series;

struct m31ri_run_watch {
    m31ri_run_watch_options options;
    series *series;
    size_t n, capacity;
    uint16_t *table; /* index + 1; 0 free */
    rank_rows *all_rows;
    m31ri_stall_rule stall;
    int64_t clock_step;
};

m31ri_run_watch *m31ri_run_watch_new(const m31ri_run_watch_options *options)
{
    m31ri_run_watch *w = m31ri_calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->options = *options;
    w->clock_step = NO_STEP;
    m31ri_stall_init(&w->stall);
    w->table = m31ri_calloc(TABLE_SIZE, sizeof *w->table);
    if (w->table == NULL) {
        m31ri_free(w);
        return NULL;
    }
    return w;
}

static void free_rows(rank_rows *rows)
{
    m31ri_rank_rules_free(rows->rules);
    m31ri_free(rows->figures);
    m31ri_free(rows->name);
    m31ri_free(rows);
}

void m31ri_run_watch_free(m31ri_run_watch *w)
{
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < w->n; i++) {
        m31ri_free(w->series[i].name);
        m31ri_series_watch_free(w->series[i].watch);
    }
    while (w->all_rows != NULL) {
        rank_rows *rows = w->all_rows;
        w->all_rows = rows->next;
        free_rows(rows);
    }
    m31ri_free(w->series);
    m31ri_free(w->table);
    m31ri_free(w);
}

static rank_rows *new_rows(const char *name, size_t length, uint32_t n_ranks)
{
    rank_rows *rows = m31ri_calloc(1, sizeof *rows);
    if (rows == NULL) {
        return NULL;
    }
    rows->judged = NO_STEP;
    for (size_t i = 0; i < M31RI_WATCH_STEPS; i++) {
        rows->rows[i].step = NO_STEP;
    }
    rows->name = m31ri_strndup(name, length);
    rows->rules = m31ri_rank_rules_new(n_ranks);
    rows->figures = m31ri_calloc((size_t)M31RI_WATCH_STEPS * n_ranks, sizeof *rows->figures);
    if (rows->name == NULL || rows->rules == NULL || rows->figures == NULL) {
        free_rows(rows);
        return NULL;
    }
    return rows;
}

/* The rows of a duration; NULL without ranks to compare. */
static rank_rows *rows_of(m31ri_run_watch *w, const char *name, size_t length)
{
    for (rank_rows *rows = w->all_rows; rows != NULL; rows = rows->next) {
        if (strlen(rows->name) == length && memcmp(rows->name, name, length) == 0) {
            return rows;
        }
    }
    if (w->options.n_ranks < 2) {
        return NULL;
    }
    rank_rows *rows = new_rows(name, length, (uint32_t)w->options.n_ranks);
    if (rows != NULL) {
        rows->next = w->all_rows;
        w->all_rows = rows;
    }
    return rows;
}

/* FNV-1a. */
static size_t place_of(const char *name, size_t length, int rank)
{
    uint64_t h = 14695981039346656037ULL ^ (uint64_t)rank;
    for (size_t i = 0; i < length; i++) {
        h = (h ^ (unsigned char)name[i]) * 1099511628211ULL;
    }
    return (size_t)(h ^ h >> 32) % TABLE_SIZE;
}

static bool make_room(m31ri_run_watch *w)
{
    if (w->n < w->capacity) {
        return true;
    }
    size_t capacity = w->capacity != 0 ? 2 * w->capacity : 16;
    series *grown =
        w->n < M31RI_WATCH_SERIES ? m31ri_realloc(w->series, capacity * sizeof *grown) : NULL;
    if (grown == NULL) {
        return false;
    }
    w->series = grown;
    w->capacity = capacity;
    return true;
}

static m31ri_metric_role role_of(const m31ri_run_watch *w, const char *name, size_t length)
{
    m31ri_metric_role role = m31ri_metric_role_of_name(name, length);
    if (role == M31RI_METRIC_OTHER && w->options.role != NULL) {
        role = w->options.role(w->options.context, name, length);
    }
    return role;
}

/* The series of a name and rank, made when it is new; NULL: not watched. */
static series *series_of(m31ri_run_watch *w, const m31ri_point *p, int rank)
{
    size_t at = place_of(p->name, p->name_length, rank);
    for (; w->table[at] != 0; at = (at + 1) % TABLE_SIZE) {
        series *s = &w->series[w->table[at] - 1];
        if (s->rank == rank && s->name_length == p->name_length &&
            memcmp(s->name, p->name, p->name_length) == 0) {
            return s;
        }
    }
    if (!make_room(w)) {
        return NULL;
    }
    m31ri_metric_role role = role_of(w, p->name, p->name_length);
    series s = {.name = m31ri_strndup(p->name, p->name_length),
                .name_length = p->name_length,
                .rank = rank,
                .role = role,
                .watch = m31ri_series_watch_new(role)};
    if (s.name == NULL || s.watch == NULL) {
        m31ri_free(s.name);
        m31ri_series_watch_free(s.watch);
        return NULL;
    }
    s.rows = role == M31RI_METRIC_DURATION ? rows_of(w, s.name, s.name_length) : NULL;
    w->series[w->n++] = s;
    w->table[at] = (uint16_t)w->n;
    return &w->series[w->n - 1];
}

static void tell(const m31ri_run_watch *w, m31ri_finding finding)
{
    w->options.found(w->options.context, &finding);
}

/* Judges a row and frees its place. Rows are judged in the order of their steps: one that comes
 * after a later one was judged is left out. */
static void judge_row(m31ri_run_watch *w, rank_rows *rows, size_t at, int64_t wall_ns)
{
    m31ri_anomaly a;
    m31ri_anomaly_event verdict = M31RI_NOTHING;
    int64_t step = rows->rows[at].step;
    rows->rows[at].step = NO_STEP;
    if (step <= rows->judged) {
        return;
    }
    rows->judged = step;
    m31ri_rank_rules_add(rows->rules, rows->figures + at * (size_t)w->options.n_ranks);
    while ((verdict = m31ri_rank_rules_next(rows->rules, &a)) != M31RI_NOTHING) {
        tell(w, (m31ri_finding){verdict, a, M31RI_METRIC_DURATION, rows->name, step, wall_ns});
    }
}

static void add_to_row(m31ri_run_watch *w, rank_rows *rows, int rank, const m31ri_point *p)
{
    if (p->step < 0 || rank >= w->options.n_ranks) {
        return;
    }
    size_t at = (size_t)p->step % M31RI_WATCH_STEPS;
    row *r = &rows->rows[at];
    double *figures = rows->figures + at * (size_t)w->options.n_ranks;
    if (r->step != NO_STEP && r->step < p->step) {
        judge_row(w, rows, at, p->wall_ns); /* not whole, but its time is over */
    }
    if (r->step > p->step) {
        return;
    }
    if (r->step == NO_STEP) {
        *r = (row){.step = p->step};
        for (int i = 0; i < w->options.n_ranks; i++) {
            figures[i] = NAN;
        }
    }
    r->n += isnan(figures[rank]);
    figures[rank] = p->value;
    if (r->n == (uint32_t)w->options.n_ranks) {
        judge_row(w, rows, at, p->wall_ns);
    }
}

/* A step of rank 0 moves the run's clock. */
static void tick_clock(m31ri_run_watch *w, const m31ri_point *p)
{
    if (p->step == NO_STEP || p->step <= w->clock_step) {
        return;
    }
    m31ri_run_watch_check(w, p->wall_ns); /* of points that are read afterwards */
    w->clock_step = p->step;
    if (m31ri_stall_step(&w->stall, (double)p->wall_ns / 1e9) == M31RI_CLEARED) {
        tell(w, (m31ri_finding){M31RI_CLEARED,
                                {.kind = M31RI_ANOMALY_STALLED, .rank = -1},
                                M31RI_METRIC_OTHER,
                                "",
                                p->step,
                                p->wall_ns});
    }
}

void m31ri_run_watch_add(m31ri_run_watch *w, int rank, const m31ri_point *p)
{
    m31ri_series_change changes[M31RI_SERIES_CHANGES];
    if (rank == 0) {
        tick_clock(w, p);
    }
    series *s = series_of(w, p, rank);
    if (s == NULL) {
        return;
    }
    size_t n = m31ri_series_watch_add(s->watch, p->value, changes);
    for (size_t i = 0; i < n; i++) {
        changes[i].anomaly.rank = w->options.n_ranks > 1 ? rank : -1;
        tell(w, (m31ri_finding){changes[i].verdict, changes[i].anomaly, s->role, s->name, p->step,
                                p->wall_ns});
    }
    if (s->rows != NULL) {
        add_to_row(w, s->rows, rank, p);
    }
}

void m31ri_run_watch_check(m31ri_run_watch *w, int64_t wall_ns)
{
    m31ri_anomaly a;
    if (m31ri_stall_check(&w->stall, (double)wall_ns / 1e9, &a) == M31RI_OPENED) {
        tell(w, (m31ri_finding){M31RI_OPENED, a, M31RI_METRIC_OTHER, "", w->clock_step, wall_ns});
    }
}
