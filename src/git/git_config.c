/* git_config.c - the settings of git that decide what is changed and what is ignored.
 *
 * Read in git's order, the last wins: /etc/gitconfig, the user's own, the repository's, and that of
 * a linked work tree. `include.path` is followed; `includeIf` is not, and GIT_CONFIG_COUNT is not
 * asked.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "git/git_facts_int.h"

#define CONFIG_BYTES (8 * 1024 * 1024)
#define INCLUDE_DEPTH 5
#define KEY_BYTES 128

/* A file being read. */
typedef struct reading {
    m31ri_git_repo *repo;
    const char *path;
    char section[KEY_BYTES]; /* "" where the section has a name of its own in quotes */
    bool *has_work_tree_config;
    int depth;
} reading;

static m31r_err read_config_file(m31ri_git_repo *r, const char *path, int depth,
                                 bool *has_work_tree_config, m31r_error *e);

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory reading git's settings");
}

/* "~/x" below the home directory, a relative one beside `beside`; NULL when memory is out. */
static char *resolve(const char *path, const char *beside)
{
    m31ri_buf full = M31RI_BUF_INIT;
    const char *home = getenv("HOME");
    const char *slash = strrchr(beside, '/');
    if (path[0] == '~' && path[1] == '/' && home != NULL) {
        m31ri_buf_add_format(&full, "%s%s", home, path + 1);
    } else if (path[0] != '/' && slash != NULL) {
        m31ri_buf_add_format(&full, "%.*s/%s", (int)(slash - beside), beside, path);
    } else {
        m31ri_buf_add_str(&full, path);
    }
    if (!m31ri_buf_ok(&full)) {
        m31ri_buf_release(&full);
    }
    return full.data;
}

