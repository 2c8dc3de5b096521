/* metrics_json.h - keeps metrics.json equal to what metrics.csv says. The owner calls it now and
 * then.
 *
 * It reads the new bytes of metrics.csv (and of metrics.rank*.csv) since the last call, whoever
 * wrote them, adds them to a summary, and replaces metrics.json. metrics.json is derived: after a
 * crash it is computed again from the points, and comes out the same but for "updated": each file
 * has a summary of its own, and they are merged in byte order of the names, so it does not matter
 * how reading and writing alternated.
 *
 * Not thread-safe.
 */
#ifndef M31RI_METRICS_JSON_H
#define M31RI_METRICS_JSON_H

#include <stdbool.h>

#include "m31r/error.h"
#include "stat/summary.h"
#include "store/run_dir.h"

typedef struct m31ri_metrics_json m31ri_metrics_json;

/* Makes the object and writes the first metrics.json (of the points there are: usually none).
 * `listener` (NULL: nobody) hears of every point once, with the rank that wrote it; of a file that
 * was cut or replaced it hears no more.
 * Errors: M31R_E_IO, M31R_E_NOMEM.
 * Owns: the caller closes; `d` and `listener` must stay as long. */
m31r_err m31ri_metrics_json_open(const m31ri_run_dir *d, const m31ri_point_listener *listener,
                                 m31ri_metrics_json **out, m31r_error *e);

/* NULL is fine. Writes nothing. */
void m31ri_metrics_json_close(m31ri_metrics_json *m);

/* Brings metrics.json up to date when there are new points. `sync` at the end of the run. A file
 * that was cut or replaced is read again from its start. After an error the next call goes on where
 * this one stopped.
 * Errors: M31R_E_IO (the old metrics.json stays whole), M31R_E_NOMEM. */
m31r_err m31ri_metrics_json_update(m31ri_metrics_json *m, bool sync, m31r_error *e);

#endif
