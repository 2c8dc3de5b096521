/* metrics_json.h - keeps metrics.json equal to what metrics.csv says. The owner calls it now and
 * then.
 *
 * It reads the new bytes of metrics.csv (and of metrics.rank*.csv) since the last call, whoever
 * wrote them, adds them to a summary, and replaces metrics.json. metrics.json is derived: after a
 * crash it is computed again from the points.
 */
#ifndef M31RI_METRICS_JSON_H
#define M31RI_METRICS_JSON_H

#include <stdbool.h>

#include "m31r/error.h"
#include "store/run_dir.h"

typedef struct m31ri_metrics_json m31ri_metrics_json;

/* Makes the object and writes the first, empty, metrics.json. */
m31r_err m31ri_metrics_json_open(const m31ri_run_dir *d, m31ri_metrics_json **out, m31r_error *e);
void m31ri_metrics_json_close(m31ri_metrics_json *m);

/* Brings metrics.json up to date when there are new points. `sync` at the end of the run. */
m31r_err m31ri_metrics_json_update(m31ri_metrics_json *m, bool sync, m31r_error *e);

#endif
