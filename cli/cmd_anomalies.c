/* cmd_anomalies.c - m31r anomalies: what went wrong inside a run. */
#include <stdio.h>

#include "command.h"
#include "m31r/anomaly.h"

static const cli_option options[] = {
    {"csv", 0, "FILE", "judge the columns of a table, a row a step (- standard input)"},
    {"rows", 0, NULL, "write `ROW KIND` as the rows come, rows counted from 0"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    if (!cli_has(c, "csv") || !cli_has(c, "rows")) {
        return cli_misuse(c, "anomalies takes --csv FILE --rows");
    }
    m31r_anomaly_csv *csv = NULL;
    m31r_anomaly_row a;
    m31r_error e;
    m31r_err err = m31r_anomaly_csv_open(&csv, cli_value(c, "csv"), &e);
    while (err == M31R_OK && (err = m31r_anomaly_csv_next(csv, &a, &e)) == M31R_OK) {
        printf("%llu %s\n", (unsigned long long)a.row, a.kind);
        fflush(stdout);
    }
    m31r_anomaly_csv_close(csv);
    return err == M31R_EOF ? 0 : cli_fail(c, &e);
}

const command command_anomalies = {
    .name = "anomalies",
    .summary = "what went wrong inside a run",
    .usage = "--csv FILE --rows",
    .options = options,
    .run = run,
    .details =
        "The rules are streaming: what is said of a row rests on it and the rows before. A "
        "column's "
        "name\nsays what it measures: loss, *_loss, perplexity; step_ms, *step_time, latency_ms; "
        "tokens_per_sec;\nmemory_mb; gpu_util_percent; r0 r1 ... the ranks. Of others only NaN and "
        "infinities are told.",
    .examples = "m31r anomalies --csv run.csv --rows\n"
                "python3 train.py | m31r anomalies --csv - --rows",
};
