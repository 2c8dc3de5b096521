/* cmd_info.c - m31r info: version, formats, limits, paths, features. */
#include "command.h"

static int run(cli *c)
{
    m31r_error e;
    return m31r_show_info(&c->out, &e) == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_info = {
    .name = "info",
    .summary = "version, formats, limits, paths and features",
    .usage = "",
    .run = run,
    .examples = "m31r info --json   # for a bug report",
};
