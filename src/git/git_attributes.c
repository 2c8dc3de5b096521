/* git_attributes.c - what .gitattributes says of a path, and line ends as git would store them.
 *
 * Sources from the strongest on: info/attributes, the file in each directory of the path from the
 * deepest up, core.attributesFile. In one source the last line that names an attribute wins. Macros
 * other than `binary` are not known here.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "git/git_facts_int.h"
#include "git/git_rules.h"

/* The rules of one directory of the work tree. */
typedef struct directory_rules {
    char *directory; /* "" or ending in '/' */
    m31ri_git_rules rules;
} directory_rules;

struct m31ri_git_attributes {
    int top;
    m31ri_git_rules strongest, weakest;
    directory_rules *items;
    size_t n, capacity;
};

typedef enum value_kind { NOT_SAID, SET, UNSET, UNSPECIFIED, TEXT } value_kind;

typedef struct value {
    value_kind kind;
    const char *text; /* of TEXT */
    size_t length;
} value;

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory reading git's attributes");
}

m31r_err m31ri_git_attributes_new(const m31ri_git_repo *r, int top, m31ri_git_attributes **out,
                                  m31r_error *e)
{
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_git_attributes *a = m31ri_calloc(1, sizeof *a);
    m31ri_buf_add_format(&path, "%s/info/attributes", r->common);
    m31r_err err = a != NULL && m31ri_buf_ok(&path) ? M31R_OK : no_memory(e);
    if (err == M31R_OK) {
        a->top = top;
        err = m31ri_git_rules_read(AT_FDCWD, path.data, M31RI_GIT_ATTRIBUTES, &a->strongest, e);
    }
    if (err == M31R_OK && r->attributes_file != NULL) {
        err = m31ri_git_rules_read(AT_FDCWD, r->attributes_file, M31RI_GIT_ATTRIBUTES, &a->weakest,
                                   e);
    }
    m31ri_buf_release(&path);
    if (err != M31R_OK) {
        m31ri_git_attributes_free(a);
        return err;
    }
    *out = a;
    return M31R_OK;
}

void m31ri_git_attributes_free(m31ri_git_attributes *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < a->n; i++) {
        m31ri_free(a->items[i].directory);
        m31ri_git_rules_release(&a->items[i].rules);
    }
    m31ri_free(a->items);
    m31ri_git_rules_release(&a->strongest);
    m31ri_git_rules_release(&a->weakest);
    m31ri_free(a);
}

/* Adds the rules of the directory that the first `length` bytes of `path` name. */
static m31r_err load(m31ri_git_attributes *a, const char *path, size_t length, m31r_error *e)
{
    if (a->n == a->capacity) {
        size_t capacity = a->capacity == 0 ? 16 : a->capacity * 2;
        directory_rules *items = m31ri_realloc(a->items, capacity * sizeof *items);
        if (items == NULL) {
            return no_memory(e);
        }
        a->items = items;
        a->capacity = capacity;
    }
    m31ri_buf name = M31RI_BUF_INIT;
    directory_rules d = {.directory = m31ri_strndup(path, length)};
    m31ri_buf_add(&name, path, length);
    m31ri_buf_add_str(&name, ".gitattributes");
    m31r_err err = d.directory != NULL && m31ri_buf_ok(&name) ? M31R_OK : no_memory(e);
    if (err == M31R_OK) {
        err = m31ri_git_rules_read(a->top, name.data, M31RI_GIT_ATTRIBUTES, &d.rules, e);
    }
    m31ri_buf_release(&name);
    if (err != M31R_OK) {
        m31ri_free(d.directory);
        return err;
    }
    a->items[a->n++] = d;
    return M31R_OK;
}

static const m31ri_git_rules *loaded(const m31ri_git_attributes *a, const char *path, size_t length)
{
    for (size_t i = a->n; i-- > 0;) {
        const char *directory = a->items[i].directory;
        if (strlen(directory) == length && memcmp(directory, path, length) == 0) {
            return &a->items[i].rules;
        }
    }
    return NULL;
}

/* Loads the rules of every directory of `path`. */
static m31r_err load_all(m31ri_git_attributes *a, const char *path, m31r_error *e)
{
    m31r_err err = M31R_OK;
    for (const char *at = path; err == M31R_OK && at != NULL;) {
        size_t length = (size_t)(at - path);
        if (loaded(a, path, length) == NULL) {
            err = load(a, path, length, e);
        }
        const char *slash = strchr(at, '/');
        at = slash != NULL ? slash + 1 : NULL;
    }
    return err;
}

