/* csv_line.c - cells of RFC 4180 from members of records.
 *
 * Text goes through the escaping of records once more, which knows every character that a terminal
 * could act on and what is no UTF-8; of what it escaped only the harmless (quotes, backslashes,
 * tabs and line ends) is taken back.
 */
#include "analyse/csv_line.h"

#include <math.h>
#include <string.h>

#include "format/json_text.h"
#include "format/number.h"

static void add_quoted(m31ri_buf *out, const char *text, size_t length)
{
    bool needs_quotes = length == 0 || text[0] == ' ' || text[length - 1] == ' ';
    for (size_t i = 0; i < length && !needs_quotes; i++) {
        needs_quotes = strchr(",\"\r\n", text[i]) != NULL;
    }
    if (!needs_quotes) {
        m31ri_buf_add(out, text, length);
        return;
    }
    m31ri_buf_add_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        m31ri_buf_add(out, "\"\"", text[i] == '"' ? 2 : 0);
        m31ri_buf_add(out, &text[i], text[i] == '"' ? 0 : 1);
    }
    m31ri_buf_add_char(out, '"');
}

/* Takes back the short escapes of `escaped`; \b and \f stay, as \u00xx does. */
static void add_harmless(m31ri_buf *out, const char *escaped, size_t length)
{
    static const char from[] = "\"\\ntr";
    static const char to[] = "\"\\\n\t\r";
    for (size_t i = 0; i < length; i++) {
        const char *at = escaped[i] == '\\' && i + 1 < length ? strchr(from, escaped[i + 1]) : NULL;
        if (at != NULL && *at != '\0') {
            m31ri_buf_add_char(out, to[at - from]);
            i++;
        } else {
            m31ri_buf_add_char(out, escaped[i]);
        }
    }
}

void m31ri_csv_add_text(m31ri_buf *out, const char *text, size_t length)
{
    m31ri_buf escaped = M31RI_BUF_INIT;
    m31ri_buf safe = M31RI_BUF_INIT;
    m31ri_json_escape(&escaped, text, length);
    add_harmless(&safe, m31ri_buf_str(&escaped), escaped.length);
    add_quoted(out, m31ri_buf_str(&safe), safe.length);
    out->failed |= escaped.failed || safe.failed;
    m31ri_buf_release(&escaped);
    m31ri_buf_release(&safe);
}

void m31ri_csv_add(m31ri_buf *out, const m31r_field *field)
{
    m31ri_buf text = M31RI_BUF_INIT;
    if (field == NULL || field->type == '0') {
        return;
    }
    if (field->type == 's') {
        m31ri_json_unescape(&text, field->value, field->value_length);
    } else {
        m31ri_buf_add(&text, field->value, field->value_length);
    }
    m31ri_csv_add_text(out, m31ri_buf_str(&text), text.length);
    out->failed |= text.failed;
    m31ri_buf_release(&text);
}

void m31ri_csv_add_number(m31ri_buf *out, double x)
{
    char text[M31RI_NUMBER_BYTES];
    if (!isnan(x)) {
        m31ri_buf_add(out, text, m31ri_number_write_double(x, text));
    }
}
