/* identity_missing.c - the refusal: everything missing in one error, and the command that would be
 * accepted.
 *
 * The command keeps what was given (redacted) and fills the rest with guesses from the arguments,
 * the config and the working directory; a guess is only ever printed, never used.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "identity/identity_int.h"

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static const char *config_text(const m31ri_gather *g, const char *dotted)
{
    const m31ri_yaml_node *n =
        g->tree != NULL ? m31ri_yaml_find(m31ri_yaml_root(g->tree), dotted) : NULL;
    return n != NULL && n->text != NULL && n->text[0] != '\0' ? n->text : NULL;
}

/* First of the names that the arguments or the config give a value, else the first of the paths
 * that exists, else `otherwise`. */
static const char *guess(const m31ri_gather *g, const char *const *names, const char *const *paths,
                         const char *otherwise)
{
    for (const char *const *n = names; *n != NULL; n++) {
        const char *value = m31ri_argv_value(g->id, *n);
        value = value != NULL ? value : config_text(g, *n);
        if (value != NULL && strlen(value) < 128) {
            return value;
        }
    }
    for (const char *const *p = paths; *p != NULL; p++) {
        if (exists(*p)) {
            return *p;
        }
    }
    return otherwise;
}

static const char *guess_config(const m31ri_gather *g)
{
    static const char *const names[] = {"config",      "cfg",         "conf", "c",
                                        "config_file", "config_path", NULL};
    static const char *const paths[] = {
        "configs/train.yaml", "config/train.yaml", "train.yaml", "config.yaml",
        "config.yml",         "config.json",       NULL};
    for (size_t i = 1; i < g->id->given.n; i++) {
        const char *word = g->id->given.items[i];
        const char *dot = strrchr(word, '.');
        if (dot != NULL && exists(word) &&
            (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0)) {
            return word;
        }
    }
    return guess(g, names, paths, "none");
}

static const char *guess_seed(const m31ri_gather *g)
{
    static const char *const names[] = {"seed", "random_seed", "train.seed", "training.seed", NULL};
    static const char *const paths[] = {NULL};
    const char *value = guess(g, names, paths, "42");
    return value[strspn(value, "0123456789")] == '\0' ? value : "42";
}

static const char *guess_dataset(const m31ri_gather *g)
{
    static const char *const names[] = {"dataset",      "dataset_path", "data",      "data_dir",
                                        "data_path",    "train_data",   "data.path", "dataset.path",
                                        "dataset.name", "input",        NULL};
    static const char *const paths[] = {"data", "dataset", "datasets", NULL};
    return guess(g, names, paths, "DIR_OR_VERSION");
}

static const char *guess_tokenizer(const m31ri_gather *g)
{
    static const char *const names[] = {
        "tokenizer", "tokenizer_path", "tokenizer.path", "tokenizer.name", "vocab", "vocab_file",
        NULL};
    static const char *const paths[] = {"tokenizer.json", "tokenizer.model", "tokenizer", NULL};
    return guess(g, names, paths, "NAME@VERSION");
}

/* Appends one word as a POSIX shell reads it back. */
static void add_quoted(m31ri_buf *out, const char *word)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%^";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        m31ri_buf_add_str(out, word);
        return;
    }
    m31ri_buf_add_char(out, '\'');
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '\'') {
            m31ri_buf_add_str(out, "'\\''");
        } else {
            m31ri_buf_add_char(out, *c);
        }
    }
    m31ri_buf_add_char(out, '\'');
}

/* One value after the privacy rules: what is printed may end in a log. */
static void add_value(const m31ri_gather *g, m31ri_buf *out, const char *value)
{
    m31ri_buf clean = M31RI_BUF_INIT;
    m31ri_privacy_scrub(g->id->privacy, NULL, 0, value, strlen(value), &clean);
    if (g->as_command) {
        add_quoted(out, m31ri_buf_str(&clean));
    } else {
        m31ri_yaml_quote(out, m31ri_buf_str(&clean));
    }
    m31ri_buf_release(&clean);
}

/* Adds `--name value` or `.name = "value"`: the given one, or the guess when it is missing, or
 * nothing. */
