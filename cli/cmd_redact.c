/* cmd_redact.c - m31r redact FILE|-: a copy without what must not be there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "m31r/clean.h"

static const cli_option options[] = {
    {"keep-prompts", 0, NULL, "leave text of users (prompt, messages, content...) as it is"},
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

static int run(cli *c)
{
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
    .summary = "copy a file of lines without secrets, personal data and prompts",
    .usage = "FILE|- [--keep-prompts]",
    .options = options,
    .run = run,
    .details = "Writes one line for each line to stdout: JSON objects value by value under their "
               "keys, other\nlines as text. What is taken out is replaced by [redacted:kind]; all "
               "else keeps its bytes. The\ncounts by kind and rule go to stderr. FILE is not "
               "changed; - reads stdin as it comes. The rules\nare those of the writer; "
               "`m31r verify --privacy` only tells what there is.",
    .examples = "m31r redact old.log > clean.log\njournalctl -o json | m31r redact - | less",
    .min_args = 1,
    .max_args = 1,
};
