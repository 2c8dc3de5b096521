/* identity_config.c - the project file and the config: found, read, parsed, snapshot made.
 *
 * .yaml, .yml and .json must parse; any other file may, when it has no extension, and else is kept
 * as it is. The user's keys are never judged, only our section is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "identity/identity_int.h"

#define PROJECT_FILE "m31r.yaml"

/* Reads a file that a person named. */
static m31r_err read_input(const char *path, m31ri_buf *out, m31r_error *e)
{
    int fd = m31ri_open_input(path);
    if (fd < 0) {
        return errno == EINVAL ? m31ri_fail(e, M31R_E_CONFIG, "%s is not a regular file", path)
                               : m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    m31r_err err = m31ri_read_fd(fd, M31RI_YAML_BYTES, out, e);
    close(fd);
    if (err == M31R_E_LIMIT) {
        err = m31ri_fail(e, M31R_E_CONFIG, "%s is larger than %d bytes, the limit of a config",
                         path, M31RI_YAML_BYTES);
    }
    if (err != M31R_OK) {
        m31ri_fail_at(e, path, 0, 0);
    }
    return err;
}

m31r_err m31ri_identity_take_project(m31ri_gather *g, const char *path, m31r_error *e)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31ri_yaml *tree = NULL;
    bool is_own = path == NULL;
    path = is_own ? PROJECT_FILE : path;
    m31r_err err = read_input(path, &bytes, e);
    if (err == M31R_E_NOTFOUND && is_own) {
        m31ri_buf_release(&bytes);
        return M31R_OK;
    }
    if (err == M31R_OK) {
        err = m31ri_yaml_read(m31ri_buf_str(&bytes), bytes.length, path, &tree, e);
    }
    if (err == M31R_OK) {
        err = m31ri_project_read(tree, path, &g->project, e);
        g->has_project = err == M31R_OK;
    }
    m31ri_yaml_free(tree);
    m31ri_buf_release(&bytes);
    const char *slash = strrchr(path, '/');
    if (err == M31R_OK && slash != NULL) {
        g->project_dir = m31ri_strndup(path, (size_t)(slash - path) + (slash == path));
        err = g->project_dir != NULL ? M31R_OK : m31ri_identity_no_memory(e);
    }
    return err;
}

static const char *extension_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash != NULL ? slash : path, '.');
    return dot != NULL ? dot + 1 : "";
}

static m31r_err parse(m31ri_gather *g, m31r_error *e)
{
    m31ri_identity *id = g->id;
    const char *extension = extension_of(id->config_path);
    bool must = strcasecmp(extension, "yaml") == 0 || strcasecmp(extension, "yml") == 0 ||
                strcasecmp(extension, "json") == 0;
    must = must && !g->is_config_named; /* by nobody who said that it is one */
    id->is_config_kept_apart = true;
    if (!must && !g->is_config_named && extension[0] != '\0') {
        return M31R_OK;
    }
    m31r_err err = m31ri_yaml_read(m31ri_buf_str(&id->config_bytes), id->config_bytes.length,
                                   id->config_path, &g->tree, must ? e : NULL);
    if (err != M31R_OK) {
        return must || err == M31R_E_NOMEM ? err : M31R_OK;
    }
    id->is_config_kept_apart = false;
    err = m31ri_settings_read(g->tree, id->config_path, &id->settings, e);
    if (err == M31R_OK && !id->settings.config_version_set) {
        m31ri_identity_warn(id, "%s has no config_version", id->config_path);
    }
    return err;
}

/* The value of an argument such as --config FILE or --config=FILE; NULL when it is another one. */
static const char *value_of_config_option(const char *word, const char *next)
{
    static const char *const names[] = {"config",      "cfg",         "conf",       "config-file",
                                        "config_file", "config-path", "config_path"};
    size_t dashes = strspn(word, "-");
    const char *name = word + dashes;
    size_t length = strcspn(name, "=");
    for (size_t i = 0; dashes > 0 && i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
            return name[length] == '=' ? name + length + 1 : next;
        }
    }
    return NULL;
}

static bool is_yaml_file(const char *word)
{
    const char *dot = strrchr(word, '.');
    return dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0) &&
           access(word, R_OK) == 0;
}

/* The config that the program's own arguments name, for a trial: the file of an option that is
 * called so, else the first YAML file. NULL when there is none. */