static void add_option(const m31ri_gather *g, m31ri_buf *out, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        return;
    }
    if (g->as_command) {
        m31ri_buf_add_format(out, " --%s ", name);
        add_value(g, out, value);
        return;
    }
    m31ri_buf clean = M31RI_BUF_INIT;
    m31ri_privacy_scrub(g->id->privacy, NULL, 0, value, strlen(value), &clean);
    m31ri_buf_add_format(out, "%s.%s = \"%s\"", out->length > 0 ? ", " : "", name,
                         m31ri_buf_str(&clean));
    m31ri_buf_release(&clean);
}

static void add_options(const m31ri_gather *g, m31ri_buf *out)
{
    const m31r_run_options *o = &g->o;
    unsigned lacks = g->lacks;
    add_option(g, out, "config", (lacks & M31RI_LACKS_CONFIG) != 0 ? guess_config(g) : o->config);
    add_option(g, out, "seed", (lacks & M31RI_LACKS_SEED) != 0 ? guess_seed(g) : o->seed);
    add_option(g, out, "dataset",
               (lacks & M31RI_LACKS_DATASET) != 0 ? guess_dataset(g) : o->dataset);
    add_option(g, out, "tokenizer",
               (lacks & M31RI_LACKS_TOKENIZER) != 0 ? guess_tokenizer(g) : o->tokenizer);
    add_option(g, out, "commit", (lacks & M31RI_LACKS_COMMIT) != 0 ? "none" : o->commit);
    add_option(g, out, "stage", o->stage);
    add_option(g, out, "name", o->name);
    add_option(g, out, "resume", o->resume);
    add_option(g, out, "root", o->root);
}

static void make_hint(const m31ri_gather *g, m31ri_buf *out)
{
    if (!g->as_command) {
        add_options(g, out);
        m31ri_buf_add_str(
            out, "\nset these fields of m31r_run_options (\"none\" for what there is not), or "
                 ".is_trial = true, or write them once with `m31r init`");
        return;
    }
    m31ri_buf_add_str(out, "m31r run");
    add_options(g, out);
    m31ri_buf_add_str(out, " --");
    for (size_t i = 0; i < g->id->given.n; i++) {
        m31ri_buf_add_char(out, ' ');
        add_quoted(out, g->id->argv[i]);
    }
    if (g->id->given.n == 0) {
        m31ri_buf_add_str(out, " PROGRAM ARGS");
    }
    m31ri_buf_add_str(
        out, "\nsay none for what there is not; --try says it for all of them (a trial run); "
             "`m31r init` writes them once into m31r.yaml");
}

static void add_missing(m31ri_buf *out, const char *what)
{
    m31ri_buf_add_str(out, out->length > 0 ? ", " : "");
    m31ri_buf_add_str(out, what);
}

m31r_err m31ri_identity_refuse(const m31ri_gather *g, m31r_error *e)
{
    if (g->lacks == 0) {
        return M31R_OK;
    }
    m31ri_buf what = M31RI_BUF_INIT;
    m31ri_buf hint = M31RI_BUF_INIT;
    if (g->is_config_absent) {
        m31ri_buf_add_format(&what, "config (no file %s)", g->id->config_path);
    } else if ((g->lacks & M31RI_LACKS_CONFIG) != 0) {
        add_missing(&what, "config");
    }
    if ((g->lacks & M31RI_LACKS_SEED) != 0) {
        add_missing(&what, "seed");
    }
    if ((g->lacks & M31RI_LACKS_DATASET) != 0) {
        add_missing(&what, "dataset");
    }
    if ((g->lacks & M31RI_LACKS_TOKENIZER) != 0) {
        add_missing(&what, "tokenizer");
    }
    if ((g->lacks & M31RI_LACKS_COMMIT) != 0) {
        m31ri_buf_add_format(&what, "%scommit (%s)", what.length > 0 ? ", " : "",
                             g->id->git.reason);
    }
    make_hint(g, &hint);
    bool ok = m31ri_buf_ok(&what) && m31ri_buf_ok(&hint);
    m31r_err err = M31R_E_CONFIG;
    if (ok) {
        m31ri_fail(e, err, "a run needs what identifies it; missing: %s", m31ri_buf_str(&what));
        m31ri_fail_hint(e, "%s", m31ri_buf_str(&hint));
    } else {
        err = m31ri_identity_no_memory(e);
    }
    m31ri_buf_release(&what);
    m31ri_buf_release(&hint);
    return err;
}
