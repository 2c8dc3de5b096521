/* fuzz_record.c - any bytes as the arguments of a record; what is written must read back as what
 * was given.
 *
 * The input is cut into parts at NUL bytes: message, then key, value, key, value. The first byte of
 * a value chooses its type. Whatever comes: one line within the limit, valid, the mandatory fields
 * first, the same bytes again the second time.
 */
#include <stdbool.h>
#include <string.h>

#include "format/json_text.h"
#include "format/number.h"
#include "format/record.h"
#include "fuzz.h"

#define MANY 2000

typedef struct call {
    m31ri_record_parts parts;
    m31r_value keys[MANY], values[MANY];
    m31ri_record_report report;
    size_t n_read;
} call;

static call c;

static const char *redact_x(void *context, const char *key, size_t key_length, const char *value,
                            size_t length, size_t *out_length)
{
    (void)context;
    (void)key;
    (void)key_length;
    *out_length = 12;
    return memchr(value, 'X', length) != NULL ? "[redacted:x]" : NULL;
}

static m31r_value part(const char **p, const char *end)
{
    const char *start = *p;
    const char *stop = memchr(start, 0, (size_t)(end - start));
    *p = stop != NULL ? stop + 1 : end;
    return m31r_text(start, (size_t)((stop != NULL ? stop : end) - start));
}

static m31r_value typed(m31r_value text)
{
    uint64_t bits = 0;
    memcpy(&bits, text.as.s, text.length < 8 ? text.length : 8);
    double x;
    memcpy(&x, &bits, sizeof x);
    switch (bits % 11) {
    case 0:
        return m31r_of_bool(text.length % 2 == 0);
    case 1:
        return m31r_of_int((int64_t)bits);
    case 2:
        return m31r_of_uint(bits);
    case 3:
        return m31r_of_double(x);
    case 4:
        return m31r_of_float((float)x);
    case 5:
        return m31r_of_sensitive();
    case 6:
        return m31r_of_string(NULL);
    default:
        return text;
    }
}

/* Without cuts, renames and drops, field i is what was given. Keys are only looked at when they are
 * valid text. */
static bool check_member(void *context, const m31ri_json_member *m)
{
    (void)context;
    size_t i = c.n_read++;
    bool plain =
        c.report.n_cut + c.report.n_dropped + c.report.n_renamed + c.report.n_redacted == 0;
    if (i < 4 || i - 4 >= c.parts.n || !plain || c.values[i - 4].type != M31R_T_STRING ||
        !m31ri_utf8_is_valid(c.values[i - 4].as.s, c.values[i - 4].length)) {
        return true;
    }
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_json_unescape(&text, m->value, m->value_length);
    REQUIRE(m->type == 's' && text.length == c.values[i - 4].length &&
            memcmp(m31ri_buf_str(&text), c.values[i - 4].as.s, text.length) == 0);
    m31ri_buf_release(&text);
    return true;
}

static void check_line(const m31ri_redactor *redactor)
{
    m31ri_buf line = M31RI_BUF_INIT, again = M31RI_BUF_INIT;
    m31ri_record_write(&line, &c.parts, redactor, &c.report);
    m31ri_record_write(&again, &c.parts, redactor, NULL);
    REQUIRE(line.length <= M31RI_RECORD_LIMIT && line.length == again.length);
    REQUIRE(memcmp(line.data, again.data, line.length) == 0);
    REQUIRE(memchr(line.data, '\n', line.length) == line.data + line.length - 1);
    c.n_read = 0;
    REQUIRE(m31ri_json_read_object(line.data, line.length - 1, check_member, NULL, NULL) ==
            M31RI_JSON_OK);
    size_t counters = (c.report.n_cut != 0) + (c.report.n_renamed != 0) +
                      (c.report.n_nonfinite != 0) + (c.report.n_redacted != 0) +
                      (c.report.n_dropped != 0);
    REQUIRE(c.n_read == 4 + c.parts.n - c.report.n_dropped + counters);
    m31ri_record_head head;
    REQUIRE(m31ri_record_read(line.data, line.length - 1, &head) == M31RI_JSON_OK);
    REQUIRE(head.level == M31R_INFO && head.wall_ns >= 0 && head.message.value != NULL);
    m31ri_buf_release(&line);
    m31ri_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const m31ri_redactor redactor = {redact_x, NULL};
    const char *p = (const char *)data;
    const char *end = p + size;
    if (size == 0) {
        return 0;
    }
    m31r_value message = part(&p, end);
    size_t n = 0;
    while (p < end && n < MANY) {
        c.keys[n] = part(&p, end);
        c.values[n] = typed(part(&p, end));
        n++;
    }
    c.parts = (m31ri_record_parts){(int64_t)(size * 1000003),
                                   M31R_INFO,
                                   "fuzz",
                                   4,
                                   message.as.s,
                                   message.length,
                                   c.keys,
                                   c.values,
                                   n};
    check_line(NULL);
    check_line(&redactor);
    return 0;
}
