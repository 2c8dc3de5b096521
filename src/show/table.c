/* table.c - see table.h. Widths are counted in terminal columns, not bytes; the last column is
 * never padded. */
#include "show/table.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "show/text.h"

#define COLUMN_LIMIT 24

typedef struct cell {
    size_t offset, length; /* into `text` */
    uint32_t width;
    m31ri_style style;
} cell;

struct m31ri_table {
    const m31ri_column *columns;
    size_t n_columns;
    cell *cells;
    size_t n, capacity;
    m31ri_buf text;
    size_t widths[COLUMN_LIMIT]; /* of the cells; 0: all empty */
};

m31ri_table *m31ri_table_new(const m31ri_column *columns, size_t n)
{
    m31ri_table *t = n <= COLUMN_LIMIT ? m31ri_calloc(1, sizeof *t) : NULL;
    if (t != NULL) {
        t->columns = columns;
        t->n_columns = n;
    }
    return t;
}

void m31ri_table_free(m31ri_table *t)
{
    if (t != NULL) {
        m31ri_buf_release(&t->text);
        m31ri_free(t->cells);
        m31ri_free(t);
    }
}

void m31ri_table_add(m31ri_table *t, const char *text, m31ri_style style)
{
    if (t == NULL) {
        return;
    }
    if (t->n == t->capacity) {
        size_t capacity = t->capacity * 2 + 64;
        cell *grown = m31ri_realloc(t->cells, capacity * sizeof *grown);
        if (grown == NULL) {
            t->text.failed = true;
            return;
        }
        t->cells = grown;
        t->capacity = capacity;
    }
    size_t column = t->n % t->n_columns;
    cell *c = &t->cells[t->n++];
    c->offset = t->text.length;
    m31ri_text_escape(&t->text, text, strlen(text), t->columns[column].max_width);
    c->length = t->text.length - c->offset;
    c->width = (uint32_t)m31ri_text_width(m31ri_buf_str(&t->text) + c->offset, c->length);
    c->style = style;
    t->widths[column] = c->width > t->widths[column] ? c->width : t->widths[column];
}

static void pad(FILE *out, size_t n)
{
    fprintf(out, "%*s", (int)n, "");
}

static void write_row(const m31ri_table *t, const m31r_screen *s, size_t row)
{
    size_t owed = 0; /* spaces that are only written when something follows */
    for (size_t i = 0; i < t->n_columns; i++) {
        const cell *c = &t->cells[row * t->n_columns + i];
        if (t->widths[i] == 0) {
            continue;
        }
        size_t heading = m31ri_text_width(t->columns[i].heading, strlen(t->columns[i].heading));
        size_t width = heading > t->widths[i] ? heading : t->widths[i];
        size_t space = width - c->width;
        if (c->length > 0) {
            pad(s->out, owed + (t->columns[i].is_right ? space : 0));
            fprintf(s->out, "%s%.*s%s", m31ri_style_on(s, c->style), (int)c->length,
                    m31ri_buf_str(&t->text) + c->offset, m31ri_style_off(s, c->style));
            owed = (t->columns[i].is_right ? 0 : space) + 2;
        } else {
            owed += width + 2;
        }
    }
    fputc('\n', s->out);
}

static void write_heading(const m31ri_table *t, const m31r_screen *s)
{
    size_t owed = 0;
    fputs(m31ri_style_on(s, M31RI_DIM), s->out);
    for (size_t i = 0; i < t->n_columns; i++) {
        const char *text = t->columns[i].heading;
        size_t heading = m31ri_text_width(text, strlen(text));
        size_t width = heading > t->widths[i] ? heading : t->widths[i];
        if (t->widths[i] == 0) {
            continue;
        }
        pad(s->out, owed + (t->columns[i].is_right ? width - heading : 0));
        fputs(text, s->out);
        owed = (t->columns[i].is_right ? 0 : width - heading) + 2;
    }
    fprintf(s->out, "%s\n", m31ri_style_off(s, M31RI_DIM));
}

void m31ri_table_write(const m31ri_table *t, const m31r_screen *s)
{
    if (t == NULL || !m31ri_buf_ok(&t->text)) {
        return;
    }
    write_heading(t, s);
    for (size_t row = 0; row < t->n / t->n_columns; row++) {
        write_row(t, s, row);
    }
}
