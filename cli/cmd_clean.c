/* cmd_clean.c - m31r clean: rotated logs outside of runs, by a policy. */
#include "command.h"
#include "m31r/keep.h"

static const cli_option options[] = {
    {"days", 0, "N", "older than this goes (clean_days)"},
    {"mib", 0, "N", "more than this in all goes, the oldest first (clean_mib)"},
    {"count", 0, "N", "more segments than this go, the oldest first (clean_count)"},
    {"yes", 0, NULL, "do it; without it, the plan is shown"},
    {"logs", 0, "DIR", "directory of records outside of runs (default: logs)"},
    {"project", 0, "FILE", "the project file (m31r.yaml)"},
    {NULL, 0, NULL, NULL},
};

typedef struct tally {
    cli *c;
    int n_goes, status;
} tally;

static void show(void *context, const m31r_cleaned *cleaned)
{
    tally *t = context;
    m31r_error e;
    t->n_goes += cleaned->kind != M31R_CLEAN_STAYS;
    if (m31r_show_cleaned(&t->c->out, cleaned, &e) != M31R_OK) {
        t->status = cli_fail(t->c, &e);
    }
}

static int run(cli *c)
{
    m31r_clean_options o = M31R_CLEAN_OPTIONS_INIT;
    tally t = {.c = c};
    m31r_error e;
    if (!cli_number(c, "days", 0, 36500, &o.days) || !cli_number(c, "mib", 0, 1LL << 30, &o.mib) ||
        !cli_number(c, "count", 0, 1000000000, &o.count)) {
        return 1;
    }
    o.logs = cli_value(c, "logs");
    o.project = cli_value(c, "project");
    o.is_dry = !cli_has(c, "yes");
    if (m31r_clean(&o, show, &t, &e) != M31R_OK) {
        return cli_fail(c, &e);
    }
    if (o.is_dry && t.n_goes > 0) {
        cli_note(c, "nothing was removed: --yes does it");
    } else if (t.n_goes == 0) {
        cli_note(c, "nothing is outside of the policy");
    }
    return t.status;
}

const command command_clean = {
    .name = "clean",
    .summary = "remove old rotated logs outside of runs, by a policy",
    .usage = "[--days N] [--mib N] [--count N] [--yes]",
    .options = options,
    .run = run,
    .details =
        "The policy is clean_days, clean_mib and clean_count in m31r.yaml; options go over it. "
        "Only "
        "rotated segments of logs/ are\nlooked at, never experiments/. What holds an ERROR or "
        "CRITICAL record is never removed, nor the newest segment of a lane.\nlogs/removed.jsonl "
        "keeps name, size and digest of what went.",
    .examples = "m31r clean --days 90\nm31r clean --yes",
};
