/* foreign.c - reads a JSON line of a program into a record's fields; foreign.h says by which rules.
 *
 * Two passes in one: members are collected as they come, and only at the end it is known whether
 * the object has the form of our records. The text buffer is made large enough before the first
 * pointer into it is taken.
 */
#include "observe/foreign.h"

#include <string.h>

#include "format/json_read.h"
#include "format/json_text.h"
#include "format/names.h"
#include "format/number.h"

enum { TS, LEVEL, MODULE, MSG, N_RESERVED };

static const char *const reserved[N_RESERVED] = {"ts", "level", "module", "msg"};
static const char *const renamed[N_RESERVED] = {"src_ts", "src_level", "src_module", "src_msg"};

typedef struct collector {
    m31ri_foreign *f;
    m31r_value head[N_RESERVED]; /* reserved members as they came; type NULL and has[] false when
                                    missing */
    bool has[N_RESERVED];
    bool is_full;
} collector;

static m31r_value unescaped(m31ri_foreign *f, const char *body, size_t length, bool is_escaped)
{
    if (!is_escaped) {
        return m31r_text(body, length);
    }
    size_t start = f->text.length;
    m31ri_json_unescape(&f->text, body, length);
    return m31r_text(f->text.data + start, f->text.length - start);
}

/* A number as the type that keeps it; as its text when none does. */
static m31r_value number_value(const char *text, size_t length)
{
    int64_t i;
    double d;
    bool is_integer = memchr(text, '.', length) == NULL && memchr(text, 'e', length) == NULL &&
                      memchr(text, 'E', length) == NULL;
    if (is_integer && !(length == 2 && memcmp(text, "-0", 2) == 0)) {
        return m31ri_number_read_int(text, length, &i) ? m31r_of_int(i) : m31r_text(text, length);
    }
    if (m31ri_number_read_double(text, length, &d) && d - d == 0) {
        return m31r_of_double(d);
    }
    return m31r_text(text, length);
}

static m31r_value value_of(m31ri_foreign *f, const m31ri_json_member *m)
{
    switch (m->type) {
    case 's':
        return unescaped(f, m->value, m->value_length, m->value_escaped);
    case 'n':
        return number_value(m->value, m->value_length);
    case 't':
        return m31r_of_bool(true);
    case 'f':
        return m31r_of_bool(false);
    case '0':
        return m31r_of_string(NULL);
    default:
        return m31r_text(m->value, m->value_length);
    }
}

static bool is_text(m31r_value v, const char *s)
{
    return v.type == M31R_T_STRING && v.length == strlen(s) && memcmp(v.as.s, s, v.length) == 0;
}

static bool collect(void *context, const m31ri_json_member *m)
{
    collector *c = context;
    m31r_value key = unescaped(c->f, m->key, m->key_length, m->key_escaped);
    m31r_value value = value_of(c->f, m);
    for (int i = 0; i < N_RESERVED; i++) {
        if (is_text(key, reserved[i])) {
            c->head[i] = value;
            c->has[i] = true;
            return true;
        }
    }
    if (c->f->n + N_RESERVED >= M31RI_FOREIGN_FIELDS) {
        c->is_full = true;
        return false;
    }
    c->f->keys[c->f->n] = key;
    c->f->values[c->f->n++] = value;
    return true;
}

static m31r_level level_of(m31r_value v)
{
    char name[16] = "";
    if (v.type != M31R_T_STRING || v.length >= sizeof name) {
        return 0;
    }
    memcpy(name, v.as.s, v.length);
    return m31r_level_of(name);
}

/* Puts reserved members that are not taken over in front, under their other name. */
static void keep_reserved(collector *c, const bool taken[N_RESERVED])
{
    size_t n = 0;
    for (int i = 0; i < N_RESERVED; i++) {
        n += c->has[i] && !taken[i];
    }
    m31ri_foreign *f = c->f;
    memmove(f->keys + n, f->keys, f->n * sizeof *f->keys);
    memmove(f->values + n, f->values, f->n * sizeof *f->values);
    f->n += n;
    n = 0;
    for (int i = 0; i < N_RESERVED; i++) {
        if (c->has[i] && !taken[i]) {
            f->keys[n] = m31r_of_string(renamed[i]);
            f->values[n++] = c->head[i];
        }
    }
}

static void take_head(collector *c)
{
    m31ri_foreign *f = c->f;
    m31r_level level = level_of(c->head[LEVEL]);
    m31r_value module = c->head[MODULE];
    bool is_ours = c->has[TS] && level != 0 && module.type == M31R_T_STRING &&
                   c->head[MSG].type == M31R_T_STRING &&
                   m31ri_module_name_is_valid(module.as.s, module.length);
    bool taken[N_RESERVED] = {false, is_ours && level <= M31R_ERROR, is_ours, is_ours};
    f->level = level == 0 ? M31R_INFO : level > M31R_ERROR ? M31R_ERROR : level;
    f->message = is_ours ? c->head[MSG] : m31r_of_string("json");
    memset(f->module, 0, sizeof f->module);
    if (is_ours) {
        memcpy(f->module, module.as.s, module.length);
    }
    keep_reserved(c, taken);
}

bool m31ri_foreign_read(m31ri_foreign *f, const char *line, size_t length)
{
    size_t start = 0;
    while (start < length && (line[start] == ' ' || line[start] == '\t')) {
        start++;
    }
    if (start == length || line[start] != '{') {
        return false;
    }
    f->n = 0;
    m31ri_buf_clear(&f->text);
    if (!m31ri_buf_reserve(&f->text, length + 1)) { /* text never grows when it is unescaped */
        return false;
    }
    collector c = {.f = f};
    m31ri_json_class class =
        m31ri_json_read_object(line + start, length - start, collect, &c, NULL);
    if (class != M31RI_JSON_OK || c.is_full || !m31ri_buf_ok(&f->text)) {
        return false;
    }
    take_head(&c);
    return true;
}

void m31ri_foreign_release(m31ri_foreign *f)
{
    m31ri_buf_release(&f->text);
}
