/* environment_rows.h - the environment of a run as pairs of a key and a text. */
#ifndef M31RI_ENVIRONMENT_ROWS_H
#define M31RI_ENVIRONMENT_ROWS_H

#include <jansson.h>

/* Calls `each` for every thing that metadata.json's `environment` says: "cpu avx512f" "yes",
 * "OMP_NUM_THREADS" "2", "library libopenblasp" "libopenblasp-r0.3.21.so 54c2...", "python numpy"
 * "1.24.2". The key of a library is its name without its version, so that another version of it is
 * a difference of one row. */
void m31ri_environment_each(const json_t *environment,
                            void (*each)(void *context, const char *key, const char *text),
                            void *context);

#endif
