/* cmd_init.c - m31r init: writes m31r.yaml, so that `m31r run -- CMD` needs no option. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "m31r/json.h"
#include "m31r/project.h"

static const cli_option options[] = {
    {"config", 'c', "FILE", "the program's config, or none (default: the one that is found)"},
    {"dataset", 0, "D", "a path (fingerprinted), a version such as name@1.2, or none"},
    {"tokenizer", 0, "T", "a path, a version, or none"},
    {"seed-key", 0, "KEY", "where the config says the seed, such as train.seed"},
    {"stage", 0, "S", "data, tokenizer, train, eval, serve or another word"},
    {"name", 0, "NAME", "a name for the runs"},
    {"metric", 0, "NAME=REGEX", "take a metric out of printed lines; may be repeated"},
    {NULL, 0, NULL, NULL},
};

static int say_json(cli *c, const m31r_project_found *found, const m31r_project *p)
{
    m31r_error e;
    m31r_json *j = m31r_json_new("project");
    const char *config = p->config != NULL ? p->config : found->config;
    const char *seed_key = p->seed_key != NULL ? p->seed_key : found->seed_key;
    m31r_json_add_text(j, "path", "m31r.yaml");
    m31r_json_add_text(j, "config", config[0] != '\0' ? config : NULL);
    m31r_json_add_text(j, "dataset", p->dataset);
    m31r_json_add_text(j, "tokenizer", p->tokenizer);
    m31r_json_add_text(j, "seed_key", seed_key[0] != '\0' ? seed_key : NULL);
    return m31r_json_write(j, c->out.out, &e) == M31R_OK ? 0 : cli_fail(c, &e);
}

static void say_value(cli *c, const char *name, const char *given, const char *found)
{
    const char *value = given != NULL ? given : found;
    fprintf(c->out.out, "  %-10s ", name);
    m31r_show_text(&c->out, value[0] != '\0' ? value : "? fill it in");
    fputs(given == NULL && found[0] != '\0' ? " (found)\n" : "\n", c->out.out);
}

static int say_text(cli *c, const m31r_project_found *found, const m31r_project *p)
{
    bool lacks_any = found->lacks_config || found->lacks_dataset || found->lacks_tokenizer;
    fputs("wrote m31r.yaml\n", c->out.out);
    say_value(c, "config", p->config, found->config);
    say_value(c, "dataset", p->dataset, "");
    say_value(c, "tokenizer", p->tokenizer, "");
    say_value(c, "seed key", p->seed_key, found->seed_key);
    fputs(lacks_any ? "next      edit m31r.yaml, then m31r run -- PROGRAM\n"
                    : "next      m31r run -- PROGRAM\n",
          c->out.out);
    return 0;
}

static int run(cli *c)
{
    m31r_project p = M31R_PROJECT_INIT;
    m31r_project_found found;
    m31r_error e = {0};
    int n = cli_count(c, "metric");
    const char **metrics = calloc((size_t)n + 1, sizeof *metrics);
    if (metrics == NULL) {
        e = (m31r_error){.code = M31R_E_NOMEM, .message = "out of memory for the metrics"};
        return cli_fail(c, &e);
    }
    for (int i = 0; i < n; i++) {
        metrics[i] = cli_value_at(c, "metric", i);
    }
    p.config = cli_value(c, "config");
    p.dataset = cli_value(c, "dataset");
    p.tokenizer = cli_value(c, "tokenizer");
    p.seed_key = cli_value(c, "seed-key");
    p.stage = cli_value(c, "stage");
    p.name = cli_value(c, "name");
    p.metrics = metrics;
    p.n_metrics = (size_t)n;
    m31r_err err = m31r_project_create(NULL, &p, &found, &e);
    int status = err != M31R_OK   ? cli_fail(c, &e)
                 : c->out.is_json ? say_json(c, &found, &p)
                                  : say_text(c, &found, &p);
    free(metrics);
    return status;
}

const command command_init = {
    .name = "init",
    .summary = "write m31r.yaml: what this project's runs have in common",
    .usage = "[--config F] [--dataset D] [--tokenizer T] [--seed-key KEY]",
    .options = options,
    .run = run,
    .details =
        "Never overwrites. A config of a usual name (train.yaml, config.yaml, the only one in "
        "configs/) and its only key "
        "named\nseed are found; what is not given stands in the file as a comment to fill in.",
    .examples = "m31r init --dataset data/corpus --tokenizer none\nm31r init --metric 'loss=loss:? "
                "([0-9.eE+-]+)'",
};
