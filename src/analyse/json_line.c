/* json_line.c - m31r/json.h: a growing buffer and a small stack of brackets.
 *
 * A streaming writer, not a tree: outputs are written in one pass, in the order of the code, so
 * that the order of members is the order a reader of the code sees. Commas follow from one bit for
 * each depth.
 */
#include "m31r/json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "format/json_text.h"
#include "format/number.h"

#define DEPTH_LIMIT 16

struct m31r_json {
    m31ri_buf text;
    char closing[DEPTH_LIMIT];
    bool has_member[DEPTH_LIMIT];
    unsigned depth; /* brackets open; the top object is 1 */
};

static void add_key(m31r_json *j, const char *key)
{
    unsigned top = j->depth - 1;
    if (j->has_member[top]) {
        m31ri_buf_add_char(&j->text, ',');
    }
    j->has_member[top] = true;
    if (key != NULL) {
        m31ri_json_string(&j->text, key, strlen(key));
        m31ri_buf_add_char(&j->text, ':');
    }
}

static bool is_usable(const m31r_json *j)
{
    return j != NULL && j->depth > 0;
}

m31r_json *m31r_json_new(const char *kind)
{
    m31r_json *j = m31ri_calloc(1, sizeof *j);
    if (j == NULL) {
        return NULL;
    }
    m31ri_buf_add_char(&j->text, '{');
    j->closing[0] = '}';
    j->depth = 1;
    if (kind != NULL) {
        m31r_json_add_int(j, "v", 1);
        m31r_json_add_text(j, "kind", kind);
    }
    return j;
}

void m31r_json_free(m31r_json *j)
{
    if (j != NULL) {
        m31ri_buf_release(&j->text);
        m31ri_free(j);
    }
}

void m31r_json_open(m31r_json *j, const char *key, char bracket)
{
    if (!is_usable(j)) {
        return;
    }
    if (j->depth == DEPTH_LIMIT) {
        j->text.failed = true;
        return;
    }
    add_key(j, key);
    m31ri_buf_add_char(&j->text, bracket);
    j->closing[j->depth] = bracket == '[' ? ']' : '}';
    j->has_member[j->depth] = false;
    j->depth++;
}

void m31r_json_close(m31r_json *j)
{
    if (is_usable(j) && j->depth > 1) {
        m31ri_buf_add_char(&j->text, j->closing[--j->depth]);
    }
}

void m31r_json_add_text(m31r_json *j, const char *key, const char *text)
{
    m31r_json_add_bytes(j, key, text, text != NULL ? strlen(text) : 0);
}

void m31r_json_add_bytes(m31r_json *j, const char *key, const char *text, size_t length)
{
    if (!is_usable(j)) {
        return;
    }
    if (text == NULL) {
        m31r_json_add_null(j, key);
        return;
    }
    add_key(j, key);
    m31ri_json_string(&j->text, text, length);
}

void m31r_json_add_int(m31r_json *j, const char *key, int64_t value)
{
    if (is_usable(j)) {
        add_key(j, key);
        char digits[M31RI_NUMBER_BYTES];
        m31ri_buf_add(&j->text, digits, m31ri_number_write_int(value, digits));
    }
}

void m31r_json_add_double(m31r_json *j, const char *key, double value)
{
    if (is_usable(j)) {
        char digits[M31RI_NUMBER_BYTES];
        const char *quote = isfinite(value) ? "" : "\"";
        add_key(j, key);
        m31ri_buf_add_str(&j->text, quote);
        m31ri_buf_add(&j->text, digits, m31ri_number_write_double(value, digits));
        m31ri_buf_add_str(&j->text, quote);
    }
}

void m31r_json_add_bool(m31r_json *j, const char *key, bool value)
{
    m31r_json_add_raw(j, key, value ? "true" : "false", value ? 4 : 5);
}

void m31r_json_add_null(m31r_json *j, const char *key)
{
    m31r_json_add_raw(j, key, "null", 4);
}

void m31r_json_add_raw(m31r_json *j, const char *key, const char *json, size_t length)
{
    if (is_usable(j)) {
        add_key(j, key);
        m31ri_buf_add(&j->text, json, length);
    }
}

m31r_err m31r_json_write(m31r_json *j, FILE *out, m31r_error *e)
{
    if (j == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a line of output");
    }
    while (j->depth > 0) {
        m31ri_buf_add_char(&j->text, j->closing[--j->depth]);
    }
    m31ri_buf_add_char(&j->text, '\n');
    m31r_err result = M31R_OK;
    if (!m31ri_buf_ok(&j->text)) {
        result = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a line of output");
    } else if (fwrite(j->text.data, 1, j->text.length, out) != j->text.length) {
        result = m31ri_fail_sys(e, errno, "", "cannot write output");
    }
    m31r_json_free(j);
    return result;
}
