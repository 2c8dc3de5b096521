/* fuzz_json_read.c - any bytes as JSON text, judged by our reader and by jansson.
 *
 * Each line and the whole input. What jansson takes we take, but for our depth; what we take
 * jansson takes, but for numbers beyond its types and NUL in keys, which it refuses. Members lie
 * inside the text, and their strings survive unescaping and escaping.
 */
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "format/json_read_int.h"
#include "format/json_text.h"
#include "format/record.h"
#include "fuzz.h"

typedef struct text {
    const char *start, *end;
    size_t n_members;
} text;

/* Escaping what a body stands for gives a body that stands for the same. */
static void check_body(const char *body, size_t length)
{
    m31ri_buf plain = M31RI_BUF_INIT, escaped = M31RI_BUF_INIT, again = M31RI_BUF_INIT;
    m31ri_json_unescape(&plain, body, length);
    REQUIRE(m31ri_utf8_is_valid(m31ri_buf_str(&plain), plain.length));
    m31ri_json_escape(&escaped, m31ri_buf_str(&plain), plain.length);
    m31ri_json_unescape(&again, m31ri_buf_str(&escaped), escaped.length);
    REQUIRE(plain.length == again.length &&
            memcmp(m31ri_buf_str(&plain), m31ri_buf_str(&again), plain.length) == 0);
    m31ri_buf_release(&plain);
    m31ri_buf_release(&escaped);
    m31ri_buf_release(&again);
}

static bool check_member(void *context, const m31ri_json_member *m)
{
    text *t = context;
    REQUIRE(m->key >= t->start && m->key + m->key_length <= t->end);
    REQUIRE(m->value >= t->start && m->value + m->value_length <= t->end);
    REQUIRE(strchr("sntf0oa", m->type) != NULL);
    check_body(m->key, m->key_length);
    if (m->type == 's') {
        check_body(m->value, m->value_length);
    }
    t->n_members++;
    return true;
}

static void check_against_jansson(const char *s, size_t length, m31ri_json_class ours)
{
    if (memchr(s, 0, length) != NULL) {
        REQUIRE(ours != M31RI_JSON_OK); /* jansson passes over a NUL between tokens */
        return;
    }
    json_error_t e;
    json_t *theirs =
        json_loadb(s, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    if (theirs != NULL) {
        REQUIRE(ours == M31RI_JSON_OK || ours == M31RI_JSON_TOO_DEEP);
        json_decref(theirs);
    } else if (ours == M31RI_JSON_OK) {
        enum json_error_code code = json_error_code(&e);
        REQUIRE(code == json_error_numeric_overflow || code == json_error_null_byte_in_key);
    }
}

static void check_text(const char *s, size_t length)
{
    text t = {s, s + length, 0};
    size_t at = 0;
    m31ri_json_class c = m31ri_json_read_object(s, length, check_member, &t, &at);
    REQUIRE(at <= length);
    m31ri_json_class any = m31ri_json_read_value_class(s, length);
    REQUIRE(any == c || c == M31RI_JSON_NOT_OBJECT);
    check_against_jansson(s, length, any);
    m31ri_record_head head;
    REQUIRE(m31ri_record_read(s, length, &head) == c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    const char *end = p + size;
    check_text(p, size);
    for (const char *newline; p < end && (newline = memchr(p, '\n', (size_t)(end - p))) != NULL;
         p = newline + 1) {
        check_text(p, (size_t)(newline - p));
    }
    return 0;
}
