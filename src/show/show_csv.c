/* show_csv.c - records as a table of comma-separated values, for spreadsheets and data frames. */
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
