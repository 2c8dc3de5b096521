/* cmd_archive.c - m31r archive RUN DIR: a run moved whole and verified. */
#include "command.h"
#include "m31r/keep.h"

static const cli_option options[] = {
    {"copy", 0, NULL, "leave the run where it is"},
    {"yes", 0, NULL, "do it; without it, what would be done is shown"},
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_archive_options o = M31R_ARCHIVE_OPTIONS_INIT;
    m31r_archived a;
    m31r_error e;
    o.root = cli_value(c, "root");
    o.run = c->args[0];
    o.directory = c->args[1];
    o.is_copy = cli_has(c, "copy");
    o.is_dry = !cli_has(c, "yes");
    m31r_err err = m31r_archive(&o, &a, &e);
    if (err == M31R_OK) {
        err = m31r_show_archived(&c->out, &a, &e);
    }
    if (err == M31R_OK && o.is_dry) {
        cli_note(c, "nothing was moved: --yes does it");
    }
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_archive = {
    .name = "archive",
    .summary = "move a run to another directory of runs, whole and verified",
    .usage = "RUN DIR [--copy] [--yes]",
    .options = options,
    .run = run,
    .details =
        "The run must verify. Its files are copied with modes and times, read back and compared; "
        "only then the old one goes, and\n.removed/ID/ says where to. Commands read it there with "
        "--root DIR. A release is only copied (--copy).",
    .examples =
        "m31r archive @ /mnt/archive/experiments\nm31r archive v1.0 /mnt/archive/experiments "
        "--copy --yes",
    .min_args = 2,
    .max_args = 2,
};
