/* cmd_trend.c - m31r trend METRIC: where a measurement changed, by how much and how surely; and a
 * gate for CI. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "m31r/changes.h"
#include "m31r/trend.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"where", 'w', "EXPR", "only runs for which it holds: stage==\"train\" and config.lr<1"},
    {"by", 0, "A,B", "compare runs that agree in these: host config.model.layers dataset ..."},
    {"commits", 0, "FILE", "order runs by this list of commits, oldest first; - is standard input"},
    {"points", 0, NULL, "show each run, too"},
    {"gate", 0, "[PCT]",
     "exit 4 when the newest level is worse by more than this (default: 10 %; "
     "5 % for what is no measurement)"},
    {"goal", 0, "DIR", "min or max: which is better, when the metric was not defined"},
    {"baseline", 0, "RUN", "compare with the level of this run, tag or release"},
    {"strict", 0, NULL, "exit 4 also when it is undecided"},
    {"junit", 0, "FILE", "write the verdicts as JUnit XML"},
    {"markdown", 0, "FILE", "write the verdicts as Markdown; - is standard output"},
    {"accept", 0, "RUN", "take the level from this run on as intended"},
    {"reason", 0, "TEXT", "why it is accepted"},
    {"history", 0, "FILE", "lines of `m31r export --history` instead of runs"},
    {"series", 0, "FILE", "values from a file, one a line, oldest first; - is standard input"},
    {"preset", 0, "NAME", "of a series: generic (any) or perf (a measurement around a level)"},
    {"indices", 0, NULL, "of a series: only the index of the first value of each new level"},
    {NULL, 0, NULL, NULL},
};

static bool read_preset(cli *c, m31r_preset *out)
{
    const char *name = cli_value(c, "preset");
    if (name == NULL) {
        return true;
    }
    *out = strcmp(name, "perf") == 0 ? M31R_PRESET_PERF : M31R_PRESET_GENERIC;
    if (*out == M31R_PRESET_GENERIC && strcmp(name, "generic") != 0) {
        (void)cli_misuse(c, "--preset is generic or perf, not \"%s\"", name);
        return false;
    }
    return true;
}

static void print_indices(const cli *c, const m31r_changes *changes)
{
    m31r_change change;
    for (size_t i = 0; m31r_changes_get(changes, i, &change) == M31R_OK; i++) {
        fprintf(c->out.out, "%zu\n", change.at);
    }
}

static int run_series(cli *c)
{
    m31r_preset preset = M31R_PRESET_GENERIC;
    m31r_changes *changes = NULL;
    double *values = NULL;
    size_t n = 0;
    m31r_error e;
    if (c->n_args > 0) {
        return cli_misuse(c, "--series has values, not the metric %s", c->args[0]);
    }
    if (!read_preset(c, &preset)) {
        return 1;
    }
    m31r_err err = m31r_values_read(&values, &n, cli_value(c, "series"), &e);
    if (err == M31R_OK) {
        err = m31r_changes_find(&changes, values, n, preset, &e);
    }
    if (err == M31R_OK && cli_has(c, "indices")) {
        print_indices(c, changes);
    } else if (err == M31R_OK) {
        err = m31r_show_changes(&c->out, changes, values, n, &e);
    }
    m31r_changes_free(changes);
    m31r_values_free(values);
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

static int run_accept(cli *c)
{
    char run_id[160];
    m31r_error e;
    if (!cli_has(c, "reason")) {
        return cli_misuse(c, "--accept asks for --reason TEXT");
    }
    const m31r_trend_acceptance acceptance = {.root = cli_value(c, "root"),
                                              .metric = c->args[0],
                                              .run = cli_value(c, "accept"),
                                              .reason = cli_value(c, "reason")};
    if (m31r_trend_accept(&acceptance, run_id, &e) != M31R_OK) {
        return cli_fail(c, &e);
    }
    cli_note(c, "the level of %s from %s on is accepted: accepted.jsonl beside the runs",
             c->args[0], run_id);
    return 0;
}

/* The gate of the options, as a share. False: misuse, and printed. */
static bool read_gate(cli *c, m31r_trend_options *o)
{
    const char *text = cli_value(c, "gate");
    const char *goal = cli_value(c, "goal");
    o->has_gate = text != NULL || cli_has(c, "junit") || cli_has(c, "markdown") ||
                  cli_has(c, "strict") || cli_has(c, "baseline");
    if (text != NULL && text[0] != '\0') {
        char *end;
        double percent = strtod(text, &end);
        if (end == text || (*end != '\0' && strcmp(end, "%") != 0) || !(percent > 0) ||
            !(percent <= 1000)) {
            (void)cli_misuse(c, "--gate is a percentage above 0, not \"%s\"", text);
            return false;
        }
        o->gate = percent / 100;
    }
    if (goal != NULL && strcmp(goal, "min") != 0 && strcmp(goal, "max") != 0) {
        (void)cli_misuse(c, "--goal is min or max, not \"%s\"", goal);
        return false;
    }
    if (goal != NULL) {
        o->better = strcmp(goal, "min") == 0 ? M31R_BETTER_LOWER : M31R_BETTER_HIGHER;
    }
    return true;
}

typedef m31r_err (*report_writer)(FILE *out, const m31r_trend *t, m31r_error *e);

