/* cmd_note.c - m31r note RUN TEXT: a sentence about a run. */
#include "command.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_note note = {.kind = M31R_NOTE_TEXT, .text = c->args[1]};
    return cli_add_note(c, &note);
}

const command command_note = {
    .name = "note",
    .summary = "write a sentence about a run",
    .usage = "RUN TEXT",
    .options = options,
    .run = run,
    .details = "At any time, also years after the run's end: notes lie in notes.jsonl of the run, "
               "outside its seal. The privacy\nrules apply. `m31r show` shows them.",
    .examples = "m31r note @ 'loss spike at 300 is the bad shard, see the report'",
    .min_args = 2,
    .max_args = 2,
};
