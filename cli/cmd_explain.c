/* cmd_explain.c - m31r explain RUN: why it failed, what that rests on, how to go on. */
#include "command.h"
#include "m31r/explain.h"
#include "m31r/reader.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_reader *reader = NULL;
    m31r_explanation *explanation = NULL;
    m31r_error e;
    m31r_err err =
        m31r_reader_open(&reader, cli_value(c, "root"), c->n_args > 0 ? c->args[0] : "@", &e);
    if (err == M31R_OK) {
        err = m31r_explanation_open(&explanation, reader, &e);
    }
    if (err == M31R_OK) {
        err = m31r_show_explanation(&c->out, reader, explanation, &e);
    }
    m31r_explanation_close(explanation);
    m31r_reader_close(reader);
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_explain = {
    .name = "explain",
    .summary = "why a run failed: cause, proof, last healthy step, how to resume",
    .usage = "[RUN]",
    .options = options,
    .run = run,
    .details =
        "Each statement names the file and line in the run that it rests on; what the record does "
        "not\nsay stands under unknown. Then the last records of all lanes. JSON: one object of "
        "kind explanation.",
    .examples = "m31r explain @\nm31r explain @-1 --json",
    .max_args = 1,
};
