/* json_read.c - the strict reader: one pass over the text with an explicit stack, no recursion.
 *
 * Order of judgement: UTF-8 first (over the whole text), then the grammar, then what is grammatical
 * but unfit (not an object, a key twice, a lone surrogate). So a class says the worst that is true
 * of the text, not what was met first.
 *
 * Doubled keys: the keys of all open objects lie in one array, those of the innermost object last.
 * When an object ends, its keys are checked (json_keys.c) and taken off. The array lives on the
 * stack for the first 64 keys and on the heap beyond.
 */
#include "format/json_read.h"

#include <string.h>

#include "base/alloc.h"
#include "format/json_keys.h"
#include "format/json_read_int.h"
#include "format/json_text.h"
#include "format/json_text_int.h"

#define KEYS_ON_STACK 64

typedef struct reader {
    const char *p, *end;
    m31ri_json_class fault; /* what stopped the reading */
    const char *doubled;    /* the first key found twice, else NULL */
    const char *lone;       /* the first lone surrogate, else NULL */
    bool stopped;           /* `each` wants no more */
    size_t depth;
    struct {
        char kind;                /* '{' or '[' */
        bool begun;               /* has a first element */
        size_t first_key;         /* index into keys */
    } open[M31RI_JSON_DEPTH + 1]; /* [1..depth] */
    m31ri_json_member member;     /* of the top object, being read */
    bool (*each)(void *context, const m31ri_json_member *m);
    void *context;
    size_t n_keys, room;
    m31ri_json_key *keys;
    m31ri_json_key first_keys[KEYS_ON_STACK];
} reader;

const char *m31ri_json_class_name(m31ri_json_class c)
{
    static const char *const names[] = {
        "ok",       "empty",   "not_json",       "not_object", "invalid_utf8",
        "too_deep", "dup_key", "lone_surrogate", "no_memory",
    };
    return (unsigned)c < sizeof names / sizeof *names ? names[c] : "?";
}

static bool fail(reader *r, m31ri_json_class fault)
{
    r->fault = fault;
    return false;
}

static bool keep_key(reader *r, const char *text, size_t length, bool escaped)
{
    if (r->n_keys == r->room) {
        m31ri_json_key *more = m31ri_alloc(2 * r->room * sizeof *more);
        if (more == NULL) {
            return fail(r, M31RI_JSON_NO_MEMORY);
        }
        memcpy(more, r->keys, r->n_keys * sizeof *more);
        if (r->keys != r->first_keys) {
            m31ri_free(r->keys);
        }
        r->keys = more;
        r->room *= 2;
    }
    m31ri_json_key_set(&r->keys[r->n_keys++], text, length, escaped);
    return true;
}

static void skip_space(reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r')) {
        r->p++;
    }
}

static bool read_literal(reader *r, const char *word, size_t length)
{
    if ((size_t)(r->end - r->p) < length || memcmp(r->p, word, length) != 0) {
        return fail(r, M31RI_JSON_NOT_JSON);
    }
    r->p += length;
    return true;
}

/* One or more digits. */
static bool read_digits(reader *r)
{
    const char *start = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
        r->p++;
    }
    return r->p != start || fail(r, M31RI_JSON_NOT_JSON);
}

static bool read_number(reader *r)
{
    r->p += *r->p == '-';
    if (r->p < r->end && *r->p == '0') {
        r->p++; /* no digit may follow: what follows is judged by whoever asked for a value */
    } else if (!read_digits(r)) {
        return false;
    }
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!read_digits(r)) {
            return false;
        }
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        r->p += r->p < r->end && (*r->p == '+' || *r->p == '-');
        return read_digits(r);
    }
    return true;
}

