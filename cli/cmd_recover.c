/* cmd_recover.c - m31r recover RUN|--all: ends runs whose writer died; a dry run without --yes. */
#include <stdio.h>

#include "command.h"
#include "m31r/recover.h"

static const cli_option options[] = {
    {"all", 0, NULL, "every run below the directory of runs that needs it"},
    {"yes", 0, NULL, "do it; without it, what would be done is shown"},
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

/* What was met on the way through all runs. */
typedef struct tally {
    cli *c;
    int n_done, n_refused, status;
} tally;

static int refuse(cli *c, const m31r_recovery *r)
{
    m31r_error e = {.code = M31R_E_ARG};
    snprintf(e.message, sizeof e.message, "%s is not recovered: %s", r->run_id, r->why);
    return cli_fail(c, &e);
}

static bool take(void *context, const m31r_recovery *r, const m31r_error *failed)
{
    tally *t = context;
    m31r_error e;
    if (failed != NULL) {
        t->status = cli_fail(t->c, failed);
        return true;
    }
    t->n_refused += r->kind == M31R_RECOVERY_LIVE || r->kind == M31R_RECOVERY_REMOTE;
    t->n_done += r->kind >= M31R_RECOVERY_NEEDED;
    if (r->kind != M31R_RECOVERY_NOTHING && m31r_show_recovery(&t->c->out, r, &e) != M31R_OK) {
        t->status = cli_fail(t->c, &e);
        return false;
    }
    return true;
}

static void note_dry(cli *c, int n)
{
    if (n > 0 && !cli_has(c, "yes")) {
        cli_note(c, "nothing was changed: --yes does it");
    }
}

static int run_all(cli *c)
{
    tally t = {.c = c};
    m31r_error e;
    if (m31r_recover_all(cli_value(c, "root"), !cli_has(c, "yes"), take, &t, &e) != M31R_OK) {
        return cli_fail(c, &e);
    }
    if (t.n_done + t.n_refused == 0 && t.status == 0) {
        cli_note(c, "every run has ended");
    }
    note_dry(c, t.n_done);
    return t.status;
}

static int run(cli *c)
{
    m31r_recovery r;
    m31r_error e;
    if (cli_has(c, "all") == (c->n_args > 0)) {
        return cli_misuse(c, "which run: RUN, or --all");
    }
    if (cli_has(c, "all")) {
        return run_all(c);
    }
    m31r_err err = m31r_recover(cli_value(c, "root"), c->args[0], !cli_has(c, "yes"), &r, &e);
    if (err == M31R_OK && (r.kind == M31R_RECOVERY_LIVE || r.kind == M31R_RECOVERY_REMOTE)) {
        return refuse(c, &r);
    }
    if (err == M31R_OK) {
        err = m31r_show_recovery(&c->out, &r, &e);
    }
    if (err != M31R_OK) {
        return cli_fail(c, &e);
    }
    note_dry(c, r.kind == M31R_RECOVERY_NEEDED);
    return 0;
}

const command command_recover = {
    .name = "recover",
    .summary = "end a run whose writer died: record it, seal it",
    .usage = "RUN|--all [--yes]",
    .options = options,
    .run = run,
    .details =
        "For a run that was killed with its observer, or by a power cut. Its writer must be "
        "proved dead: a run of which\na process lives, or that another host wrote, is "
        "refused. Torn ends of its files are taken off and recorded, its\nend is recorded "
        "(crashed, cause unknown, unless its records say more), metrics.json is computed "
        "again, the manifest\nis made and .live/ is removed. Killed at any moment, it can be "
        "run again. Reading a crashed run needs none of this.",
    .examples = "m31r recover @         # what would be done\nm31r recover --all --yes",
    .max_args = 1,
};
