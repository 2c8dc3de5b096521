/* cmd_show.c - m31r show RUN: one run at a glance. */
#include "command.h"
#include "m31r/chain.h"
#include "m31r/reader.h"
#include "m31r/series.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_reader *reader = NULL;
    m31r_chain *chain = NULL;
    m31r_series *series = NULL;
    m31r_error e;
    m31r_err err =
        m31r_reader_open(&reader, cli_value(c, "root"), c->n_args > 0 ? c->args[0] : "@", &e);
    if (err == M31R_OK) {
        err = m31r_chain_open(&chain, reader, &e);
    }
    if (err == M31R_OK) {
        err = m31r_series_open_chain(&series, chain, &e);
    }
    if (err == M31R_OK) {
        err = m31r_show_run(&c->out, chain, series, &e);
    }
    m31r_series_close(series);
    m31r_chain_close(chain);
    m31r_reader_close(reader);
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_show = {
    .name = "show",
    .summary = "show one run at a glance",
    .usage = "[RUN]",
    .options = options,
    .run = run,
    .details = "Without RUN: the latest. Metrics are computed from metrics.csv; those of a resumed "
               "run are of all "
               "its\nattempts, the newest of which wins a step. JSON: one object "
               "of kind run with lanes, "
               "artifacts\nand metrics.",
    .examples = "m31r show @\nm31r show @-1\nm31r show rust-60m   # a unique part of a name or id",
    .max_args = 1,
};