/* Writes a report where the option says; nothing when it was not given. */
static m31r_err write_report(cli *c, const char *option, report_writer write, const m31r_trend *t,
                             m31r_error *e)
{
    const char *path = cli_value(c, option);
    if (path == NULL) {
        return M31R_OK;
    }
    if (strcmp(path, "-") == 0) {
        return write(c->out.out, t, e);
    }
    FILE *out = fopen(path, "we");
    if (out == NULL) {
        *e = (m31r_error){.code = M31R_E_IO, .sys_errno = errno};
        snprintf(e->message, sizeof e->message, "%.200s cannot be written: %s", path,
                 strerror(errno));
        return M31R_E_IO;
    }
    m31r_err err = write(out, t, e);
    if (fclose(out) != 0 && err == M31R_OK) {
        *e = (m31r_error){.code = M31R_E_IO, .sys_errno = errno};
        snprintf(e->message, sizeof e->message, "%.200s was not written whole", path);
        err = M31R_E_IO;
    }
    return err;
}

static int report(cli *c, const m31r_trend *t)
{
    m31r_error e;
    const m31r_trend_facts *f = m31r_trend_summary(t);
    const char *markdown = cli_value(c, "markdown");
    bool is_alone = markdown != NULL && strcmp(markdown, "-") == 0; /* it takes standard output */
    m31r_err err = is_alone ? M31R_OK : m31r_show_trend(&c->out, t, cli_has(c, "points"), &e);
    if (err == M31R_OK) {
        err = write_report(c, "junit", m31r_show_trend_junit, t, &e);
    }
    if (err == M31R_OK) {
        err = write_report(c, "markdown", m31r_show_trend_markdown, t, &e);
    }
    if (err != M31R_OK) {
        return cli_fail(c, &e);
    }
    bool is_strict = cli_has(c, "strict") && f->verdict == M31R_GATE_UNDECIDED;
    return f->verdict == M31R_GATE_FAILED || is_strict ? 4 : 0;
}

static int run_history(cli *c)
{
    m31r_trend_options o = M31R_TREND_OPTIONS_INIT;
    m31r_trend *t = NULL;
    cli_names by = {0};
    m31r_error e;
    int status = 1;
    if (!read_gate(c, &o) || !cli_names_of(c, "by", M31R_TREND_BY_LIMIT, &by) ||
        !cli_expr(c, M31R_EXPR_RUN, &o.expr)) {
        free(by.text);
        return 1;
    }
    o.metric = c->args[0];
    o.root = cli_value(c, "root");
    o.history = cli_value(c, "history");
    o.by = by.names;
    o.n_by = by.n;
    o.commits = cli_value(c, "commits");
    o.baseline = cli_value(c, "baseline");
    m31r_err err = m31r_trend_open(&t, &o, &e);
    status = err == M31R_OK ? report(c, t) : cli_fail(c, &e);
    cli_note_expr(c, o.expr, "run");
    m31r_expr_free(o.expr);
    m31r_trend_close(t);
    free(by.text);
    return status;
}

static int run(cli *c)
{
    if (cli_has(c, "series")) {
        return run_series(c);
    }
    if (c->n_args == 0) {
        return cli_misuse(c, "which metric? Those of the latest run: m31r metrics @");
    }
    if (cli_is_filter(c->args[0])) {
        return cli_misuse(c, "\"%s\" is no metric; an expression stands behind -w", c->args[0]);
    }
    return cli_has(c, "accept") ? run_accept(c) : run_history(c);
}

const command command_trend = {
    .name = "trend",
    .summary = "where a measurement changed its level, by how much and how surely; a gate for CI",
    .usage = "METRIC [-w EXPR] [--by A,B] [--gate [PCT]] [--history FILE]\n"
             "       trend METRIC --accept RUN --reason TEXT\n"
             "       trend --series FILE|- [--preset generic|perf] [--indices]",
    .options = options,
    .run = run,
    .details =
        "One value a run: the mean of what is measured (times, rates, memory), the last value of "
        "anything else;\nMETRIC.last, .min, .max and .mean choose. Finished runs are compared that "
        "have the newest run's stage, machine\nand config; --by chooses other fields. What is set "
        "aside is counted by the reason.\nA level has at least five runs, at the end "
        "four: single outliers and bursts that are over\nare none. The newest one to four runs are "
        "called suspect when all of them are far off: repeat the run.\nWith less than 10 runs "
        "there is no verdict.\n"
        "--gate: exit 4 when the newest level is worse than the baseline by more than the gate and "
        "that is established\n(p < 0.001), 0 when it is excluded; else \"undecided: needs about N "
        "more runs\" and 0, or 4 with --strict. The baseline\nis the best level since the last one "
        "that was accepted. A metric of unknown direction without --goal: exit 2.\nAn expected "
        "change is accepted for good by --accept: a line in accepted.jsonl beside the runs.\n"
        "--series reads values, one a line; an empty line, nan, na or null is a missing one. JSON: "
        "kinds trend_change, trend\nand trend_summary. Explained in docs/trends.md.",
    .examples = "m31r trend tokens_per_sec\n"
                "m31r trend val_loss --by dataset,config.model.layers\n"
                "m31r trend tokens_per_sec --gate --junit gate.xml\n"
                "git rev-list --reverse HEAD | m31r trend step_ms --gate 5 --goal min --commits -\n"
                "m31r trend --series step_ms.txt --preset perf --indices",
    .max_args = 1,
};
