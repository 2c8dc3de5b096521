/* cmd_release.c - m31r release RUN [NAME]: a run that is kept for ever. */
#include "command.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_note note = {.kind = M31R_NOTE_RELEASE, .text = c->n_args > 1 ? c->args[1] : ""};
    return cli_add_note(c, &note);
}

const command command_release = {
    .name = "release",
    .summary = "mark a run as a release: kept for ever",
    .usage = "RUN [NAME]",
    .options = options,
    .run = run,
    .details =
        "No command of m31r removes a release or a part of it, and none takes the mark back. "
        "NAME (a word, as a tag) leads\nto this run in every command; without it the run's "
        "own name is taken, else its id. In expressions: release.",
    .examples = "m31r release @ v1.0\nm31r runs -w 'has release'\nm31r diff v1.0 @",
    .min_args = 1,
    .max_args = 2,
};