/* What one word of a line says of the attribute `name`. */
static value read_word(const char *word, size_t length, const char *name)
{
    size_t n = strlen(name);
    bool has_sign = length > 0 && (*word == '-' || *word == '!');
    const char *text = word + has_sign;
    size_t rest = length - has_sign;
    bool is_of_binary = strcmp(name, "text") == 0 || strcmp(name, "diff") == 0;
    if (is_of_binary && !has_sign && rest == 6 && memcmp(text, "binary", 6) == 0) {
        return (value){.kind = UNSET};
    }
    if (rest < n || memcmp(text, name, n) != 0) {
        return (value){.kind = NOT_SAID};
    }
    if (rest > n && text[n] == '=' && !has_sign) {
        return (value){TEXT, text + n + 1, rest - n - 1};
    }
    if (rest > n) {
        return (value){.kind = NOT_SAID};
    }
    return (value){.kind = !has_sign ? SET : *word == '-' ? UNSET : UNSPECIFIED};
}

static value read_line(const char *attributes, const char *name)
{
    value last = {.kind = NOT_SAID};
    for (const char *at = attributes + strspn(attributes, " \t"); *at != '\0';) {
        size_t length = strcspn(at, " \t");
        value v = read_word(at, length, name);
        last = v.kind != NOT_SAID ? v : last;
        at += length;
        at += strspn(at, " \t");
    }
    return last;
}

static value read_rules(const m31ri_git_rules *rules, const char *path, const char *name)
{
    for (size_t i = rules->n; i-- > 0;) {
        value v = read_line(rules->items[i].attributes, name);
        if (v.kind != NOT_SAID && m31ri_git_rule_matches(&rules->items[i], path, false)) {
            return v;
        }
    }
    return (value){.kind = NOT_SAID};
}

/* The rules of the directories of `path` must be loaded. */
static value find_value(const m31ri_git_attributes *a, const char *path, const char *name)
{
    value v = read_rules(&a->strongest, path, name);
    for (size_t at = strlen(path); v.kind == NOT_SAID; at--) {
        if (at == 0 || path[at - 1] == '/') {
            v = read_rules(loaded(a, path, at), path + at, name);
        }
        if (at == 0) {
            break;
        }
    }
    return v.kind == NOT_SAID ? read_rules(&a->weakest, path, name) : v;
}

static bool is_text(const value *v, const char *text)
{
    return v->kind == TEXT && strlen(text) == v->length && memcmp(v->text, text, v->length) == 0;
}

static m31ri_git_text text_of(const m31ri_git_attributes *a, const char *path, bool converts)
{
    value text = find_value(a, path, "text");
    if (text.kind == NOT_SAID || text.kind == UNSPECIFIED) {
        text = find_value(a, path, "crlf"); /* its old name */
    }
    if (text.kind == UNSET) {
        return M31RI_GIT_TEXT_NO;
    }
    if (text.kind == SET || is_text(&text, "input")) {
        return M31RI_GIT_TEXT_YES;
    }
    if (is_text(&text, "auto")) {
        return M31RI_GIT_TEXT_AUTO;
    }
    value eol = find_value(a, path, "eol");
    if (is_text(&eol, "lf") || is_text(&eol, "crlf")) {
        return M31RI_GIT_TEXT_YES;
    }
    return converts ? M31RI_GIT_TEXT_AUTO : M31RI_GIT_TEXT_NO;
}

static bool is_said(const value *v)
{
    return v->kind == SET || v->kind == TEXT;
}

m31r_err m31ri_git_manner_of(m31ri_git_attributes *a, const m31ri_git_repo *r, const char *path,
                             m31ri_git_manner *out, m31r_error *e)
{
    m31r_err err = load_all(a, path, e);
    if (err != M31R_OK) {
        return err;
    }
    value diff = find_value(a, path, "diff");
    value filter = find_value(a, path, "filter");
    value ident = find_value(a, path, "ident");
    value encoding = find_value(a, path, "working-tree-encoding");
    out->text = text_of(a, path, r->converts_line_ends);
    out->is_binary = diff.kind == UNSET;
    out->is_lfs = is_text(&filter, "lfs");
    out->has_filter = (is_said(&filter) && !out->is_lfs) || is_said(&ident) || is_said(&encoding);
    return M31R_OK;
}
