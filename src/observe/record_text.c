/* record_text.c - JSON record to key=value. Text with spaces or quotes keeps its quotes, so that
 * the line can be read back. */
#include "observe/record_text.h"

#include <string.h>

#include "format/json_read.h"
#include "format/json_text.h"

static bool is_plain(const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '=') {
            return false;
        }
    }
    return length > 0;
}

static void add_text(m31ri_buf *out, const char *body, size_t length, bool is_escaped)
{
    if (!is_escaped && is_plain(body, length)) {
        m31ri_buf_add(out, body, length);
        return;
    }
    /* Escaped anew: valid JSON may hold raw C1 and bidi characters, which a terminal must not get.
     */
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_json_unescape(&text, body, length);
    m31ri_json_string(out, text.data != NULL ? text.data : "", text.length);
    m31ri_buf_release(&text);
}

static bool add_member(void *context, const m31ri_json_member *m)
{
    m31ri_buf *out = context;
    if (out->length > 0 && out->data[out->length - 1] != '\n') {
        m31ri_buf_add_char(out, ' ');
    }
    add_text(out, m->key, m->key_length, m->key_escaped);
    m31ri_buf_add_char(out, '=');
    if (m->type == 's') {
        add_text(out, m->value, m->value_length, m->value_escaped);
    } else {
        m31ri_json_escape(out, m->value, m->value_length);
    }
    return true;
}

void m31ri_record_text(m31ri_buf *out, const char *line, size_t length)
{
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) {
        length--;
    }
    size_t start = out->length;
    if (m31ri_json_read_object(line, length, add_member, out, NULL) != M31RI_JSON_OK) {
        out->length = start;
        m31ri_json_escape(out, line, length);
    }
    m31ri_buf_add_str(out, "\r\n");
}
