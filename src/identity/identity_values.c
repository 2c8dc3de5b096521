/* identity_values.c - seed, dataset, tokenizer, commit and the names: each from the first place
 * that has it.
 *
 * Nothing is guessed: a value that nobody gave is missing. When a given value and the config's own
 * key disagree, the given one is taken and the disagreement is a warning, because the program may
 * be using the other.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/names.h"
#include "identity/identity_int.h"

#define NAME_LIMIT 128

enum { SEED, DATASET, TOKENIZER };

/* One of the three, with all places it may come from. */
typedef struct value_rule {
    const char *what;
    unsigned lacks;
    const char *option, *project, *key;
    char **out;
    const char **source;
    int slot;
} value_rule;

static bool is_given(const char *s)
{
    return s != NULL && s[0] != '\0';
}

static const char *config_value(const m31ri_gather *g, const char *key)
{
    const m31ri_yaml_node *n =
        g->tree != NULL && is_given(key) ? m31ri_yaml_find(m31ri_yaml_root(g->tree), key) : NULL;
    bool is_scalar = n != NULL && n->type != M31RI_YAML_MAP && n->type != M31RI_YAML_LIST &&
                     n->type != M31RI_YAML_NULL;
    return is_scalar && is_given(n->text) ? n->text : NULL;
}

static m31r_err take_value(m31ri_gather *g, const value_rule *rule, m31r_error *e)
{
    m31ri_identity *id = g->id;
    const char *in_config = config_value(g, rule->key);
    const char *value = "none";
    *rule->source = "none";
    if (is_given(rule->option)) {
        value = rule->option;
        *rule->source = "declared";
    } else if (is_given(rule->project)) {
        value = rule->project;
        *rule->source = "project";
    } else if (in_config != NULL) {
        m31ri_buf source = M31RI_BUF_INIT;
        m31ri_buf_add_format(&source, "config:%s", rule->key);
        if (!m31ri_buf_ok(&source)) {
            m31ri_buf_release(&source);
            return m31ri_identity_no_memory(e);
        }
        id->source_texts[rule->slot] = source.data;
        *rule->source = source.data;
        value = in_config;
    } else if (rule->slot == SEED && is_given(getenv("M31R_SEED"))) {
        value = getenv("M31R_SEED");
        *rule->source = "declared";
    } else if (g->o.is_trial) {
        m31ri_identity_warn(id, "trial: no %s was given", rule->what);
    } else {
        g->lacks |= rule->lacks;
    }
    if (in_config != NULL && strcmp(in_config, value) != 0) {
        m31ri_identity_warn(id, "%s %s was given, but %s of the config is %s", rule->what, value,
                            rule->key, in_config);
    }
    *rule->out = m31ri_strdup(value);
    return *rule->out != NULL ? M31R_OK : m31ri_identity_no_memory(e);
}

static m31r_err check_seed(const char *seed, m31r_error *e)
{
    char *end;
    errno = 0;
    strtoll(seed, &end, 10);
    bool is_number =
        isdigit((unsigned char)seed[0]) || (seed[0] == '-' && isdigit((unsigned char)seed[1]));
    if (strcmp(seed, "none") != 0 && (!is_number || *end != '\0' || errno == ERANGE)) {
        m31ri_fail(e, M31R_E_CONFIG, "seed \"%.64s\" is not a whole number of 64 bits", seed);
        m31ri_fail_hint(e, "give a number such as 42, or none");
        return M31R_E_CONFIG;
    }
    return M31R_OK;
}

/* A value is a path when there is such a file, or when it is written as one; then it must be there.
 */
static m31r_err take_path(const char *what, const char *value, char **out, m31r_error *e)
{
    struct stat st;
    bool is_written_as_path =
        value[0] == '/' || strncmp(value, "./", 2) == 0 || strncmp(value, "../", 3) == 0;
    if (strcmp(value, "none") == 0) {
        return M31R_OK;
    }
    if (stat(value, &st) != 0) {
        if (!is_written_as_path) {
            return M31R_OK;
        }
        m31ri_fail_sys(e, errno, value, "%s %s", what, value);
        if (e != NULL) {
            e->code = M31R_E_CONFIG;
        }
        m31ri_fail_hint(e, "give a path that is there, a version such as NAME@VERSION, or none");
        return M31R_E_CONFIG;
    }
    *out = m31ri_strdup(value);
    return *out != NULL ? M31R_OK : m31ri_identity_no_memory(e);
}

