/* gate.c - is the newest level of a series worse than its baseline, and is that sure?
 *
 * Three answers. Failed: worse by more than the gate, and p below M31R_GATE_P. Passed: the interval
 * of the difference ends below the gate. Undecided: anything else, with about how many runs more
 * would make it one of the others. What the newest one to four runs say is never a failure: it
 * takes five runs to make a level.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "trend/trend_int.h"

#define MORE_LIMIT 1000
#define SIGMAS_OF_95 2.0 /* of a 95 % interval and of M31R_GATE_P, roughly: for "about N more" */
#define SIGMAS_OF_P 3.6

#define BASELINE_BYTES 160 /* of its name */

typedef struct judgement {
    const m31r_trend_facts *facts;
    m31ri_trend_group *group;
    m31r_trend_group *out;
    m31r_change change; /* the baseline's level, then the newest */
    size_t base;        /* its level */
    bool is_named;      /* the baseline: a run, tag or release that was asked for */
} judgement;

static size_t limit_more(double n)
{
    return n < 1 ? 1 : n > MORE_LIMIT ? MORE_LIMIT : (size_t)ceil(n);
}

/* Share that `level` is worse than `baseline`; negative when it is better. */
static double worse_by(m31r_better better, double ratio)
{
    return better == M31R_BETTER_HIGHER ? 1 - ratio : ratio - 1;
}

static double level_of(const m31r_changes *c, size_t level)
{
    m31r_change x;
    if (m31r_changes_summary(c)->n_changes == 0) {
        return m31r_changes_summary(c)->level;
    }
    (void)m31r_changes_get(c, level == 0 ? 0 : level - 1, &x);
    return level == 0 ? x.before : x.after;
}

/* The level that the i-th run belongs to. */
static size_t level_at(const m31r_changes *c, size_t i)
{
    m31r_change x;
    size_t level = 0;
    while (m31r_changes_get(c, level, &x) == M31R_OK && x.at <= i) {
        level++;
    }
    return level;
}

static size_t start_of(const m31r_changes *c, size_t level)
{
    m31r_change x;
    return level > 0 && m31r_changes_get(c, level - 1, &x) == M31R_OK ? x.at : 0;
}

/* The best level since the accepted one; of a trend, the accepted one. */
static size_t find_baseline(const judgement *j)
{
    const m31r_changes *c = j->group->changes;
    const m31r_changes_facts *f = m31r_changes_summary(c);
    size_t best = j->group->accepted_at == SIZE_MAX ? 0 : level_at(c, j->group->accepted_at);
    for (size_t i = best + 1; i <= f->n_changes && !f->is_trend; i++) {
        double ratio = level_of(c, i) / level_of(c, best);
        best = worse_by(j->facts->better, ratio) < 0 ? i : best;
    }
    return best;
}

/* First run of the newest stretch of levels that are all worse than the baseline by the gate. */
static size_t find_first_bad(const judgement *j)
{
    const m31r_changes *c = j->group->changes;
    size_t level = m31r_changes_summary(c)->n_changes, first = level;
    while (level > j->base &&
           worse_by(j->facts->better, level_of(c, level) / j->out->baseline_level) >
               j->facts->gate) {
        first = level--;
    }
    return start_of(c, first);
}

/* What the newest level is held against, in words. */
static void name_baseline(const judgement *j, char out[BASELINE_BYTES])
{
    size_t at = j->group->accepted_at;
    bool is_accepted = !j->is_named && at != SIZE_MAX && j->base == level_at(j->group->changes, at);
    if (is_accepted) {
        snprintf(out, BASELINE_BYTES, "the level accepted from run %.100s on",
                 m31ri_row_text(j->group->rows[at], "run_id"));
    } else {
        snprintf(out, BASELINE_BYTES, "the baseline");
    }
}

static void say(judgement *j, m31r_gate_verdict verdict, size_t more, const char *why)
{
    j->out->verdict = verdict;
    j->out->more_runs = more;
    if (verdict == M31R_GATE_UNDECIDED) {
        snprintf(j->group->reason, sizeof j->group->reason,
                 "undecided: needs %s %zu more run%s (%s)",
                 more < MORE_LIMIT ? "about" : "more than", more, more == 1 ? "" : "s", why);
    } else {
        snprintf(j->group->reason, sizeof j->group->reason, "%s", why);
    }
}

static void fail(judgement *j)
{
    const m31r_trend_group *out = j->out;
    const json_t *row = NULL;
    char since[160] = "";
    if (out->first_bad != SIZE_MAX) {
        row = j->group->rows[out->first_bad];
        snprintf(since, sizeof since, " since run %s of commit %.12s",
                 m31ri_row_text(row, "run_id"), m31ri_row_text(row, "commit"));
    }
    char why[M31R_TREND_REASON_BYTES], baseline[BASELINE_BYTES];
    name_baseline(j, baseline);
    snprintf(why, sizeof why,
             "%.120s is %.1f %% worse than %s (%.1f to %.1f %%, p %.1e), %.4g -> %.4g%s; "
             "the gate is %.3g %%",
             j->facts->metric, out->worse * 100, baseline, out->worse_low * 100,
             out->worse_high * 100, out->p, out->baseline_level, out->level, since,
             j->facts->gate * 100);
    say(j, M31R_GATE_FAILED, 0, why);
}

/* How many values more of the newest level bring its interval to one side of the gate, or p below
 * M31R_GATE_P: the width goes with sqrt(1 / n_after + 1 / n_before). */
