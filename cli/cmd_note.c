/* cmd_note.c - m31r note RUN TEXT: a sentence about a run. */
#include "command.h"
#include "m31r/notes.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_note note = {.kind = M31R_NOTE_TEXT, .text = c->args[1]};
    m31r_noted noted;
    m31r_error e;
    m31r_err err = m31r_note_add(cli_value(c, "root"), c->args[0], &note, &noted, &e);
    if (err == M31R_OK) {
        err = m31r_show_noted(&c->out, note.kind, &noted, &e);
    }
    return err == M31R_OK ? 0 : cli_fail(c, &e);
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
