/* git_rules.c - the lines of .gitignore and .gitattributes as patterns.
 *
 * The text is cut up in place: each pattern and what follows it end with a NUL where the file has
 * white space or a line end.
 */
#include "git/git_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"

/* Cuts spaces off the end, but not one after a backslash. */
static void trim_spaces(char *line)
{
    size_t length = strlen(line);
    while (length > 0 && line[length - 1] == ' ' && (length < 2 || line[length - 2] != '\\')) {
        line[--length] = '\0';
    }
}

/* A pattern in double quotes, unescaped in place; NULL when the quotes do not end. */
static char *take_quoted(char *line, char **rest)
{
    char *out = line;
    char *p = line + 1;
    for (; *p != '\0' && *p != '"'; p++) {
        p += p[0] == '\\' && p[1] != '\0';
        *out++ = *p;
    }
    if (*p != '"') {
        return NULL;
    }
    *rest = p + 1;
    *out = '\0';
    return line;
}

/* Parts a line of attributes into pattern and the rest; NULL for one without a meaning here (a
 * macro is one). */
static char *part_attributes(char *line, char **rest)
{
    line += strspn(line, " \t");
    if (*line == '\0' || *line == '#' || *line == '!' || strncmp(line, "[attr]", 6) == 0) {
        return NULL;
    }
    if (*line == '"') {
        return take_quoted(line, rest);
    }
    char *end = line + strcspn(line, " \t");
    *rest = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return line;
}

static char *part_ignored(char *line, bool *is_negated)
{
    if (*line == '#') {
        return NULL;
    }
    trim_spaces(line);
    *is_negated = *line == '!';
    line += *is_negated;
    return *line != '\0' ? line : NULL;
}

/* Makes a rule of one line, when it is one. */
static bool take_line(char *line, m31ri_git_rule_kind kind, m31ri_git_rule *out)
{
    bool is_negated = false;
    char *rest = line + strlen(line);
    char *pattern =
        kind == M31RI_GIT_IGNORES ? part_ignored(line, &is_negated) : part_attributes(line, &rest);
    if (pattern == NULL) {
        return false;
    }
    size_t length = strlen(pattern);
    bool is_directory_only = length > 1 && pattern[length - 1] == '/';
    if (is_directory_only) {
        pattern[length - 1] = '\0';
    }
    bool is_anchored = strchr(pattern, '/') != NULL;
    *out = (m31ri_git_rule){.pattern = pattern + (*pattern == '/'),
                            .attributes = rest,
                            .is_negated = is_negated,
                            .is_directory_only = is_directory_only,
                            .is_anchored = is_anchored};
    return *out->pattern != '\0';
}

static m31r_err parse(m31ri_git_rules *r, m31ri_git_rule_kind kind, m31r_error *e)
{
    size_t n_lines = 1;
    for (size_t i = 0; i < r->text.length; i++) {
        n_lines += r->text.data[i] == '\n';
    }
    r->items = m31ri_calloc(n_lines, sizeof *r->items);
    if (r->items == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory reading git's rules");
    }
    char *line = r->text.data;
    line += strncmp(line, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (char *end = line; end != NULL; line = end + 1) {
        end = strchr(line, '\n');
        if (end != NULL) {
            *(end > line && end[-1] == '\r' ? end - 1 : end) = '\0';
        }
        r->n += take_line(line, kind, &r->items[r->n]);
        if (end == NULL) {
            break;
        }
    }
    return M31R_OK;
}

m31r_err m31ri_git_rules_read(int dir, const char *name, m31ri_git_rule_kind kind,
                              m31ri_git_rules *out, m31r_error *e)
{
    m31ri_git_rules r = {0};
    int fd = m31ri_open(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0) {
        *out = r;
        return M31R_OK;
    }
    m31r_err err = m31ri_read_fd(fd, M31RI_GIT_RULES_BYTES, &r.text, e);
    close(fd);
    if (err == M31R_E_IO) { /* a directory of that name */
        err = M31R_OK;
        m31ri_buf_clear(&r.text);
    }
    if (err == M31R_OK && r.text.length > 0) {
        err = parse(&r, kind, e);
    }
    if (err != M31R_OK) {
        m31ri_git_rules_release(&r);
        return err;
    }
    *out = r;
    return M31R_OK;
}

void m31ri_git_rules_release(m31ri_git_rules *r)
{
    m31ri_free(r->items);
    m31ri_buf_release(&r->text);
    *r = (m31ri_git_rules){0};
}
