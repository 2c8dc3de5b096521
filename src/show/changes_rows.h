/* changes_rows.h - changes as members of a JSON line and as cells of a table. */
#ifndef M31RI_CHANGES_ROWS_H
#define M31RI_CHANGES_ROWS_H

#include "m31r/changes.h"
#include "m31r/json.h"
#include "m31r/show.h"
#include "show/table.h"

/* Adds a number, or null for NaN. */
void m31ri_add_known(m31r_json *j, const char *key, double x);

void m31ri_add_change(m31r_json *j, const m31r_change *x);
void m31ri_add_changes_facts(m31r_json *j, const m31r_changes_facts *f);

/* Five cells: before, after, change, its interval, p. */
void m31ri_add_change_cells(m31ri_table *t, const m31r_change *x);

/* What the series is now, and what was left out, in lines for a person. */
void m31ri_write_changes_facts(const m31r_screen *s, const m31r_changes_facts *f);

#endif
