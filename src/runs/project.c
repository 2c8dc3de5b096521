/* project.c - m31r/project.h: m31r.yaml, written once.
 *
 * What is found is only proposed where it is plain: a config of a usual name, or the only one in
 * configs/; a seed key when exactly one key of the config is named seed. The text is read back by
 * the strict reader before it is written, so that a value that would be refused later is refused
 * now.
 */
#include "m31r/project.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/settings.h"
#include "format/yaml.h"

#define FILE_NAME "m31r.yaml"

static bool is_there(int dir, const char *path)
{
    return faccessat(dir, path, R_OK, 0) == 0;
}

static bool is_config_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && name[0] != '.' &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

/* The only config below configs/, if there is exactly one. */
static void find_in_configs(int dir, char *out, size_t size)
{
    m31ri_dir_list names = {0};
    const char *only = NULL;
    size_t n = 0;
    int fd = m31ri_open_dir(dir, "configs", true);
    if (fd < 0) {
        return;
    }
    if (m31ri_dir_list_fd(fd, &names, NULL) == M31R_OK) {
        for (size_t i = 0; i < names.n; i++) {
            if (names.entries[i].type == 'f' && is_config_name(names.entries[i].name)) {
                only = names.entries[i].name;
                n++;
            }
        }
    }
    if (n == 1) {
        snprintf(out, size, "configs/%s", only);
    }
    m31ri_dir_list_release(&names);
    close(fd);
}

static void find_config(int dir, char *out, size_t size)
{
    static const char *const usual[] = {"train.yaml", "config.yaml", "train.yml",
                                        "config.yml", "train.json",  "config.json"};
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        if (is_there(dir, usual[i])) {
            snprintf(out, size, "%s", usual[i]);
            return;
        }
    }
    find_in_configs(dir, out, size);
}

typedef struct seed_search {
    char key[256];
    size_t n;
} seed_search;

static void look_for_seed(void *context, const char *dotted, const m31ri_yaml_node *n)
{
    seed_search *search = context;
    const char *dot = strrchr(dotted, '.');
    bool is_seed = strcmp(dot != NULL ? dot + 1 : dotted, "seed") == 0;
    if (is_seed && n->type == M31RI_YAML_INT && strlen(dotted) < sizeof search->key) {
        snprintf(search->key, sizeof search->key, "%s", dotted);
        search->n++;
    }
}

/* Reads the config, which must read when it is YAML or JSON; any other file is not looked into. */
static m31r_err find_seed(int dir, const char *config, char *out, size_t size, m31r_error *e)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31ri_yaml *tree = NULL;
    seed_search search = {"", 0};
    if (!is_config_name(strrchr(config, '/') != NULL ? strrchr(config, '/') + 1 : config)) {
        return M31R_OK;
    }
    m31r_err err = m31ri_read_file(dir, config, M31RI_YAML_BYTES, &bytes, e);
    if (err == M31R_OK) {
        err = m31ri_yaml_read(m31ri_buf_str(&bytes), bytes.length, config, &tree, e);
    }
    if (err == M31R_OK) {
        m31ri_yaml_each_scalar(m31ri_yaml_root(tree), look_for_seed, &search);
        if (search.n == 1) {
            snprintf(out, size, "%s", search.key);
        }
    }
    m31ri_yaml_free(tree);
    m31ri_buf_release(&bytes);
    return err;
}

/* The text of m31r.yaml, read back as a check. */
static m31r_err make_text(const m31r_project *project, const m31r_project_found *found,
                          m31ri_buf *out, m31r_error *e)
{
    const char *config = project->config != NULL ? project->config : found->config;
    const char *seed_key = project->seed_key != NULL ? project->seed_key : found->seed_key;
    /* Borrowed: the writer only reads. */
    m31ri_project p = {.config_version = 1,
                       .config = config[0] != '\0' ? (char *)config : NULL,
                       .stage = (char *)project->stage,
                       .dataset = (char *)project->dataset,
                       .tokenizer = (char *)project->tokenizer,
                       .name = (char *)project->name,
                       .seed_key = seed_key[0] != '\0' ? (char *)seed_key : NULL,
                       .metrics = {.items = (char **)project->metrics, .n = project->n_metrics},
                       .metrics_set = project->n_metrics > 0};
    m31ri_yaml *tree = NULL;
    m31ri_project back = {0};
    m31ri_project_write(out, &p);
    if (!m31ri_buf_ok(out)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for " FILE_NAME);
    }
    m31r_err err = m31ri_yaml_read(m31ri_buf_str(out), out->length, FILE_NAME, &tree, e);
    if (err == M31R_OK && !m31ri_project_init(&back)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for " FILE_NAME);
    }
    if (err == M31R_OK) {
        err = m31ri_project_read(tree, FILE_NAME, &back, e);
    }
    m31ri_project_release(&back);
    m31ri_yaml_free(tree);
    return err;
}

static m31r_err create_in(int dir, const m31r_project *project, m31r_project_found *found,
                          m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    bool has_config = project->config != NULL && strcmp(project->config, "none") != 0;
    if (is_there(dir, FILE_NAME)) {
        m31r_err err =
            m31ri_fail(e, M31R_E_EXISTS, FILE_NAME " is there already; it is never overwritten");
        m31ri_fail_hint(e, "edit it, or move it away and run m31r init again");
        return err;
    }
    if (has_config && !is_there(dir, project->config)) {
        m31r_err err = m31ri_fail(e, M31R_E_NOTFOUND, "there is no config %s", project->config);
        m31ri_fail_hint(e,
                        "give the path of the program's config, or --config none when it has none");
        return err;
    }
    if (project->config == NULL) {
        find_config(dir, found->config, sizeof found->config);
    }
    const char *config = has_config ? project->config : found->config;
    m31r_err err = M31R_OK;
    if (config[0] != '\0' && project->seed_key == NULL) {
        err = find_seed(dir, config, found->seed_key, sizeof found->seed_key, e);
    }
    if (err == M31R_OK) {
        err = make_text(project, found, &text, e);
    }
    if (err == M31R_OK) {
        err = m31ri_create_file(dir, FILE_NAME, m31ri_buf_str(&text), text.length, e);
    }
    m31ri_buf_release(&text);
    return err;
}

m31r_err m31r_project_create(const char *directory, const m31r_project *project,
                             m31r_project_found *out_found, m31r_error *e)
{
    m31r_project_found found = {0};
    const char *path = directory != NULL ? directory : ".";
    if (project->size != sizeof *project) {
        return m31ri_fail(e, M31R_E_ARG, "the project is not of this library's version");
    }
    int dir = m31ri_open_dir(AT_FDCWD, path, true);
    if (dir < 0) {
        return m31ri_fail_sys(e, errno, path, "cannot open the directory %s", path);
    }
    m31r_err err = create_in(dir, project, &found, e);
    close(dir);
    if (err == M31R_OK) {
        found.lacks_config = project->config == NULL && found.config[0] == '\0';
        found.lacks_dataset = project->dataset == NULL;
        found.lacks_tokenizer = project->tokenizer == NULL;
        found.lacks_seed = project->seed_key == NULL && found.seed_key[0] == '\0';
        *out_found = found;
    }
    return err;
}