static m31r_err take_three(m31ri_gather *g, m31r_error *e)
{
    m31ri_identity *id = g->id;
    const m31ri_project *p = &g->project;
    char seed[32] = "";
    if (g->has_project && p->seed_is_none) {
        snprintf(seed, sizeof seed, "none");
    } else if (g->has_project && p->seed_set) {
        snprintf(seed, sizeof seed, "%lld", (long long)p->seed);
    }
    const value_rule rules[] = {
        {"seed", M31RI_LACKS_SEED, g->o.seed, seed, p->seed_key, &id->seed, &id->seed_source, SEED},
        {"dataset", M31RI_LACKS_DATASET, g->o.dataset, p->dataset, p->dataset_key, &id->dataset,
         &id->dataset_source, DATASET},
        {"tokenizer", M31RI_LACKS_TOKENIZER, g->o.tokenizer, p->tokenizer, p->tokenizer_key,
         &id->tokenizer, &id->tokenizer_source, TOKENIZER},
    };
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < 3 && err == M31R_OK; i++) {
        err = take_value(g, &rules[i], e);
    }
    if (err == M31R_OK) {
        err = check_seed(id->seed, e);
    }
    if (err == M31R_OK) {
        err = take_path("dataset", id->dataset, &id->dataset_path, e);
    }
    return err == M31R_OK ? take_path("tokenizer", id->tokenizer, &id->tokenizer_path, e) : err;
}

static m31r_err take_names(m31ri_gather *g, m31r_error *e)
{
    m31ri_identity *id = g->id;
    const m31ri_project *p = &g->project;
    const char *stage = is_given(g->o.stage) ? g->o.stage : is_given(p->stage) ? p->stage : "train";
    const char *root = is_given(g->o.root) ? g->o.root
                       : is_given(p->root) ? p->root
                                           : "experiments";
    const char *name = is_given(g->o.name) ? g->o.name : p->name;
    if (!m31ri_stage_name_is_valid(stage, strlen(stage))) {
        m31ri_fail(e, M31R_E_ARG, "stage \"%.64s\" is not [a-z0-9_-]{1,32} or is a reserved name",
                   stage);
        m31ri_fail_hint(e, "train, data, tokenizer, eval, serve, or a name of your own");
        return M31R_E_ARG;
    }
    for (const char *c = name; c != NULL && *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f || c - name >= NAME_LIMIT) {
            return m31ri_fail(e, M31R_E_ARG,
                              "a run's name has at most %d bytes and no control characters",
                              NAME_LIMIT);
        }
    }
    id->stage = m31ri_strdup(stage);
    id->root = m31ri_strdup(root);
    id->name = is_given(name) ? m31ri_strdup(name) : NULL;
    bool ok = id->stage != NULL && id->root != NULL && (id->name != NULL || !is_given(name));
    return ok ? M31R_OK : m31ri_identity_no_memory(e);
}

static bool is_commit(const char *s)
{
    size_t n = strspn(s, "0123456789abcdef");
    return s[n] == '\0' && n >= 7 && n <= 64;
}

/* A commit that was given; git is still asked, so that a contradiction shows. */
static m31r_err take_declared_commit(m31ri_gather *g, m31r_error *e)
{
    m31ri_identity *id = g->id;
    const char *commit = g->o.commit;
    if (!is_commit(commit)) {
        m31ri_fail(e, M31R_E_CONFIG, "commit \"%.80s\" is not 7 to 64 hex digits", commit);
        m31ri_fail_hint(e, "leave it out to take it from git, or give none");
        return M31R_E_CONFIG;
    }
    if (id->git.found && strncmp(id->git.commit, commit, strlen(commit)) == 0) {
        return M31R_OK;
    }
    if (id->git.found) {
        m31ri_identity_warn(id, "commit %s was given, but the work tree is at %s", commit,
                            id->git.commit);
    }
    snprintf(id->git.commit, sizeof id->git.commit, "%s", commit);
    id->commit_source = "declared";
    return M31R_OK;
}

static m31r_err take_commit(m31ri_gather *g, m31r_error *e)
{
    m31ri_identity *id = g->id;
    m31r_error why = {0};
    id->commit_source = "none";
    if (is_given(g->o.commit) && strcmp(g->o.commit, "none") == 0) {
        return M31R_OK;
    }
    m31r_err err = m31ri_git_facts_read(".", &id->git, &why);
    if (err == M31R_E_NOMEM) {
        return m31ri_identity_no_memory(e);
    }
    if (err != M31R_OK) {
        snprintf(id->git.reason, sizeof id->git.reason, "%.150s", why.message);
    }
    if (id->git.found) {
        id->commit_source = "git";
        if (id->git.reason[0] != '\0') {
            m31ri_identity_warn(id, "git: %s", id->git.reason);
        }
    }
    if (is_given(g->o.commit)) {
        return take_declared_commit(g, e);
    }
    if (!id->git.found && g->o.is_trial) {
        m31ri_identity_warn(id, "trial: no commit: %s", id->git.reason);
    } else if (!id->git.found) {
        g->lacks |= M31RI_LACKS_COMMIT;
    }
    return M31R_OK;
}

m31r_err m31ri_identity_take_values(m31ri_gather *g, m31r_error *e)
{
    m31r_err err = take_names(g, e);
    if (err == M31R_OK) {
        err = take_three(g, e);
    }
    return err == M31R_OK ? take_commit(g, e) : err;
}
