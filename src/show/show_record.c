/* show_record.c - one record for a person: time, level, module, message, then key=value in the
 * record's order.
 *
 * Values are shown as they stand in the line, still escaped: what was escaped for safety stays so,
 * and what a foreign line holds raw is escaped here. A stack is one value with \n in it: it is
 * folded out below its record, a frame a line.
 */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "m31r/json.h"
#include "show/rows.h"
#include "show/text.h"

typedef struct record_view {
    const m31r_screen *s;
    const m31r_record_view_options *options;
    m31ri_buf text;
    m31r_json *json;
    const char *wanted; /* looked for by find() */
    m31r_field found;
    bool has_found;
    m31r_field stack; /* to be written below; value NULL: none */
} record_view;

static bool is_named(const m31r_field *field, const char *name)
{
    return strlen(name) == field->key_length && memcmp(name, field->key, field->key_length) == 0;
}

static bool match_wanted(void *context, const m31r_field *field)
{
    record_view *view = context;
    if (is_named(field, view->wanted)) {
        view->found = *field;
        view->has_found = true;
        return false;
    }
    return true;
}

static bool find(record_view *view, const m31r_record *record, const char *name)
{
    view->wanted = name;
    view->has_found = false;
    m31r_record_each(record, match_wanted, view);
    return view->has_found;
}

/* The value as JSON text: a string gets its quotes back. */
static void add_json_value(record_view *view, const char *key, const m31r_field *field)
{
    if (field->type == 's') {
        m31r_json_add_raw(view->json, key, field->value - 1, field->value_length + 2);
    } else {
        m31r_json_add_raw(view->json, key, field->value, field->value_length);
    }
}

static m31r_err write_json(record_view *view, const m31r_record *record, m31r_error *e)
{
    const m31r_record_view_options *o = view->options;
    if (o->fields == NULL) {
        size_t n = fwrite(record->line, 1, record->length, view->s->out);
        bool is_fine = n == record->length && fputc('\n', view->s->out) != EOF;
        return is_fine ? M31R_OK : m31ri_fail(e, M31R_E_IO, "cannot write output");
    }
    view->json = m31r_json_new("fields");
    for (size_t i = 0; i < o->n_fields; i++) {
        if (find(view, record, o->fields[i])) {
            add_json_value(view, o->fields[i], &view->found);
        } else {
            m31r_json_add_null(view->json, o->fields[i]);
        }
    }
    return m31r_json_write(view->json, view->s->out, e);
}

static void styled(record_view *view, m31ri_style style, const char *text, size_t length)
{
    m31ri_buf_add_str(&view->text, m31ri_style_on(view->s, style));
    m31ri_text_escape(&view->text, text, length, 0);
    m31ri_buf_add_str(&view->text, m31ri_style_off(view->s, style));
}

static void add_value(record_view *view, const m31r_field *field)
{
    m31ri_text_escape(&view->text, field->value, field->value_length, 0);
}

/* A string of several lines: where each ends, as it stands in JSON. */
static const char *end_of_line(const char *s, const char *end)
{
    for (; s + 1 < end; s++) {
        if (s[0] == '\\') {
            if (s[1] == 'n') {
                return s;
            }
            s++;
        }
    }
    return end;
}

static bool is_stack(const m31r_field *field)
{
    bool is_named_so = is_named(field, "stack") || is_named(field, "traceback");
    const char *end = field->value + field->value_length;
    return is_named_so && field->type == 's' && end_of_line(field->value, end) != end;
}

static void add_stack(record_view *view)
{
    const char *at = view->stack.value, *end = at + view->stack.value_length;
    while (at < end) {
        const char *stop = end_of_line(at, end);
        m31ri_buf_add_str(&view->text, "    ");
        styled(view, M31RI_DIM, at, (size_t)(stop - at));
        m31ri_buf_add_char(&view->text, '\n');
        at = stop < end ? stop + 2 : end;
    }
}