static const char *named_config(const m31r_run_options *o)
{
    for (int i = 1; o->argv != NULL && i < o->argc; i++) {
        const char *next = i + 1 < o->argc ? o->argv[i + 1] : NULL;
        const char *value = value_of_config_option(o->argv[i], next);
        if (value != NULL && access(value, R_OK) == 0) {
            return value;
        }
    }
    for (int i = 1; o->argv != NULL && i < o->argc; i++) {
        if (is_yaml_file(o->argv[i])) {
            return o->argv[i];
        }
    }
    return NULL;
}

/* Which config; `*out` NULL when none was given. A path in m31r.yaml is relative to that file. */
static m31r_err choose(m31ri_gather *g, char **out, m31r_error *e)
{
    m31ri_identity *id = g->id;
    m31ri_buf path = M31RI_BUF_INIT;
    const char *named = g->o.is_trial ? named_config(&g->o) : NULL;
    id->config_source = "none";
    if (g->o.config != NULL && g->o.config[0] != '\0') {
        m31ri_buf_add_str(&path, g->o.config);
        id->config_source = "declared";
    } else if (g->has_project && g->project.config != NULL && g->project.config[0] != '\0') {
        if (g->project_dir != NULL && g->project.config[0] != '/' &&
            strcmp(g->project.config, "none") != 0) {
            m31ri_buf_add_format(&path, "%s/", g->project_dir);
        }
        m31ri_buf_add_str(&path, g->project.config);
        id->config_source = "project";
    } else if (named != NULL) {
        m31ri_buf_add_str(&path, named);
        id->config_source = "declared";
        g->is_config_named = true;
        m31ri_identity_warn(id, "trial: the config is %s, because an argument names it", named);
    }
    if (!m31ri_buf_ok(&path)) {
        m31ri_buf_release(&path);
        return m31ri_identity_no_memory(e);
    }
    *out = path.data;
    return M31R_OK;
}

m31r_err m31ri_identity_take_config(m31ri_gather *g, m31r_error *e)
{
    m31ri_identity *id = g->id;
    m31r_err err = choose(g, &id->config_path, e);
    if (err != M31R_OK) {
        return err;
    }
    if (id->config_path == NULL) {
        id->config_path = m31ri_strdup("none");
        if (id->config_path == NULL) {
            return m31ri_identity_no_memory(e);
        }
        g->lacks |= g->o.is_trial ? 0 : M31RI_LACKS_CONFIG;
        if (g->o.is_trial) {
            m31ri_identity_warn(id, "trial: no config was given");
        }
        return M31R_OK;
    }
    if (strcmp(id->config_path, "none") == 0) {
        id->config_source = "none";
        return M31R_OK;
    }
    err = read_input(id->config_path, &id->config_bytes, e);
    if (err != M31R_OK && err != M31R_E_NOMEM && g->is_config_named) {
        m31ri_identity_warn(id, "trial: %s cannot be kept", id->config_path);
        m31ri_buf_clear(&id->config_bytes);
        m31ri_free(id->config_path);
        id->config_path = m31ri_strdup("none");
        id->config_source = "none";
        return id->config_path != NULL ? M31R_OK : m31ri_identity_no_memory(e);
    }
    if (err == M31R_E_NOTFOUND) { /* said together with all else that is missing */
        g->lacks |= M31RI_LACKS_CONFIG;
        g->is_config_absent = true;
        return M31R_OK;
    }
    if (err == M31R_OK) {
        m31ri_sha256_of(m31ri_buf_str(&id->config_bytes), id->config_bytes.length,
                        id->config_digest);
        err = parse(g, e);
    }
    return err;
}

m31r_err m31ri_identity_make_snapshot(m31ri_gather *g, m31r_error *e)
{
    m31ri_identity *id = g->id;
    m31ri_buf *out = &id->config_snapshot;
    if (g->tree != NULL) {
        id->n_config_redacted = m31ri_privacy_scrub_config(
            id->privacy, g->tree, m31ri_buf_str(&id->config_bytes), id->config_bytes.length, out);
    } else {
        m31ri_buf_add_str(
            out, id->is_config_kept_apart
                     ? "# the config is neither YAML nor JSON: it is kept beside this file, and "
                       "here are the "
                       "program's options, taken from its arguments\n"
                     : "# no config was given: these are the program's options, taken from its "
                       "arguments\n");
        m31ri_argv_view(id, out);
    }
    return m31ri_buf_ok(out) ? M31R_OK : m31ri_identity_no_memory(e);
}
