/* number.h - numbers as text, without locale: the shortest digits that read back to the same
 * double.
 *
 * The form is that of Python's repr(float): 1.23, 1.0, 1e-05, 1e+16, -0.0. NaN and infinities are
 * not numbers in JSON: they are written as the strings "NaN", "Infinity", "-Infinity" (with quotes)
 * in records and bare in metrics.csv.
 */
#ifndef M31RI_NUMBER_H
#define M31RI_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_NUMBER_BYTES 48 /* room that every function here may write to, NUL not included */

/* Each writes at `out` (at least M31RI_NUMBER_BYTES), no NUL, and returns the bytes written. */
size_t m31ri_number_write_double(double x, char *out); /* NaN, Infinity, -Infinity bare */
size_t m31ri_number_write_float(float x, char *out);   /* reads back to the same float */
size_t m31ri_number_write_int(int64_t x, char *out);
size_t m31ri_number_write_uint(uint64_t x, char *out);

/* Reads a JSON number, or NaN / Infinity / -Infinity, exactly rounded (beyond a double's range: an
 * infinity, or 0); false when `text` is not wholly one. */
bool m31ri_number_read_double(const char *text, size_t length, double *out);

/* Reads the plain decimal ("-1.25") that `text` begins with, exactly rounded, and returns what
 * stands behind it: no digit and no exponent. NULL for any other number, for one of very many
 * digits, and for none. 16 bytes behind the number can be loaded. */
const char *m31ri_number_walk(const char *text, double *out);

/* Reads a JSON integer; false when it is none, or beyond 64 bits. */
bool m31ri_number_read_int(const char *text, size_t length, int64_t *out);

#endif
