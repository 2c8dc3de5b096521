/* cmd_lineage.c - m31r lineage FILE|RUN: where it came from, and what came of it. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "m31r/lineage.h"

static const cli_option options[] = {
    {"as", 0, "FORM",
     "one document for other tools: prov (W3C PROV-JSON) or rocrate (RO-Crate 1.2)"},
    {"no-cache", 0, NULL, "read every run, also those unchanged since they were read"},
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

static m31r_err show(cli *c, const m31r_lineage *lineage, m31r_error *e)
{
    const char *form = cli_value(c, "as");
    if (form == NULL) {
        return m31r_show_lineage(&c->out, lineage, e);
    }
    return strcmp(form, "prov") == 0 ? m31r_show_lineage_prov(&c->out, lineage, e)
                                     : m31r_show_lineage_rocrate(&c->out, lineage, e);
}

static int run(cli *c)
{
    const char *form = cli_value(c, "as");
    if (form != NULL && strcmp(form, "prov") != 0 && strcmp(form, "rocrate") != 0) {
        return cli_misuse(c, "--as takes prov or rocrate, not \"%s\"", form);
    }
    if (cli_has(c, "no-cache")) {
        setenv("M31R_NO_CACHE", "1", 1);
    }
    m31r_lineage *lineage = NULL;
    m31r_error e;
    int status = 0;
    m31r_err err =
        m31r_lineage_open(&lineage, cli_value(c, "root"), c->n_args > 0 ? c->args[0] : "@", &e);
    if (err == M31R_OK) {
        err = show(c, lineage, &e);
    }
    if (err != M31R_OK) {
        status = cli_fail(c, &e);
    } else if (m31r_lineage_broken(lineage) > 0) {
        status = m31r_err_exit(M31R_E_INVALID);
    }
    m31r_lineage_close(lineage);
    return status;
}

const command command_lineage = {
    .name = "lineage",
    .summary = "where a file or a run came from, and what came of it",
    .usage = "[RUN | FILE]",
    .options = options,
    .run = run,
    .details =
        "Runs are tied by the SHA-256 of what they made and read, so a file may have been "
        "moved or\nrenamed since. For each run: config, dataset, tokenizer, commit, seed, "
        "metric. A file inside\na run's directory (a log, the metrics) stands for the run. "
        "On a terminal it is drawn as two trees:\nwhat the run came from, and what came of it. "
        "A link whose other end is not here, or that\nnothing proves, is broken and named: "
        "exit status 4.",
    .examples = "m31r lineage @\nm31r lineage model.bin --json\n"
                "m31r lineage model.bin --as rocrate > experiments/ro-crate-metadata.json",
    .max_args = 1,
};