static size_t more_needed(const judgement *j)
{
    const m31r_change *x = &j->change;
    double width = log(x->ratio_high / x->ratio);
    double distance = fabs(log1p(j->facts->gate) - log1p(j->out->worse));
    double n_before = (double)x->n_before, n_after = (double)x->n_after;
    if (j->out->worse > j->facts->gate) {
        width *= SIGMAS_OF_P / SIGMAS_OF_95;
        distance = log1p(j->out->worse);
    }
    double square = width * width / (1 / n_after + 1 / n_before);
    double left = distance * distance / square - 1 / n_before;
    return left > 1.0 / MORE_LIMIT ? limit_more(1 / left - n_after) : MORE_LIMIT;
}

/* True when the newest runs, too few to be a level, are worse than the gate allows. */
static bool has_bad_suspects(const judgement *j)
{
    const m31r_changes_facts *f = m31r_changes_summary(j->group->changes);
    double ratio = f->suspect_level / j->out->baseline_level;
    bool is_accepted =
        j->group->accepted_at != SIZE_MAX && j->group->accepted_at + f->n_suspects >= j->group->n;
    return f->n_suspects > 0 && !is_accepted &&
           !(worse_by(j->facts->better, ratio) <= j->facts->gate);
}

static void decide(judgement *j)
{
    m31r_trend_group *out = j->out;
    size_t newest = m31r_changes_summary(j->group->changes)->n_changes;
    bool is_trend = m31r_changes_summary(j->group->changes)->is_trend;
    bool is_established = out->p < M31R_GATE_P && (newest != j->base || is_trend);
    char why[2 * BASELINE_BYTES], baseline[BASELINE_BYTES];
    name_baseline(j, baseline);
    if (isnan(out->worse)) {
        say(j, M31R_GATE_UNDECIDED, 1, "a level of 0 or below has no ratio");
    } else if (out->worse > j->facts->gate && is_established) {
        out->first_bad = is_trend ? SIZE_MAX : find_first_bad(j);
        fail(j);
    } else if (has_bad_suspects(j)) {
        size_t n = m31r_changes_summary(j->group->changes)->n_suspects;
        snprintf(why, sizeof why, "the newest %zu look worse, at %.4g: repeat the run", n,
                 m31r_changes_summary(j->group->changes)->suspect_level);
        say(j, M31R_GATE_UNDECIDED, M31R_CHANGES_RECENT - n, why);
    } else if (out->worse_high < j->facts->gate) {
        snprintf(why, sizeof why, "at most %.1f %% worse than %s; the gate is %.3g %%",
                 fmax(out->worse_high, 0) * 100, baseline, j->facts->gate * 100);
        say(j, M31R_GATE_PASSED, 0, why);
    } else {
        snprintf(why, sizeof why, "between %.1f and %.1f %% worse; the gate is %.3g %%",
                 out->worse_low * 100, out->worse_high * 100, j->facts->gate * 100);
        say(j, M31R_GATE_UNDECIDED, more_needed(j), why);
    }
}

static void judge_verdict(judgement *j, size_t baseline_at)
{
    const m31r_changes *c = j->group->changes;
    m31r_trend_group *out = j->out;
    j->is_named = baseline_at != SIZE_MAX;
    j->base = baseline_at != SIZE_MAX ? level_at(c, baseline_at) : find_baseline(j);
    out->baseline_at = baseline_at != SIZE_MAX ? baseline_at : start_of(c, j->base);
    out->baseline_level = level_of(c, j->base);
    out->level = m31r_changes_summary(c)->level;
    if (m31r_changes_compare(c, j->base, &j->change) != M31R_OK) {
        if (has_bad_suspects(j)) {
            say(j, M31R_GATE_UNDECIDED, M31R_CHANGES_RECENT, "the newest look worse");
        } else {
            say(j, M31R_GATE_PASSED, 0, "the newest level is the best");
        }
        return;
    }
    bool is_lower = j->facts->better == M31R_BETTER_LOWER;
    out->worse = worse_by(j->facts->better, j->change.ratio);
    out->worse_low =
        worse_by(j->facts->better, is_lower ? j->change.ratio_low : j->change.ratio_high);
    out->worse_high =
        worse_by(j->facts->better, is_lower ? j->change.ratio_high : j->change.ratio_low);
    out->p = j->change.p;
    decide(j);
}

void m31ri_gate_judge(const m31r_trend_facts *facts, m31ri_trend_group *g, size_t baseline_at)
{
    judgement j = {.facts = facts, .group = g, .out = &g->out};
    const m31r_changes_facts *f = m31r_changes_summary(g->changes);
    g->out.worse = g->out.worse_low = g->out.worse_high = g->out.p = NAN;
    g->out.baseline_level = g->out.level = NAN;
    g->out.baseline_at = g->out.first_bad = SIZE_MAX;
    if (f->has_verdict) {
        judge_verdict(&j, baseline_at);
        return;
    }
    char why[120];
    size_t n_finite = f->n - f->n_nan - f->n_infinite;
    snprintf(why, sizeof why, "%zu runs of %d that a verdict takes", n_finite, M31R_CHANGES_LEAST);
    say(&j, M31R_GATE_UNDECIDED, M31R_CHANGES_LEAST - n_finite, why);
}

const char *m31r_gate_verdict_name(m31r_gate_verdict verdict)
{
    static const char *const names[] = {"none", "passed", "undecided", "failed"};
    return names[verdict <= M31R_GATE_FAILED ? verdict : 0];
}
