/* cmd_diff.c - m31r diff A B: equal, or the first record, lane and field that differ. */
#include <math.h>
#include <stdlib.h>

#include "command.h"
#include "m31r/diff.h"
#include "m31r/reader.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"rtol", 0, "X", "numbers with a point may differ by X times the larger (default: 0)"},
    {"atol", 0, "X", "numbers with a point may differ by X (default: 0)"},
    {"ignore-debug", 0, NULL, "set DEBUG records aside"},
    {NULL, 0, NULL, NULL},
};

/* The option as a number that is 0 or more. False: it is none, and the error is printed. */
static bool read_tolerance(cli *c, const char *name, double *out)
{
    const char *text = cli_value(c, name);
    char *end = NULL;
    if (text == NULL) {
        return true;
    }
    *out = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(*out) || *out < 0) {
        (void)cli_misuse(c, "--%s \"%s\": expected a number that is 0 or more, such as 1e-6", name,
                         text);
        return false;
    }
    return true;
}

static int run(cli *c)
{
    m31r_diff_options diff_options = M31R_DIFF_OPTIONS_INIT;
    m31r_reader *readers[2] = {NULL, NULL};
    m31r_diff *diff = NULL;
    m31r_error e;
    int status = 0;
    if (!read_tolerance(c, "rtol", &diff_options.rtol) ||
        !read_tolerance(c, "atol", &diff_options.atol)) {
        return 1;
    }
    diff_options.ignores_debug = cli_has(c, "ignore-debug");
    m31r_err err = m31r_reader_open(&readers[0], cli_value(c, "root"), c->args[0], &e);
    if (err == M31R_OK) {
        err = m31r_reader_open(&readers[1], cli_value(c, "root"), c->args[1], &e);
    }
    if (err == M31R_OK) {
        err = m31r_diff_open(&diff, readers[0], readers[1], &diff_options, &e);
    }
    const m31r_reader *const runs[2] = {readers[0], readers[1]};
    if (err == M31R_OK) {
        err = m31r_show_diff(&c->out, runs, diff, &e);
    }
    if (err != M31R_OK) {
        status = cli_fail(c, &e);
    } else if (m31r_diff_result(diff, NULL) != M31R_DIFF_EQUAL) {
        status = m31r_err_exit(M31R_E_INVALID);
    }
    m31r_diff_close(diff);
    m31r_reader_close(readers[1]);
    m31r_reader_close(readers[0]);
    return status;
}

const command command_diff = {
    .name = "diff",
    .summary = "prove two runs equal, or show the first record that differs",
    .usage = "A B [--rtol X] [--atol X] [--ignore-debug]",
    .options = options,
    .run = run,
    .details =
        "Lanes are held against each other record by record, points by name, step and segment.\n"
        "Set aside and told apart: ts, measurement fields (times, rates, memory), the lane "
        "observer,\ncaptured stdout and stderr, and the identity (config, commit, seed, ...), "
        "which comes first.\nOf a run and one that it continues only the steps that both have "
        "are compared.\nExit status 0: equal; 4: differs, or could not be proved equal "
        "because lines could not be\nread, records were lost or a run goes on.",
    .examples = "m31r diff @-1 @\nm31r diff @-1 @ --rtol 1e-6   # runs on a GPU\n"
                "m31r diff @-1 @ --ignore-debug --json",
    .min_args = 2,
    .max_args = 2,
};