/* An escape; `r->p` stands on the backslash. Notes the first surrogate that has no partner. */
static bool read_escape(reader *r)
{
    const char *start = r->p;
    if (r->end - r->p < 2 || r->p[1] == '\0' || strchr("\"\\/bfnrtu", r->p[1]) == NULL) {
        return fail(r, M31RI_JSON_NOT_JSON);
    }
    r->p += 2;
    uint32_t code, low;
    if (start[1] != 'u') {
        return true;
    }
    if (!m31ri_json_hex4(r->p, r->end, &code)) {
        return fail(r, M31RI_JSON_NOT_JSON);
    }
    r->p += 4;
    if (code < 0xd800 || code > 0xdfff) {
        return true;
    }
    bool paired = code <= 0xdbff && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u' &&
                  m31ri_json_hex4(r->p + 2, r->end, &low) && low >= 0xdc00 && low <= 0xdfff;
    if (paired) {
        r->p += 6;
    } else if (r->lone == NULL) {
        r->lone = start;
    }
    return true;
}

/* A string; `r->p` stands on its quote. The body's place and whether it holds an escape go out. */
static bool read_string(reader *r, const char **body, size_t *length, bool *escaped)
{
    const char *start = ++r->p;
    *escaped = false;
    for (;;) {
        r->p += m31ri_json_plain_prefix(r->p, (size_t)(r->end - r->p));
        if (r->p == r->end || (unsigned char)*r->p < 0x20) {
            return fail(r, M31RI_JSON_NOT_JSON);
        }
        if (*r->p == '"') {
            break;
        }
        if (*r->p != '\\') {
            r->p++; /* DEL, or a byte of a UTF-8 sequence that is known to be good */
            continue;
        }
        *escaped = true;
        if (!read_escape(r)) {
            return false;
        }
    }
    *body = start;
    *length = (size_t)(r->p - start);
    r->p++;
    return true;
}

static bool in_top_object(const reader *r)
{
    return r->depth == 1 && r->open[1].kind == '{';
}

/* A value has ended at `r->p`: when it is the top object's, its member is whole. */
static void end_value(reader *r)
{
    if (!in_top_object(r) || r->each == NULL) {
        return;
    }
    m31ri_json_member *m = &r->member;
    if (m->type != 's') {
        m->value_length = (size_t)(r->p - m->value);
    }
    r->stopped = !r->each(r->context, m);
}

static bool open_container(reader *r)
{
    if (r->depth == M31RI_JSON_DEPTH) {
        return fail(r, M31RI_JSON_TOO_DEEP);
    }
    r->depth++;
    r->open[r->depth].kind = *r->p++;
    r->open[r->depth].begun = false;
    r->open[r->depth].first_key = r->n_keys;
    return true;
}

static void close_container(reader *r)
{
    size_t first = r->open[r->depth].first_key;
    if (r->doubled == NULL) {
        r->doubled = m31ri_json_keys_doubled(r->keys + first, r->n_keys - first);
    }
    r->n_keys = first;
    r->depth--;
    r->p++;
    end_value(r);
}

/* A scalar whole, or the start of an object or array. */
static bool read_value(reader *r)
{
    if (r->p == r->end) {
        return fail(r, M31RI_JSON_NOT_JSON);
    }
    const char *start = r->p;
    const char *body = NULL;
    size_t length = 0;
    bool escaped = false;
    bool good = false;
    char type = *r->p;
    switch (type) {
    case '{':
        type = 'o';
        break;
    case '[':
        type = 'a';
        break;
    case '"':
        type = 's';
        good = read_string(r, &body, &length, &escaped);
        break;
    case 't':
        good = read_literal(r, "true", 4);
        break;
    case 'f':
        good = read_literal(r, "false", 5);
        break;
    case 'n':
        type = '0';
        good = read_literal(r, "null", 4);
        break;
    default:
        type = 'n';
        good = read_number(r);
        break;
    }
    if (in_top_object(r)) {
        r->member.type = type;
        r->member.value = body != NULL ? body : start;
        r->member.value_length = length;
        r->member.value_escaped = escaped;
    }
    if (type == 'o' || type == 'a') {
        return open_container(r);
    }
    if (good) {
        end_value(r);
    }
    return good;
}

