/* record_read.c - the mandatory fields of a line, found again; the other side of record.c.
 *
 * The strict reader does the work; this only knows four keys and "step". What a foreign writer put
 * in their place (a number as level, a time of another form) is no fault of the line: the field
 * counts as missing.
 */
#include "format/record.h"

#include <string.h>
#include <strings.h>

#include "format/json_text.h"
#include "format/number.h"
#include "format/timestamp.h"

m31r_level m31ri_record_level(const char *name, size_t length)
{
    static const struct {
        const char *name;
        m31r_level level;
    } levels[] = {
        {"INFO", M31R_INFO},      {"DEBUG", M31R_DEBUG},       {"WARNING", M31R_WARNING},
        {"ERROR", M31R_ERROR},    {"CRITICAL", M31R_CRITICAL}, {"WARN", M31R_WARNING},
        {"FATAL", M31R_CRITICAL},
    };
    for (size_t i = 0; i < 5; i++) { /* as we write them */
        size_t n = strlen(levels[i].name);
        if (n == length && memcmp(levels[i].name, name, n) == 0) {
            return levels[i].level;
        }
    }
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strlen(levels[i].name) == length && strncasecmp(levels[i].name, name, length) == 0) {
            return levels[i].level;
        }
    }
    return (m31r_level)0;
}

/* `name` against a string body of the text, unescaped when it has to be. */
static bool body_is(const char *body, size_t length, bool escaped, const char *name)
{
    size_t n = strlen(name);
    if (!escaped) {
        return length == n && memcmp(body, name, n) == 0;
    }
    m31ri_buf plain = M31RI_BUF_INIT;
    m31ri_json_unescape(&plain, body, length);
    bool same = plain.length == n && memcmp(m31ri_buf_str(&plain), name, n) == 0;
    m31ri_buf_release(&plain);
    return same;
}

static bool take_member(void *context, const m31ri_json_member *m)
{
    m31ri_record_head *head = context;
    bool is_short = m->key_length <= 6 || m->key_escaped;
    if (!is_short) {
        return true;
    }
    if (m->type == 'n' && body_is(m->key, m->key_length, m->key_escaped, "step")) {
        head->has_step = m31ri_number_read_int(m->value, m->value_length, &head->step);
        return true;
    }
    if (m->type != 's') {
        return true;
    }
    const struct {
        const char *name;
        m31ri_json_member *member;
    } fields[] = {
        {"ts", &head->ts},
        {"level", &head->level_text},
        {"module", &head->module},
        {"msg", &head->message},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (body_is(m->key, m->key_length, m->key_escaped, fields[i].name)) {
            *fields[i].member = *m;
        }
    }
    return true;
}

m31ri_json_class m31ri_record_read(const char *line, size_t length, m31ri_record_head *head)
{
    m31ri_record_head h = {0};
    h.wall_ns = INT64_MIN;
    m31ri_json_class c = m31ri_json_read_object(line, length, take_member, &h, NULL);
    if (c != M31RI_JSON_OK) {
        return c;
    }
    int64_t wall_ns;
    if (h.ts.value != NULL && m31ri_timestamp_read(h.ts.value, h.ts.value_length, &wall_ns)) {
        h.wall_ns = wall_ns;
    }
    if (h.level_text.value != NULL) {
        h.level = m31ri_record_level(h.level_text.value, h.level_text.value_length);
    }
    *head = h;
    return M31RI_JSON_OK;
}
