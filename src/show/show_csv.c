/* show_csv.c - records, and groups of them, as a table of comma-separated values, for spreadsheets
 * and data frames. */
#include <string.h>

#include "analyse/csv_line.h"
#include "base/fail.h"
#include "m31r/show.h"

static const char *const usual[] = {"ts", "level", "module", "msg", "step"};
#define N_USUAL (sizeof usual / sizeof usual[0])
#define FIELDS_LIMIT 64

/* The fields that are wanted, looked for in one walk through the record. */
typedef struct csv_row {
    const char *const *names;
    size_t n;
    m31r_field found[FIELDS_LIMIT];
    bool has[FIELDS_LIMIT];
} csv_row;

static csv_row begin(const m31r_record_view_options *options)
{
    csv_row row = {.names = usual, .n = N_USUAL};
    if (options->fields != NULL) {
        row.names = options->fields;
        row.n = options->n_fields < FIELDS_LIMIT ? options->n_fields : FIELDS_LIMIT;
    }
    return row;
}

static bool take(void *context, const m31r_field *field)
{
    csv_row *row = context;
    for (size_t i = 0; i < row->n; i++) {
        if (strlen(row->names[i]) == field->key_length &&
            memcmp(row->names[i], field->key, field->key_length) == 0) {
            row->found[i] = *field;
            row->has[i] = true;
        }
    }
    return true;
}

/* Ends the line and writes it; on a terminal a carriage return is not one of its characters. */
static m31r_err end(const m31r_screen *s, m31ri_buf *line, m31r_error *e)
{
    m31ri_buf_add_str(line, s->is_terminal ? "\n" : "\r\n");
    size_t n = fwrite(m31ri_buf_str(line), 1, line->length, s->out);
    bool is_fine = m31ri_buf_ok(line) && n == line->length;
    m31ri_buf_release(line);
    return is_fine ? M31R_OK : m31ri_fail(e, M31R_E_IO, "cannot write output");
}

m31r_err m31r_show_csv_names(const m31r_screen *s, const m31r_record_view_options *options,
                             m31r_error *e)
{
    csv_row row = begin(options);
    m31ri_buf line = M31RI_BUF_INIT;
    for (size_t i = 0; i < row.n; i++) {
        m31ri_buf_add_str(&line, i > 0 ? "," : "");
        m31ri_csv_add_text(&line, row.names[i], strlen(row.names[i]));
    }
    return end(s, &line, e);
}

m31r_err m31r_show_csv_record(const m31r_screen *s, const m31r_record *record,
                              const m31r_record_view_options *options, m31r_error *e)
{
    csv_row row = begin(options);
    m31ri_buf line = M31RI_BUF_INIT;
    m31r_record_each(record, take, &row);
    for (size_t i = 0; i < row.n; i++) {
        m31ri_buf_add_str(&line, i > 0 ? "," : "");
        m31ri_csv_add(&line, row.has[i] ? &row.found[i] : NULL);
    }
    return end(s, &line, e);
}

static void add_count(m31ri_buf *line, uint64_t n)
{
    char text[24];
    m31ri_buf_add(line, text, (size_t)snprintf(text, sizeof text, ",%llu", (unsigned long long)n));
}

static m31r_err write_group_names(const m31r_screen *s, const m31r_groups_options *asked,
                                  m31r_error *e)
{
    m31ri_buf line = M31RI_BUF_INIT;
    for (size_t i = 0; i < asked->n_by; i++) {
        m31ri_csv_add_text(&line, asked->by[i], strlen(asked->by[i]));
        m31ri_buf_add_char(&line, ',');
    }
    m31ri_buf_add_str(&line, "count");
    m31ri_buf_add_str(&line, asked->field != NULL ? ",nonfinite,min,max,mean,p50,p90,p99" : "");
    return end(s, &line, e);
}

static m31r_err write_group(const m31r_screen *s, const m31r_groups_options *asked,
                            const m31r_group *group, m31r_error *e)
{
    const double numbers[] = {group->min, group->max, group->mean,
                              group->p50, group->p90, group->p99};
    m31ri_buf line = M31RI_BUF_INIT;
    for (size_t i = 0; i < asked->n_by; i++) {
        const char *text = group->values[i];
        size_t length = group->lengths[i];
        bool is_string = text[0] == '"';
        bool is_missing = length == 4 && memcmp(text, "null", 4) == 0;
        m31r_field cell = {.value = text + is_string,
                           .value_length = length - 2 * (size_t)is_string,
                           .type = is_string    ? 's'
                                   : is_missing ? '0'
                                                : 'n'};
        m31ri_csv_add(&line, &cell);
        m31ri_buf_add_str(&line, i + 1 < asked->n_by ? "," : "");
    }
    add_count(&line, group->n);
    if (asked->field != NULL) {
        add_count(&line, group->n_nonfinite);
    }
    for (size_t i = 0; asked->field != NULL && i < sizeof numbers / sizeof numbers[0]; i++) {
        m31ri_buf_add_char(&line, ',');
        m31ri_csv_add_number(&line, numbers[i]);
    }
    return end(s, &line, e);
}

m31r_err m31r_show_csv_groups(const m31r_screen *s, m31r_groups *groups, m31r_error *e)
{
    const m31r_groups_options *asked = m31r_groups_asked(groups);
    m31r_err err = write_group_names(s, asked, e);
    for (size_t i = 0; i < m31r_groups_count(groups) && err == M31R_OK; i++) {
        m31r_group group;
        err = m31r_groups_get(groups, i, &group);
        err = err == M31R_OK ? write_group(s, asked, &group, e)
                             : m31ri_fail(e, err, "out of memory for groups");
    }
    return err;
}
