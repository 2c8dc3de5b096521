/* cmd_reproduce.c - m31r reproduce RUN: looks, runs again, and ends with the difference. */
#include <limits.h>
#include <stdio.h>

#include "command.h"
#include "m31r/diff.h"
#include "m31r/reproduce.h"

#define LINKS 64

static const cli_option options[] = {
    {"dry-run", 0, NULL, "only say what would be done, and what is missing"},
    {"repo", 0, "DIR", "work tree or bare repository with the commit (default: here)"},
    {"here", 0, NULL, "run what lies in the work tree, without a scratch one"},
    {"build", 0, "COMMAND", "shell command that makes the program from the restored code"},
    {"link", 0, "PATH", "a further file or directory that the program reads; may be given often"},
    {"config", 0, "FILE", "the original of a config that was redacted"},
    {"diff", 0, "FILE", "the original of changes that were redacted"},
    {"env-here", 0, NULL, "thread and locale settings as they are now, not as recorded"},
    {"anyway", 0, NULL, "go on where data or files are not what they were"},
    {"keep", 0, NULL, "leave the scratch tree behind"},
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {NULL, 0, NULL, NULL},
};

/* The difference between the two runs: 0 reproduced, 4 not. */
static int compare(cli *c, const m31r_reproduction *p, const char *path)
{
    m31r_diff_options diff_options = M31R_DIFF_OPTIONS_INIT;
    m31r_reader *again = NULL;
    m31r_diff *diff = NULL;
    m31r_comparison *comparison = NULL;
    m31r_error e;
    m31r_err err = m31r_reader_open(&again, NULL, path, &e);
    const m31r_reader *const runs[2] = {m31r_reproduction_of(p), again};
    if (err == M31R_OK) {
        err = m31r_diff_open(&diff, runs[0], runs[1], &diff_options, &e);
    }
    if (err == M31R_OK) {
        err = m31r_comparison_open(&comparison, runs, 2, &e);
    }
    if (err == M31R_OK) {
        err = m31r_show_diff(&c->out, runs, diff, &e);
    }
    bool is_equal = err == M31R_OK && m31r_diff_result(diff, NULL) == M31R_DIFF_EQUAL;
    if (err == M31R_OK && !is_equal) {
        err = m31r_show_parted_by(&c->out, p, &e);
    }
    if (err == M31R_OK) {
        err = m31r_show_reproduced(&c->out, runs, diff, comparison, &e);
    }
    m31r_comparison_close(comparison);
    m31r_diff_close(diff);
    m31r_reader_close(again);
    return err != M31R_OK ? cli_fail(c, &e) : is_equal ? 0 : m31r_err_exit(M31R_E_INVALID);
}

static int reproduce(cli *c, m31r_reproduction *p)
{
    char path[PATH_MAX];
    m31r_error e;
    m31r_err err = M31R_OK;
    if (cli_has(c, "dry-run") || m31r_reproduction_refused(p) > 0) {
        err = m31r_show_reproduction(&c->out, p, &e);
        return err != M31R_OK                     ? cli_fail(c, &e)
               : m31r_reproduction_refused(p) > 0 ? m31r_err_exit(M31R_E_INVALID)
                                                  : 0;
    }
    fflush(stdout);
    err = m31r_reproduction_run(p, path, sizeof path, &e);
    m31r_error shown;
    if (m31r_show_reproduction(&c->out, p, &shown) != M31R_OK) {
        return cli_fail(c, &shown);
    }
    return err == M31R_OK ? compare(c, p, path) : cli_fail(c, &e);
}

static int run(cli *c)
{
    m31r_reproduce_options o = M31R_REPRODUCE_OPTIONS_INIT;
    const char *links[LINKS];
    m31r_reproduction *p = NULL;
    m31r_error e;
    o.root = cli_value(c, "root");
    o.run = c->n_args > 0 ? c->args[0] : "@";
    o.repository = cli_value(c, "repo");
    o.config = cli_value(c, "config");
    o.diff = cli_value(c, "diff");
    o.build = cli_value(c, "build");
    o.is_here = cli_has(c, "here");
    o.keeps_environment = cli_has(c, "env-here");
    o.keeps_tree = cli_has(c, "keep");
    o.goes_on = cli_has(c, "anyway");
    o.argc = c->n_args > 1 ? c->n_args - 1 : 0;
    o.argv = o.argc > 0 ? c->args + 1 : NULL;
    o.links = links;
    if (cli_count(c, "link") > LINKS) {
        return cli_misuse(c, "--link is given %d times, at most %d", cli_count(c, "link"), LINKS);
    }
    for (; o.n_links < (size_t)cli_count(c, "link"); o.n_links++) {
        links[o.n_links] = cli_value_at(c, "link", (int)o.n_links);
    }
    if (m31r_reproduction_open(&p, &o, &e) != M31R_OK) {
        return cli_fail(c, &e);
    }
    int status = reproduce(c, p);
    m31r_reproduction_close(p);
    return status;
}

const command command_reproduce = {
    .name = "reproduce",
    .summary = "run it again from its own record, and compare",
    .usage = "[RUN] [options] [-- PROGRAM ARG...]",
    .options = options,
    .run = run,
    .details =
        "Puts the recorded commit into a scratch work tree, with the uncommitted changes, "
        "untracked "
        "files and config that\nwere kept; holds program, dataset, tokenizer and every file read "
        "against their digests; lists where the machine\ndiffers; runs the command with the seed "
        "and the thread settings; and ends as m31r diff does. What the program\nprints goes to "
        "stderr. The new run names the one that it repeats. Nothing is fetched, and the work tree "
        "is not\ntouched. Exit status 0: reproduced; 4: it parts, or is refused, with the "
        "reasons.\n"
        "PROGRAM is given only when the recorded command was redacted; it is checked.",
    .examples = "m31r reproduce @ --dry-run\nm31r reproduce v1.0 --build 'make train'\n"
                "m31r reproduce @ --here   # does my work tree still give the same?",
    .max_args = -1,
};
