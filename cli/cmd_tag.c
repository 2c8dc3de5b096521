/* cmd_tag.c - m31r tag RUN NAME: a word by which runs are found. */
#include "command.h"

static const cli_option options[] = {
    {"remove", 0, NULL, "take the tag off"},
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_note note = {.kind = cli_has(c, "remove") ? M31R_NOTE_UNTAG : M31R_NOTE_TAG,
                      .text = c->args[1]};
    return cli_add_note(c, &note);
}

const command command_tag = {
    .name = "tag",
    .summary = "give a run a tag, or take it off",
    .usage = "RUN NAME [--remove]",
    .options = options,
    .run = run,
    .details = "A tag is a word ([A-Za-z0-9][A-Za-z0-9._-]*, at most 64). Any number of runs may "
               "carry it: `m31r runs -w 'tag==\"NAME\"'`\nlists them. Where only one run does, the "
               "tag names that run in every command. Outside the seal, like notes.",
    .examples = "m31r tag @ baseline\nm31r compare baseline @\nm31r tag baseline baseline "
                "--remove",
    .min_args = 2,
    .max_args = 2,
};