static bool add_pair(void *context, const m31r_field *field)
{
    static const char *const head[] = {"ts", "level", "module", "msg"};
    record_view *view = context;
    for (size_t i = 0; i < 4; i++) {
        if (is_named(field, head[i])) {
            return true;
        }
    }
    if (is_stack(field)) {
        view->stack = *field;
        return true;
    }
    m31ri_buf_add_char(&view->text, ' ');
    styled(view, M31RI_DIM, field->key, field->key_length);
    m31ri_buf_add_str(&view->text, m31ri_style_on(view->s, M31RI_DIM));
    m31ri_buf_add_char(&view->text, '=');
    m31ri_buf_add_str(&view->text, m31ri_style_off(view->s, M31RI_DIM));
    add_value(view, field);
    return true;
}

static void add_fields(record_view *view, const m31r_record *record)
{
    for (size_t i = 0; i < view->options->n_fields; i++) {
        const char *name = view->options->fields[i];
        m31ri_buf_add_str(&view->text, i > 0 ? "  " : "");
        styled(view, M31RI_DIM, name, strlen(name));
        m31ri_buf_add_char(&view->text, '=');
        if (find(view, record, name)) {
            add_value(view, &view->found);
        } else {
            m31ri_buf_add_char(&view->text, '-');
        }
    }
}

static m31ri_style level_style(m31r_level level)
{
    return level >= M31R_CRITICAL  ? M31RI_BOLD_RED
           : level >= M31R_ERROR   ? M31RI_RED
           : level >= M31R_WARNING ? M31RI_YELLOW
           : level >= M31R_INFO    ? M31RI_GREEN
                                   : M31RI_DIM;
}

static void add_head(record_view *view, const m31r_record *record)
{
    char level[16];
    const char *name = record->level != 0 ? m31r_level_name(record->level) : "-";
    if (find(view, record, "ts") && view->found.type == 's') {
        /* 2026-11-23T10:26:51.123456Z: the time of day to the millisecond, or all of it. */
        bool is_ours = view->found.value_length == 27 && !view->options->shows_date;
        styled(view, M31RI_DIM, view->found.value + (is_ours ? 11 : 0),
               is_ours ? 12 : view->found.value_length);
        m31ri_buf_add_char(&view->text, ' ');
    }
    snprintf(level, sizeof level, "%-8s", name);
    styled(view, level_style(record->level), level, strlen(level));
    m31ri_buf_add_char(&view->text, ' ');
    if (view->options->shows_lane && record->lane[0] != '\0') {
        m31ri_buf_add_char(&view->text, '[');
        styled(view, M31RI_DIM, record->lane, strlen(record->lane));
        m31ri_buf_add_str(&view->text, "] ");
    }
    if (record->module != NULL) {
        styled(view, M31RI_CYAN, record->module, record->module_length);
        m31ri_buf_add_str(&view->text, "  ");
    }
    if (record->message != NULL) {
        styled(view, M31RI_BOLD, record->message, record->message_length);
    }
}

m31r_err m31r_show_record(const m31r_screen *s, const m31r_record *record,
                          const m31r_record_view_options *options, m31r_error *e)
{
    record_view view = {.s = s, .options = options};
    if (s->is_json) {
        return write_json(&view, record, e);
    }
    if (options->fields != NULL) {
        add_fields(&view, record);
    } else {
        add_head(&view, record);
        m31r_record_each(record, add_pair, &view);
    }
    m31ri_buf_add_char(&view.text, '\n');
    if (view.stack.value != NULL) {
        add_stack(&view);
    }
    size_t n = fwrite(m31ri_buf_str(&view.text), 1, view.text.length, s->out);
    bool is_fine = m31ri_buf_ok(&view.text) && n == view.text.length;
    m31ri_buf_release(&view.text);
    return is_fine ? M31R_OK : m31ri_fail(e, M31R_E_IO, "cannot write output");
}
