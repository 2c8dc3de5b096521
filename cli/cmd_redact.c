/* cmd_redact.c - m31r redact: a copy of a file without what must not be there; or a sealed run,
 * from which it is taken out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "m31r/clean.h"
#include "m31r/keep.h"

static const cli_option options[] = {
    {"keep-prompts", 0, NULL, "leave text of users (prompt, messages, content...) as it is"},
    {"config", 0, "FILE", "of a file: the deny_keys and privacy_rules of this config too"},
    {"reason", 0, "TEXT", "of a run: why; it is kept for ever"},
    {"line", 0, "FILE:LINE", "of a run: this record, not whatever the rules find"},
    {"key", 0, "KEY", "of that record only the value of KEY"},
    {"block", 0, NULL, "also all other records of its block, so that nothing can be guessed"},
    {"yes", 0, NULL, "of a run: do it; without it, what would be redacted is counted"},
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

/* Kinds and rules with their counts, on stderr: stdout is the copy. */
static void tell(cli *c, const m31r_cleaner *cleaner)
{
    uint64_t n_changed = 0;
    uint64_t n_lines = m31r_cleaner_lines(cleaner, &n_changed);
    m31r_clean_count count;
    for (size_t i = 0; m31r_cleaner_count(cleaner, i, &count); i++) {
        cli_note(c, "%s (%s): %llu", count.found, count.rule, (unsigned long long)count.n);
    }
    cli_note(c, "%llu of %llu lines changed", (unsigned long long)n_changed,
             (unsigned long long)n_lines);
}

/* A sealed run. */
static int redact_run(cli *c)
{
    m31r_error e;
    m31r_redaction done;
    m31r_redaction_options o = M31R_REDACTION_OPTIONS_INIT;
    if (!cli_has(c, "reason")) {
        return cli_misuse(c, "--reason is missing: it is kept with what is left");
    }
    o.root = cli_value(c, "root");
    o.run = c->args[0];
    o.line = cli_value(c, "line");
    o.key = cli_value(c, "key");
    o.reason = cli_value(c, "reason");
    o.whole_block = cli_has(c, "block");
    o.is_dry = !cli_has(c, "yes");
    m31r_err err = m31r_redact(&o, &done, &e);
    if (err == M31R_OK) {
        err = m31r_show_redaction(&c->out, &done, &e);
    }
    if (err != M31R_OK) {
        return cli_fail(c, &e);
    }
    if (done.n_unreadable > 0) {
        cli_note(c, "%llu compressed files cannot be read and were not looked at",
                 (unsigned long long)done.n_unreadable);
    }
    if (done.n_records == 0) {
        cli_note(c, "nothing was found: --line FILE:LINE says what is meant");
    } else if (o.is_dry) {
        cli_note(c, "nothing was changed: --yes does it, and it cannot be undone");
    }
    return 0;
}

/* What names a run, or is said of one, and is no file. */
static bool is_of_a_run(const cli *c)
{
    static const char *const only[] = {"reason", "line", "key", "block", "yes", "root"};
    for (size_t i = 0; i < sizeof only / sizeof *only; i++) {
        if (cli_has(c, only[i])) {
            return true;
        }
    }
    return false;
}

static int run(cli *c)
{
    if (is_of_a_run(c)) {
        return redact_run(c);
    }
    m31r_error e;
    m31r_cleaner *cleaner = NULL;
    const char *path = c->args[0];
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(path, "re");
    if (in == NULL) {
        e = (m31r_error){.code = errno == ENOENT ? M31R_E_NOTFOUND : M31R_E_IO};
        snprintf(e.message, sizeof e.message, "%.200s: %s", path, strerror(errno));
        return cli_fail(c, &e);
    }
    m31r_err err = m31r_cleaner_open(&cleaner, cli_has(c, "keep-prompts"), &e);
    if (err == M31R_OK) {
        err = m31r_cleaner_use_config(cleaner, cli_value(c, "config"), &e);
    }
    if (err == M31R_OK) {
        err = m31r_cleaner_copy(cleaner, in, c->out.out, &e);
    }
    int status = 0;
    if (err != M31R_OK) {
        status = cli_fail(c, &e);
    } else {
        tell(c, cleaner);
    }
    m31r_cleaner_close(cleaner);
    if (!is_stdin) {
        fclose(in);
    }
    return status;
}

const command command_redact = {
    .name = "redact",
    .summary = "copy a file without secrets and personal data, or take them out of a sealed run",
    .usage = "FILE|- [--keep-prompts] [--config FILE] | RUN --reason TEXT [--line FILE:LINE [--key "
             "KEY]] "
             "[--block] [--yes]",
    .options = options,
    .run = run,
    .details =
        "Writes one line for each line to stdout: JSON objects value by value under their "
        "keys, other\nlines as text. What is taken out is replaced by [redacted:kind]; all "
        "else keeps its bytes. The\ncounts by kind and rule go to stderr. FILE is not "
        "changed; - reads stdin as it comes. The rules\nare those of the writer, with those of "
        "--config\n(without it: of the config that ./m31r.yaml names); "
        "`m31r verify --privacy` only tells what there is.\n\nWith --reason, of a sealed RUN: "
        "what the rules find in its logs is replaced, or the record that --line\nnames. The "
        "digest of its block stays, so the run still verifies, and `m31r verify` says since "
        "when and\nwhy. Whoever can guess a short value could try it against that digest: "
        "--block takes out the block's\nother records too. It cannot be undone; copies "
        "elsewhere are not touched. docs/seal.md.",
    .examples = "m31r redact old.log > clean.log\njournalctl -o json | m31r redact - | less\n"
                "m31r redact @ --reason 'a token' --yes\n"
                "m31r redact @ --line train.log:17 --key path --reason 'a name' --yes",
    .min_args = 1,
    .max_args = 1,
};
