/* cmd_compare.c - m31r compare RUN RUN...: config, code, data, environment, results side by side.
 */
#include "command.h"
#include "m31r/compare.h"
#include "m31r/reader.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"all", 0, NULL, "also what is the same"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_reader *opened[M31R_COMPARE_LIMIT] = {NULL};
    const m31r_reader *readers[M31R_COMPARE_LIMIT] = {NULL};
    m31r_comparison *comparison = NULL;
    m31r_error e;
    m31r_err err = M31R_OK;
    int n = 0;
    for (; n < c->n_args && err == M31R_OK; n++) {
        err = m31r_reader_open(&opened[n], cli_value(c, "root"), c->args[n], &e);
        readers[n] = opened[n];
    }
    if (err == M31R_OK) {
        err = m31r_comparison_open(&comparison, readers, (size_t)n, &e);
    }
    if (err == M31R_OK) {
        err = m31r_show_comparison(&c->out, readers, comparison, cli_has(c, "all"), &e);
    }
    m31r_comparison_close(comparison);
    for (int i = 0; i < n; i++) {
        m31r_reader_close(opened[i]);
    }
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_compare = {
    .name = "compare",
    .summary = "config, code, data, environment and metrics of runs side by side",
    .usage = "RUN RUN... [--all]",
    .options = options,
    .run = run,
    .details =
        "Shows what differs; --all shows the rest too. Metrics are told with their change against "
        "the first run.\nThe exit status says nothing about differences: m31r diff does. JSON: "
        "one object of kind comparison a row.",
    .examples = "m31r compare @-1 @\nm31r compare rust-60m-a rust-60m-b rust-60m-c --all",
    .min_args = 2,
    .max_args = M31R_COMPARE_LIMIT,
};
