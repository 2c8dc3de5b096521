/* table.h - aligned columns: cells are collected, then written with the widths that they need. */
#ifndef M31RI_TABLE_H
#define M31RI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "show/human.h"

typedef struct m31ri_column {
    const char *heading;
    bool is_right;    /* align right: numbers */
    size_t max_width; /* columns; 0: no limit; longer text is cut with an ellipsis */
} m31ri_column;

typedef struct m31ri_table m31ri_table;

/* NULL when memory is out; every function takes NULL and does nothing. `columns` must live as long.
 */
m31ri_table *m31ri_table_new(const m31ri_column *columns, size_t n);
void m31ri_table_free(m31ri_table *t);

/* Adds the next cell of the row; text is made safe for a terminal. */
void m31ri_table_add(m31ri_table *t, const char *text, m31ri_style style);

/* Writes heading and rows; a column whose cells are all empty is left out. */
void m31ri_table_write(const m31ri_table *t, const m31r_screen *s);

#endif