static bool read_key(reader *r)
{
    const char *text;
    size_t length;
    bool escaped;
    if (r->p == r->end || *r->p != '"') {
        return fail(r, M31RI_JSON_NOT_JSON);
    }
    if (!read_string(r, &text, &length, &escaped) || !keep_key(r, text, length, escaped)) {
        return false;
    }
    if (r->depth == 1) {
        r->member.key = text;
        r->member.key_length = length;
        r->member.key_escaped = escaped;
    }
    skip_space(r);
    if (r->p == r->end || *r->p != ':') {
        return fail(r, M31RI_JSON_NOT_JSON);
    }
    r->p++;
    skip_space(r);
    return true;
}

/* What may come next inside the innermost open object or array: its end, or one more element. */
static bool read_next(reader *r)
{
    char kind = r->open[r->depth].kind;
    skip_space(r);
    if (r->p == r->end) {
        return fail(r, M31RI_JSON_NOT_JSON);
    }
    if (*r->p == (kind == '{' ? '}' : ']')) {
        close_container(r);
        return true;
    }
    if (r->open[r->depth].begun) {
        if (*r->p != ',') {
            return fail(r, M31RI_JSON_NOT_JSON);
        }
        r->p++;
        skip_space(r);
    }
    r->open[r->depth].begun = true;
    return (kind != '{' || read_key(r)) && read_value(r);
}

/* Reads the one value and what follows it. `*is_object`: whether the value is one. */
static m31ri_json_class read_text(reader *r, bool *is_object)
{
    skip_space(r);
    if (r->p == r->end) {
        return M31RI_JSON_EMPTY;
    }
    *is_object = *r->p == '{';
    bool good = read_value(r);
    while (good && r->depth != 0 && !r->stopped) {
        good = read_next(r);
    }
    if (!good) {
        return r->fault;
    }
    if (r->stopped) {
        return M31RI_JSON_OK;
    }
    skip_space(r);
    return r->p == r->end ? M31RI_JSON_OK : M31RI_JSON_NOT_JSON;
}

static m31ri_json_class classify(reader *r, const char *text, size_t length, bool any_root)
{
    r->p = text;
    r->end = text + length;
    size_t bad_at = m31ri_utf8_valid_prefix(text, length);
    if (bad_at != length) {
        r->p = text + bad_at;
        return M31RI_JSON_INVALID_UTF8;
    }
    bool is_object = false;
    m31ri_json_class c = read_text(r, &is_object);
    if (c != M31RI_JSON_OK || r->stopped) {
        return c;
    }
    if (!is_object && !any_root) {
        r->p = text;
        return M31RI_JSON_NOT_OBJECT;
    }
    if (r->doubled != NULL) {
        r->p = r->doubled;
        return M31RI_JSON_DUP_KEY;
    }
    if (r->lone != NULL) {
        r->p = r->lone;
        return M31RI_JSON_LONE_SURROGATE;
    }
    return M31RI_JSON_OK;
}

static void prepare(reader *r)
{
    r->fault = M31RI_JSON_OK;
    r->doubled = NULL;
    r->lone = NULL;
    r->stopped = false;
    r->depth = 0;
    r->each = NULL;
    r->context = NULL;
    r->n_keys = 0;
    r->room = KEYS_ON_STACK;
    r->keys = r->first_keys;
}

static void finish(reader *r)
{
    if (r->keys != r->first_keys) {
        m31ri_free(r->keys);
    }
}

m31ri_json_class m31ri_json_read_object(const char *text, size_t length,
                                        bool (*each)(void *context, const m31ri_json_member *m),
                                        void *context, size_t *error_at)
{
    reader r;
    prepare(&r);
    r.each = each;
    r.context = context;
    m31ri_json_class c = classify(&r, text, length, false);
    if (c != M31RI_JSON_OK && error_at != NULL) {
        *error_at = (size_t)(r.p - text);
    }
    finish(&r);
    return c;
}

m31ri_json_class m31ri_json_read_value_class(const char *text, size_t length)
{
    reader r;
    prepare(&r);
    m31ri_json_class c = classify(&r, text, length, true);
    finish(&r);
    return c;
}
