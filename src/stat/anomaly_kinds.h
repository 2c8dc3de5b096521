/* anomaly_kinds.h - what a streaming rule says of a series.
 *
 * A rule is fed one value after the other and answers each time: nothing, an anomaly begins, the
 * one that was open is over. Between the two it says nothing more, and what it compares with stays
 * as it was before, so that the new state does not become the usual one. A rule's memory does not
 * grow with the series, and what it says of a value depends on that value and those before it only.
 * docs/anomalies.md has the formulas.
 */
#ifndef M31RI_ANOMALY_KINDS_H
#define M31RI_ANOMALY_KINDS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum m31ri_anomaly_kind {
    M31RI_ANOMALY_NONFINITE,
    M31RI_ANOMALY_SPIKE,
    M31RI_ANOMALY_DIVERGE,
    M31RI_ANOMALY_STUCK,
    M31RI_ANOMALY_PLATEAU,
    M31RI_ANOMALY_SLOW,
    M31RI_ANOMALY_OUTLIER,
    M31RI_ANOMALY_LEAK,
    M31RI_ANOMALY_STRAGGLER,
    M31RI_ANOMALY_FLAKY,
    M31RI_ANOMALY_GPU_IDLE,
    M31RI_ANOMALY_STALLED,
    M31RI_ANOMALY_KINDS
} m31ri_anomaly_kind;

typedef enum m31ri_severity {
    M31RI_SEVERITY_INFO,
    M31RI_SEVERITY_WARNING,
    M31RI_SEVERITY_ERROR
} m31ri_severity;

typedef enum m31ri_anomaly_event {
    M31RI_NOTHING,
    M31RI_OPENED, /* an anomaly began */
    M31RI_CLEARED /* the open one is over */
} m31ri_anomaly_event;

/* Why a rule opened. What the three figures are is said where the rule is declared. */
typedef struct m31ri_anomaly {
    m31ri_anomaly_kind kind;
    m31ri_severity severity;
    double value; /* what was seen */
    double usual; /* what it is held against */
    double limit; /* what it would have had to stay within */
    int64_t n;    /* of how many values `value` speaks */
    int rank;     /* of a straggler; -1 */
} m31ri_anomaly;

/* "nonfinite", "spike", ...: as in records and on the command line. */
const char *m31ri_anomaly_name(m31ri_anomaly_kind kind);
/* False for a name that is none. */
bool m31ri_anomaly_by_name(const char *name, m31ri_anomaly_kind *out);
/* "info", "warning", "error". */
const char *m31ri_severity_name(m31ri_severity severity);

#endif
