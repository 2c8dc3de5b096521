/* cmd_runs.c - m31r runs: the table of runs below a root, newest first. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "m31r/runs.h"

#define SHOWN_ON_TERMINAL 20

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"where", 'w', "EXPR", "only runs for which it holds: state==\"failed\" and config.lr>1e-3"},
    {"cols", 0, "A,B", "these columns: id state step best config.train.lr metrics.val_loss ..."},
    {"sort", 0, "FIELD", "by this field, the smallest first; -FIELD the largest first"},
    {"limit", 'n', "N", "the first N (default: 20 for people, all in JSON)"},
    {"all", 0, NULL, "all of them"},
    {NULL, 0, NULL, NULL},
};

static m31r_err show(cli *c, m31r_runs *runs, const cli_names *columns, int64_t limit,
                     m31r_error *e)
{
    const char *sort = cli_value(c, "sort");
    m31r_err err = M31R_OK;
    if (sort != NULL) {
        err = m31r_runs_sort(runs, sort + (sort[0] == '-'), sort[0] == '-', e);
    }
    m31r_runs_view view = {columns->names, columns->n, limit};
    return err == M31R_OK ? m31r_show_runs(&c->out, runs, &view, e) : err;
}

static int run(cli *c)
{
    m31r_runs *runs = NULL;
    m31r_expr *expr = NULL;
    cli_names columns = {0};
    m31r_error e;
    int64_t limit = c->out.is_json ? 0 : SHOWN_ON_TERMINAL;
    if (!cli_number(c, "limit", 1, 1000000000, &limit) ||
        !cli_names_of(c, "cols", CLI_NAMES_LIMIT, &columns) || !cli_expr(c, M31R_EXPR_RUN, &expr)) {
        free(columns.text);
        return 1;
    }
    if (cli_has(c, "all")) {
        limit = 0;
    }
    m31r_err err = m31r_runs_open(&runs, cli_value(c, "root"), &e);
    if (err == M31R_OK && m31r_runs_note(runs)[0] != '\0') {
        cli_note(c, "%s", m31r_runs_note(runs));
    }
    if (err == M31R_OK && expr != NULL) {
        err = m31r_runs_set_filter(runs, expr, &e);
    }
    if (err == M31R_OK) {
        err = show(c, runs, &columns, limit, &e);
    }
    m31r_runs_close(runs);
    int status = err == M31R_OK ? 0 : cli_fail(c, &e);
    cli_note_expr(c, expr, "run");
    m31r_expr_free(expr);
    free(columns.text);
    return status;
}

const command command_runs = {
    .name = "runs",
    .summary = "list runs, newest first",
    .usage = "[-w EXPR] [--cols A,B] [--sort FIELD] [--root DIR] [--limit N | --all]",
    .options = options,
    .run = run,
    .details =
        "Shows how many runs there are in each state, then the newest of them. The state is "
        "derived each time: "
        "a run whose\nwriter is dead without a recorded end is crashed, whatever it wrote "
        "about itself. "
        "METRIC is val_loss, else loss,\nelse train_loss. JSON: one object of kind run a "
        "line, then one "
        "of kind run_counts.\n-w is explained in docs/expressions.md; a run has id, name, "
        "stage, kind, state, cause, step, seed,\ndataset, tokenizer, commit, ts, tag, release, "
        "config.KEY "
        "and metrics.NAME.last (min, max, mean, count).\n--cols and --sort take these, and "
        "metric last best best_step tokens_per_sec end duration_s lost attempt\nresumes host "
        "path.\nWhat was read is kept in the user's cache and read again only where a run's "
        "files changed.",
    .examples = "m31r runs\nm31r runs --cols id,state,config.train.lr,best --sort best\nm31r runs "
                "-w 'config.train.lr>=1e-3 and metrics.loss.last<2'\nm31r "
                "runs --json | jq -r 'select(.state==\"failed\").run_id'   # ids "
                "of failed runs",
};