/* Takes quotes, escapes, a comment and the spaces around off a value, in place. */
static void unquote(char *value)
{
    char *out = value;
    char *end = value; /* behind the last character that is not a space outside quotes */
    bool is_quoted = false;
    for (char *p = value; *p != '\0'; p++) {
        if (*p == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        if (!is_quoted && (*p == '#' || *p == ';')) {
            break;
        }
        bool is_space = !is_quoted && (*p == ' ' || *p == '\t');
        if (p[0] == '\\' && p[1] != '\0') {
            p++;
            *p = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
        }
        *out++ = *p;
        end = is_space ? end : out;
    }
    *end = '\0';
}

static bool is_true(const char *value)
{
    return strcasecmp(value, "true") == 0 || strcasecmp(value, "yes") == 0 ||
           strcasecmp(value, "on") == 0 || strtol(value, NULL, 10) != 0;
}

static m31r_err take_path(const reading *r, const char *value, char **out, m31r_error *e)
{
    char *path = resolve(value, r->path);
    if (path == NULL) {
        return no_memory(e);
    }
    m31ri_free(*out);
    *out = path;
    return M31R_OK;
}

static m31r_err take_core(const reading *r, const char *key, const char *value, m31r_error *e)
{
    m31ri_git_repo *repo = r->repo;
    if (strcasecmp(key, "filemode") == 0) {
        repo->ignores_file_mode = !is_true(value);
    } else if (strcasecmp(key, "autocrlf") == 0) {
        repo->converts_line_ends = is_true(value) || strcasecmp(value, "input") == 0;
    } else if (strcasecmp(key, "sparsecheckout") == 0) {
        repo->is_sparse = is_true(value);
    } else if (strcasecmp(key, "excludesfile") == 0) {
        return take_path(r, value, &repo->excludes_file, e);
    } else if (strcasecmp(key, "attributesfile") == 0) {
        return take_path(r, value, &repo->attributes_file, e);
    }
    return M31R_OK;
}

static m31r_err take_include(const reading *r, const char *value, m31r_error *e)
{
    char *path = resolve(value, r->path);
    if (path == NULL) {
        return no_memory(e);
    }
    m31r_err err = r->depth < INCLUDE_DEPTH
                       ? read_config_file(r->repo, path, r->depth + 1, r->has_work_tree_config, e)
                       : M31R_OK;
    m31ri_free(path);
    return err;
}

static m31r_err take_setting(const reading *r, const char *key, const char *value, m31r_error *e)
{
    if (strcasecmp(r->section, "core") == 0) {
        return take_core(r, key, value, e);
    }
    if (strcasecmp(r->section, "include") == 0 && strcasecmp(key, "path") == 0) {
        return take_include(r, value, e);
    }
    if (strcasecmp(r->section, "extensions") == 0 && strcasecmp(key, "objectformat") == 0) {
        r->repo->oid_bytes = strcasecmp(value, "sha256") == 0 ? 32 : 20;
    }
    if (strcasecmp(r->section, "extensions") == 0 && strcasecmp(key, "worktreeconfig") == 0) {
        *r->has_work_tree_config = is_true(value);
    }
    return M31R_OK;
}

/* "[section]", "[section "name"]"; what follows on the line is a setting already. */
static char *take_section(reading *r, char *p)
{
    size_t n = strcspn(p + 1, " \t\"]");
    snprintf(r->section, sizeof r->section, "%.*s", (int)(n < KEY_BYTES ? n : 0), p + 1);
    p += 1 + n;
    if (*p != ']') {
        r->section[0] = '\0';
    }
    p += strcspn(p, "]");
    return p + (*p == ']');
}

/* One logical line. A key without '=' is true. */
static m31r_err take_line(reading *r, char *line, m31r_error *e)
{
    char none[] = "true";
    line += strspn(line, " \t");
    if (*line == '[') {
        line = take_section(r, line);
        line += strspn(line, " \t");
    }
    size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (n == 0) {
        return M31R_OK;
    }
    char *after = line + n + strspn(line + n, " \t");
    char *value = none;
    if (*after == '=') {
        value = after + 1 + strspn(after + 1, " \t");
        unquote(value);
    } else if (*after != '\0' && *after != '#' && *after != ';') {
        return M31R_OK; /* git would refuse the file */
    }
    line[n] = '\0';
    return take_setting(r, line, value, e);
}

/* The end of a logical line, NUL set there; lines that end with a backslash are joined. */
static char *end_line(char *line)
{
    char *end = line;
    for (; *end != '\0' && *end != '\n'; end++) {
        if (end[0] == '\\' && end[1] == '\n') {
            end[0] = end[1] = ' ';
        } else if (end[0] == '\\' && end[1] != '\0') {
            end++;
        }
    }
    bool is_last = *end == '\0';
    *end = '\0';
    if (end > line && end[-1] == '\r') {
        end[-1] = '\0';
    }
    return is_last ? NULL : end + 1;
}

static m31r_err read_config_file(m31ri_git_repo *repo, const char *path, int depth,
                                 bool *has_work_tree_config, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    reading r = {repo, path, "", has_work_tree_config, depth};
    int fd = m31ri_open_input(path);
    if (fd < 0) {
        return M31R_OK;
    }
    m31r_err err = m31ri_read_fd(fd, CONFIG_BYTES, &text, e);
    close(fd);
    for (char *line = err == M31R_OK ? text.data : NULL; line != NULL && err == M31R_OK;) {
        char *next = end_line(line);
        err = take_line(&r, line, e);
        line = next;
    }
    m31ri_buf_release(&text);
    return err;
}

/* Reads `beside`/`name`; `beside` NULL: nothing. */
static m31r_err read_beside(m31ri_git_repo *r, const char *beside, const char *name,
                            bool *has_work_tree_config, m31r_error *e)
{
    if (beside == NULL || beside[0] == '\0') {
        return M31R_OK;
    }
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_buf_add_format(&path, "%s/%s", beside, name);
    m31r_err err = m31ri_buf_ok(&path) ? read_config_file(r, path.data, 0, has_work_tree_config, e)
                                       : no_memory(e);
    m31ri_buf_release(&path);
    return err;
}

/* The user's own settings: GIT_CONFIG_GLOBAL alone when it is set. */
static m31r_err read_users(m31ri_git_repo *r, m31r_error *e)
{
    bool ignored = false;
    const char *given = getenv("GIT_CONFIG_GLOBAL");
    if (given != NULL) {
        return given[0] != '\0' ? read_config_file(r, given, 0, &ignored, e) : M31R_OK;
    }
    const char *config_home = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    bool has_config_home = config_home != NULL && config_home[0] != '\0';
    m31r_err err = has_config_home ? read_beside(r, config_home, "git/config", &ignored, e)
                                   : read_beside(r, home, ".config/git/config", &ignored, e);
    return err == M31R_OK ? read_beside(r, home, ".gitconfig", &ignored, e) : err;
}

/* Where core.excludesFile and core.attributesFile are when no setting says so. */
static m31r_err set_defaults(m31ri_git_repo *r, m31r_error *e)
{
    const char *config_home = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    bool has_config_home = config_home != NULL && config_home[0] != '\0';
    m31ri_buf base = M31RI_BUF_INIT;
    if (!has_config_home && (home == NULL || home[0] == '\0')) {
        return M31R_OK;
    }
    m31ri_buf_add_format(&base, "%s%s/git/", has_config_home ? config_home : home,
                         has_config_home ? "" : "/.config");
    size_t length = base.length;
    m31ri_buf_add_str(&base, "ignore");
    r->excludes_file = m31ri_strdup(m31ri_buf_str(&base));
    if (m31ri_buf_ok(&base)) {
        base.length = length;
        m31ri_buf_add_str(&base, "attributes");
        r->attributes_file = m31ri_strdup(m31ri_buf_str(&base));
    }
    bool ok = m31ri_buf_ok(&base) && r->excludes_file != NULL && r->attributes_file != NULL;
    m31ri_buf_release(&base);
    return ok ? M31R_OK : no_memory(e);
}

m31r_err m31ri_git_config_read(m31ri_git_repo *r, m31r_error *e)
{
    bool has_work_tree_config = false;
    bool ignored = false;
    const char *no_system = getenv("GIT_CONFIG_NOSYSTEM");
    m31r_err err = set_defaults(r, e);
    r->oid_bytes = 20;
    if (err == M31R_OK && (no_system == NULL || !is_true(no_system))) {
        err = read_config_file(r, "/etc/gitconfig", 0, &ignored, e);
    }
    if (err == M31R_OK) {
        err = read_users(r, e);
    }
    r->oid_bytes = 20; /* the repository's alone to say */
    if (err == M31R_OK) {
        err = read_beside(r, r->common, "config", &has_work_tree_config, e);
    }
    if (err == M31R_OK && has_work_tree_config) {
        err = read_beside(r, r->git_dir, "config.worktree", &ignored, e);
    }
    return err;
}
