/* diff_lanes_int.h - what diff_lanes.c asks of diff_fields.c. */
#ifndef M31RI_DIFF_LANES_INT_H
#define M31RI_DIFF_LANES_INT_H

#include "diff/diff_int.h"

/* The members of one record; they die with it. */
typedef struct m31ri_fields {
    m31r_field *fields;
    size_t n, capacity;
    bool failed;
} m31ri_fields;

/* Compares two records: `out` gets the first members that differ, NULL for one that is absent; both
 * NULL when the records are the same. `notes`: numbers are taken note of. M31R_E_NOMEM or OK. */
m31r_err m31ri_diff_fields(m31r_diff *d, const m31r_record records[2], m31ri_fields fields[2],
                           bool notes, const m31r_field *out[2]);

#endif
