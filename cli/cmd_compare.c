/* cmd_compare.c - m31r compare RUN RUN...: config, code, data, environment, results side by side.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "m31r/compare.h"
#include "m31r/pair.h"
#include "m31r/reader.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"all", 0, NULL, "also what is the same"},
    {"stat", 0, NULL, "two runs by the points inside them: ratios of medians and p99, how sure"},
    {"gate", 0, "[PCT]", "with --stat: exit 4 when one is worse by more than this (default: 10 %)"},
    {NULL, 0, NULL, NULL},
};

static int run_stat(cli *c, const m31r_reader *const *readers, double gate)
{
    m31r_pair *pair = NULL;
    m31r_pair_metric m;
    m31r_error e;
    bool has_failed = false;
    m31r_err err = m31r_pair_open(&pair, readers[0], readers[1], gate, &e);
    if (err == M31R_OK) {
        err = m31r_show_pair(&c->out, pair, &e);
    }
    for (size_t i = 0; err == M31R_OK && m31r_pair_at(pair, i, &m) == M31R_OK; i++) {
        has_failed |= m.verdict == M31R_GATE_FAILED;
    }
    m31r_pair_close(pair);
    if (err != M31R_OK) {
        return cli_fail(c, &e);
    }
    return has_failed && cli_has(c, "gate") ? 4 : 0;
}

/* The gate as a share. False: misuse, and printed. */
static bool read_gate(cli *c, double *out)
{
    const char *text = cli_value(c, "gate");
    char *end = NULL;
    if (cli_has(c, "gate") && !cli_has(c, "stat")) {
        (void)cli_misuse(c, "--gate goes with --stat");
        return false;
    }
    if (cli_has(c, "stat") && c->n_args != 2) {
        (void)cli_misuse(c, "--stat compares two runs, not %d", c->n_args);
        return false;
    }
    if (text == NULL || text[0] == '\0') {
        return true;
    }
    *out = strtod(text, &end) / 100;
    if ((*end != '\0' && strcmp(end, "%") != 0) || !(*out > 0) || !(*out <= 10)) {
        (void)cli_misuse(c, "--gate is a percentage above 0, not \"%s\"", text);
        return false;
    }
    return true;
}

static m31r_err show(cli *c, const m31r_reader *const *readers, size_t n, m31r_error *e)
{
    m31r_comparison *comparison = NULL;
    m31r_err err = m31r_comparison_open(&comparison, readers, n, e);
    if (err == M31R_OK) {
        err = m31r_show_comparison(&c->out, readers, comparison, cli_has(c, "all"), e);
    }
    m31r_comparison_close(comparison);
    return err;
}

static int run(cli *c)
{
    m31r_reader *opened[M31R_COMPARE_LIMIT] = {NULL};
    const m31r_reader *readers[M31R_COMPARE_LIMIT] = {NULL};
    m31r_error e;
    m31r_err err = M31R_OK;
    double gate = M31R_GATE_PERFORMANCE;
    int n = 0, status = 0;
    if (!read_gate(c, &gate)) {
        return 1;
    }
    for (; n < c->n_args && err == M31R_OK; n++) {
        err = m31r_reader_open(&opened[n], cli_value(c, "root"), c->args[n], &e);
        readers[n] = opened[n];
    }
    if (err == M31R_OK && cli_has(c, "stat")) {
        status = run_stat(c, readers, gate);
    } else if (err == M31R_OK) {
        err = show(c, readers, (size_t)n, &e);
    }
    for (int i = 0; i < n; i++) {
        m31r_reader_close(opened[i]);
    }
    return err == M31R_OK ? status : cli_fail(c, &e);
}

const command command_compare = {
    .name = "compare",
    .summary = "config, code, data, environment and metrics of runs side by side",
    .usage = "RUN RUN... [--all | --stat [--gate [PCT]]]",
    .options = options,
    .run = run,
    .details =
        "Shows what differs; --all shows the rest too. Metrics are told with their change against "
        "the first run.\nThe exit status says nothing about differences: m31r diff does. JSON: "
        "one object of kind comparison a row.\n--stat compares what was measured (times, rates, "
        "memory) by the points: a warm-up is found and cut, and the ratios\nof medians and p99 "
        "get a 95 % interval by a block bootstrap, always the same for the same points. Failed: "
        "worse than the gate\nwith p < 0.001; passed: the interval ends below it. How much equal "
        "runs differ from one another is not in it:\nsee m31r trend. JSON: kind pair.",
    .examples = "m31r compare @-1 @\nm31r compare @-1 @ --stat --gate 5\nm31r compare rust-60m-a "
                "rust-60m-b rust-60m-c --all",
    .min_args = 2,
    .max_args = M31R_COMPARE_LIMIT,
};
