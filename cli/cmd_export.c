/* cmd_export.c - m31r export --history FILE: what a machine that keeps no runs keeps of them. */
#include "command.h"
#include "m31r/history.h"
#include "m31r/json.h"

static const cli_option options[] = {
    {"history", 0, "FILE", "add a line for each ended run to this file; - is standard output"},
    {"where", 'w', "EXPR", "only runs for which it holds"},
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_expr *expr = NULL;
    m31r_history_written done;
    m31r_error e;
    const char *path = cli_value(c, "history");
    if (path == NULL) {
        return cli_misuse(c, "--history FILE says where to");
    }
    if (!cli_expr(c, M31R_EXPR_RUN, &expr)) {
        return 1;
    }
    m31r_err err = m31r_history_write(path, cli_value(c, "root"), expr, &done, &e);
    cli_note_expr(c, expr, "run");
    m31r_expr_free(expr);
    if (err != M31R_OK) {
        return cli_fail(c, &e);
    }
    if (path[0] != '-' || path[1] != '\0') {
        cli_note(c, "%zu runs in %s: %zu added, %zu changed; %zu have no end yet and were left out",
                 done.n_lines, path, done.n_added, done.n_changed, done.n_open);
    }
    return 0;
}

const command command_export = {
    .name = "export",
    .summary = "lines that say of each run what a history needs, sorted and mergeable",
    .usage = "--history FILE|- [-w EXPR] [--root DIR]",
    .options = options,
    .run = run,
    .details = "One line of JSON (kind history) a run: identity, config, statistics of its "
               "metrics; none of its records.\nA run whose line is in the file already is not "
               "written twice; files of several machines are merged\nby `sort -u`. "
               "`m31r trend METRIC --history FILE` reads it.",
    .examples = "m31r export --history history.jsonl\n"
                "m31r trend tokens_per_sec --history history.jsonl --gate",
};
