/* cmd_rm.c - m31r rm: runs, or their payload, removed by hand, each with a tombstone. */
#include "command.h"
#include "m31r/keep.h"

static const cli_option options[] = {
    {"where", 'w', "EXPR", "all runs for which it holds"},
    {"payload", 0, NULL, "only checkpoints and other files of the program; the record stays"},
    {"keep", 0, "WHICH", "of the payload: last, best:METRIC, or both with a comma"},
    {"reason", 0, "TEXT", "why; it is kept for ever"},
    {"yes", 0, NULL, "do it; without it, what would go is shown"},
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

/* What was met on the way. */
typedef struct tally {
    cli *c;
    int n_goes, n_refused, status;
} tally;

static bool show(void *context, const m31r_removal *r)
{
    tally *t = context;
    m31r_error e;
    t->n_refused += r->refused[0] != '\0';
    t->n_goes += r->refused[0] == '\0';
    if (m31r_show_removal(&t->c->out, r, cli_has(t->c, "payload"), &e) != M31R_OK) {
        t->status = cli_fail(t->c, &e);
        return false;
    }
    return true;
}

static int run(cli *c)
{
    m31r_removal_options o = M31R_REMOVAL_OPTIONS_INIT;
    tally t = {.c = c};
    m31r_error e;
    if ((c->n_args > 0) == cli_has(c, "where")) {
        return cli_misuse(c, "which runs: RUN, or -w EXPR");
    }
    if (!cli_has(c, "reason")) {
        return cli_misuse(c, "--reason is missing: it is kept with what is left");
    }
    if (!cli_expr(c, M31R_EXPR_RUN, &o.expr)) {
        return 1;
    }
    o.root = cli_value(c, "root");
    o.run = c->n_args > 0 ? c->args[0] : NULL;
    o.reason = cli_value(c, "reason");
    o.keep = cli_value(c, "keep");
    o.is_payload = cli_has(c, "payload");
    o.is_dry = !cli_has(c, "yes");
    if (m31r_remove(&o, show, &t, &e) != M31R_OK) {
        t.status = cli_fail(c, &e);
    } else if (o.is_dry && t.n_goes > 0) {
        cli_note(c, "nothing was removed: --yes does it");
    } else if (t.n_goes + t.n_refused == 0) {
        cli_note(c, "no run is meant");
    }
    cli_note_expr(c, o.expr, "run");
    m31r_expr_free(o.expr);
    bool is_refused = t.status == 0 && c->n_args > 0 && t.n_refused > 0;
    return is_refused ? 1 : t.status;
}

const command command_rm = {
    .name = "rm",
    .summary = "remove runs, or their checkpoints, leaving a tombstone",
    .usage = "RUN | -w EXPR [--payload [--keep last,best:METRIC]] --reason TEXT [--yes]",
    .options = options,
    .run = run,
    .details =
        "Without --yes it only shows what would go. Releases, runs that live and runs that nobody "
        "has ended stay. With --payload the\nrecord stays, and still verifies: notes.jsonl says "
        "which files went, with their digests. A whole run leaves .removed/ID/ beside\nthe runs: "
        "its metadata, the digest of every file, its root, the reason; the logs of a run that "
        "did not finish are moved there\nand never deleted.",
    .examples = "m31r rm -w 'kind==\"trial\" and ts<-30d' --reason 'old trials'\n"
                "m31r rm -w 'ts<-90d' --payload --keep last,best:val_loss --reason 'disk' --yes",
    .max_args = 1,
};
