/* human.h - numbers, sizes, durations and courses as people read them. */
#ifndef M31RI_HUMAN_H
#define M31RI_HUMAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/show.h"

#define M31RI_HUMAN_BYTES 48 /* enough for every function here that fills `out` */

/* "1,234,567"; "" for M31R_UNKNOWN. */
const char *m31ri_human_count(int64_t n, char out[M31RI_HUMAN_BYTES]);

/* Four significant digits: 2.314, 41,872, 0.0003, 1.2e-07; "NaN", "Infinity". */
const char *m31ri_human_number(double x, char out[M31RI_HUMAN_BYTES]);

/* "3.4 GiB" */
const char *m31ri_human_bytes(int64_t n, char out[M31RI_HUMAN_BYTES]);

/* "34 s", "58 min", "11 h 05", "3 d"; "" when not known. */
const char *m31ri_human_duration(int64_t ns, char out[M31RI_HUMAN_BYTES]);

/* Appends the course of `n` values in `columns` characters, lowest to highest block; a dot where no
 * value is finite. */
void m31ri_human_course(m31ri_buf *out, const double *values, size_t n, size_t columns);

/* Text styles: what stands before and after text on a screen with colour; "" without. */
typedef enum m31ri_style {
    M31RI_PLAIN,
    M31RI_DIM,
    M31RI_BOLD,
    M31RI_RED,
    M31RI_GREEN,
    M31RI_YELLOW,
    M31RI_BLUE,
    M31RI_CYAN,
    M31RI_BOLD_RED
} m31ri_style;
const char *m31ri_style_on(const m31r_screen *s, m31ri_style style);
const char *m31ri_style_off(const m31r_screen *s, m31ri_style style);

#endif
