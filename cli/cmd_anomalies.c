/* cmd_anomalies.c - m31r anomalies: what went wrong inside a run. */
#include <stdio.h>

#include "command.h"
#include "m31r/anomaly.h"
#include "m31r/reader.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"csv", 0, "FILE", "judge the columns of a table instead, a row a step (- standard input)"},
    {"rows", 0, NULL, "with --csv: write `ROW KIND` only, rows counted from 0"},
    {NULL, 0, NULL, NULL},
};

static int judge_table(cli *c)
{
    m31r_anomaly_csv *csv = NULL;
    m31r_anomaly_row a;
    m31r_error e;
    m31r_err err = m31r_anomaly_csv_open(&csv, cli_value(c, "csv"), &e);
    while (err == M31R_OK && (err = m31r_anomaly_csv_next(csv, &a, &e)) == M31R_OK) {
        if (cli_has(c, "rows")) {
            printf("%llu %s\n", (unsigned long long)a.row, a.kind);
        } else {
            err = m31r_show_anomaly_row(&c->out, &a, &e);
        }
        fflush(stdout); /* a pipe may be followed */
    }
    m31r_anomaly_csv_close(csv);
    return err == M31R_EOF ? 0 : cli_fail(c, &e);
}

static int run(cli *c)
{
    m31r_reader *reader = NULL;
    m31r_anomalies *anomalies = NULL;
    m31r_error e;
    if (cli_has(c, "csv")) {
        return c->n_args == 0 ? judge_table(c) : cli_misuse(c, "--csv takes no run");
    }
    if (cli_has(c, "rows")) {
        return cli_misuse(c, "--rows goes with --csv FILE");
    }
    m31r_err err =
        m31r_reader_open(&reader, cli_value(c, "root"), c->n_args > 0 ? c->args[0] : "@", &e);
    if (err == M31R_OK) {
        err = m31r_anomalies_open(&anomalies, reader, &e);
    }
    if (err == M31R_OK) {
        err = m31r_show_anomalies(&c->out, reader, anomalies, &e);
    }
    m31r_anomalies_close(anomalies);
    m31r_reader_close(reader);
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_anomalies = {
    .name = "anomalies",
    .summary = "what went wrong inside a run: NaN, spikes, divergence, slow steps, leaks",
    .usage = "[RUN] | --csv FILE [--rows]",
    .options = options,
    .run = run,
    .details =
        "Each anomaly is told once, at the step at which it could be noticed, with the figures it "
        "rests on, its\npoint's file and line, and the record that was made while the run "
        "lasted. A metric's name says what\nit measures: loss, *_loss, perplexity; step_ms, "
        "*step_time, latency_ms; tokens_per_sec; memory_mb, rss_mb;\nutil_percent of a GPU; of "
        "others its definition (m31r_metric_define), else only NaN and infinities are told.\nOf "
        "several ranks durations are compared. A live run is judged as far as it is; one that "
        "stands still is stalled.\nRules, formulas and what they reach: docs/anomalies.md.",
    .examples =
        "m31r anomalies @\nm31r anomalies @ --json\n"
        "m31r anomalies --csv run.csv --rows    # columns such as loss,step_ms or r0,r1,...",
    .max_args = 1,
};
