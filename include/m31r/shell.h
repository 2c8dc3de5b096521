/* shell.h - one record or one point from a script: what `m31r log` and `m31r metric` are made of.
 *
 * Each call is a process's whole life with the library: it joins the run that M31R_RUN_DIR names,
 * appends under the file's lock to the lane "shell", which all scripts of the run share, and
 * leaves. Outside a run a record goes to logs/shell.log below the working directory, and a point
 * has nowhere to go.
 *
 *     const m31r_value key = m31r_of_string("file"), value = m31r_of_string(path);
 *     const m31r_shell_record record = {M31R_INFO, "backup", "copied", &key, &value, 1};
 *     err = m31r_shell_log(&record, &e);
 */
#ifndef M31R_SHELL_H
#define M31R_SHELL_H

#include "m31r/log.h"
#include "m31r/metric.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A record with `n` pairs; see m31r_log_write() for what happens to keys. */
typedef struct m31r_shell_record {
    m31r_level level;
    const char *module; /* [a-zA-Z0-9_.-]{1,64} */
    const char *message;
    const m31r_value *keys;
    const m31r_value *values;
    size_t n;
} m31r_shell_record;

/* Appends one record. CRITICAL is on disk when this returns and makes the run's state `failed`.
 *
 * Returns: M31R_OK when the record is in the file.
 * Errors:  M31R_E_ARG (module), M31R_E_CLOSED (the run has ended), M31R_E_NOTFOUND (no such run),
 *          M31R_E_IO.
 * Owns:    nothing.
 * Thread:  any; processes may call it at once.
 */
M31R_API m31r_err m31r_shell_log(const m31r_shell_record *record, m31r_error *e);

/* Appends one point to the run's metrics. `step` is 0 or more, or M31R_NO_STEP.
 *
 * Returns: M31R_OK when the point is in the file.
 * Errors:  M31R_E_ARG (name, step, or no run to put it into), M31R_E_CLOSED, M31R_E_NOTFOUND,
 *          M31R_E_IO.
 * Owns:    nothing.
 * Thread:  any; processes may call it at once.
 */
M31R_API m31r_err m31r_shell_metric(const char *name, double value, int64_t step, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
