/* trend.h - a metric over the history of runs: where it changed, and whether it got worse.
 *
 * Like is compared with like: runs of one stage, on one kind of machine, with one config; or, by
 * choice, runs that agree in other fields. What is set aside is counted by the reason. A group of
 * runs is a series of one value each, oldest first, in which changes of level are looked for
 * (m31r/changes.h).
 *
 * A gate judges the newest level of each group against a baseline: the level of a run that is named
 * (by a part of its id, a tag, the name of a release), else the best level since the last change
 * that was accepted. It fails when the newest level is worse by more than the gate and p is below
 * M31R_GATE_P; it passes when that is excluded; else it says how many runs more would tell.
 *
 *     m31r_trend_options options = M31R_TREND_OPTIONS_INIT;
 *     options.metric = "tokens_per_sec";
 *     options.gate = 0.1;
 *     m31r_trend_open(&trend, &options, &e);
 *     if (m31r_trend_summary(trend)->verdict == M31R_GATE_FAILED) { ... }
 *     m31r_trend_close(trend);
 *
 * One thread at a time for each trend; different ones are independent.
 */
#ifndef M31R_TREND_H
#define M31R_TREND_H

#include "m31r/changes.h"
#include "m31r/expr.h"
#include "m31r/metric.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_TREND_BY_LIMIT 8       /* fields to group by */
#define M31R_GATE_P 0.001           /* a change is established below it */
#define M31R_GATE_PERFORMANCE 0.10  /* default gate of what is measured */
#define M31R_GATE_QUALITY 0.05      /* default gate of anything else */
#define M31R_TREND_REASON_BYTES 600 /* of a sentence */

typedef struct m31r_trend m31r_trend;

typedef enum m31r_gate_verdict {
    M31R_GATE_NONE = 0, /* not asked for */
    M31R_GATE_PASSED = 1,
    M31R_GATE_UNDECIDED = 2,
    M31R_GATE_FAILED = 3
} m31r_gate_verdict;

/* Start from M31R_TREND_OPTIONS_INIT. Strings must live until m31r_trend_open() returns. */
typedef struct m31r_trend_options {
    size_t size;           /* sizeof(m31r_trend_options) */
    const char *metric;    /* "loss", or with its statistic: "loss.min" (last min max mean) */
    const char *root;      /* directory of runs; NULL: experiments */
    const char *history;   /* a file of m31r_history_write() instead of runs; "-": stdin */
    m31r_expr *expr;       /* compiled for runs: only those; NULL: all */
    const char *const *by; /* fields that runs of a group agree in, besides the stage; NULL: machine
                              and config_sha256, and only the group of the newest run */
    size_t n_by;
    const char *commits;  /* a file of commits, oldest first: the order of runs; NULL: by time */
    m31r_better better;   /* M31R_BETTER_UNKNOWN: as the metric was defined */
    bool has_gate;        /* judge */
    double gate;          /* share; 0: the default of the metric */
    const char *baseline; /* a run, tag or release; NULL: the best since the last accepted */
} m31r_trend_options;

#define M31R_TREND_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(m31r_trend_options)                                                         \
    }

/* One run of a group. Strings are "" when not known. */
typedef struct m31r_trend_run {
    const char *run_id, *ts, *commit;
    double value; /* NaN when the metric was never finite */
} m31r_trend_run;

/* Runs that are compared with one another, oldest first. */
typedef struct m31r_trend_group {
    const char *name; /* "stage=train, config.model.layers=4" */
    size_t n_runs;
    const m31r_changes *changes;
    m31r_gate_verdict verdict;
    double worse, worse_low, worse_high; /* share that the newest is worse by; negative: better */
    double p;                            /* that there is no difference */
    double baseline_level, level;        /* NaN when not known */
    size_t baseline_at, first_bad;       /* runs; SIZE_MAX: none */
    size_t more_runs;                    /* undecided: about how many are needed */
    const char *reason;                  /* a sentence */
} m31r_trend_group;

/* Runs that were not compared. */
typedef struct m31r_trend_aside {
    const char *reason; /* "not finished" */
    size_t n_runs;
} m31r_trend_aside;

typedef struct m31r_trend_facts {
    const char *metric, *statistic;
    m31r_better better;
    double gate;               /* share; 0 when there is none */
    m31r_gate_verdict verdict; /* the worst of the groups */
    size_t n_groups, n_aside, n_runs;
} m31r_trend_facts;

/* Reads the history of a metric and looks for changes in it.
 *
 * Returns: M31R_OK and the trend in `*out`; a failed gate is no error here.
 * Errors:  M31R_E_ARG (options; no run has the metric; the baseline is no run of a group),
 *          M31R_E_CONFIG (a gate, and nothing says which direction is better), M31R_E_NOTFOUND,
 *          M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it.
 * Thread:  any.
 */
M31R_API m31r_err m31r_trend_open(m31r_trend **out, const m31r_trend_options *options,
                                  m31r_error *e);

/* What was found in all.
 *
 * Returns: the facts, never NULL.
 * Owns:    the trend.
 * Thread:  any.
 */
M31R_API const m31r_trend_facts *m31r_trend_summary(const m31r_trend *t);

/* The i-th group, that of the newest run first.
 *
 * Returns: M31R_OK and the group in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the trend.
 * Thread:  any.
 */
M31R_API m31r_err m31r_trend_group_at(const m31r_trend *t, size_t i, m31r_trend_group *out);

/* The i-th run of a group, the oldest first; indices of its changes count these.
 *
 * Returns: M31R_OK and the run in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the trend.
 * Thread:  any.
 */
M31R_API m31r_err m31r_trend_run_at(const m31r_trend *t, size_t group, size_t i,
                                    m31r_trend_run *out);

/* The i-th reason for which runs were set aside.
 *
 * Returns: M31R_OK and the reason in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the trend.
 * Thread:  any.
 */
M31R_API m31r_err m31r_trend_aside_at(const m31r_trend *t, size_t i, m31r_trend_aside *out);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `t`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_trend_close(m31r_trend *t);

/* An intended change. */
typedef struct m31r_trend_acceptance {
    const char *root;   /* directory of runs; NULL: experiments */
    const char *metric; /* as in m31r_trend_options; its statistic does not matter */
    const char *run;    /* as m31r_reader_open(): the first run of the intended level */
    const char *reason; /* 1 to 1,000 bytes */
} m31r_trend_acceptance;

/* Takes the level that a metric has from a run on as intended: gates compare with it, not with what
 * was before. It is a line of accepted.jsonl beside the directory of runs (the file may be kept
 * under version control).
 *
 * Returns: M31R_OK, and the run's id in `out_run_id`.
 * Errors:  M31R_E_NOTFOUND, M31R_E_ARG (no such run, no reason), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any; processes may call it at once.
 */
M31R_API m31r_err m31r_trend_accept(const m31r_trend_acceptance *acceptance, char out_run_id[160],
                                    m31r_error *e);

/* "passed", "undecided", "failed", or "none".
 *
 * Returns: the word.
 * Owns:    nothing; a constant string.
 * Thread:  any.
 */
M31R_API const char *m31r_gate_verdict_name(m31r_gate_verdict verdict);

#ifdef __cplusplus
}
#endif
#endif
