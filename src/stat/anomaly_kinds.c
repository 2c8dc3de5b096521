/* anomaly_kinds.c - the names of anomalies. */
#include "stat/anomaly_kinds.h"

#include <stddef.h>
#include <string.h>

static const char *const kind_names[M31RI_ANOMALY_KINDS] = {
    [M31RI_ANOMALY_NONFINITE] = "nonfinite", [M31RI_ANOMALY_SPIKE] = "spike",
    [M31RI_ANOMALY_DIVERGE] = "diverge",     [M31RI_ANOMALY_STUCK] = "stuck",
    [M31RI_ANOMALY_PLATEAU] = "plateau",     [M31RI_ANOMALY_SLOW] = "slow",
    [M31RI_ANOMALY_OUTLIER] = "outlier",     [M31RI_ANOMALY_LEAK] = "leak",
    [M31RI_ANOMALY_STRAGGLER] = "straggler", [M31RI_ANOMALY_FLAKY] = "flaky",
    [M31RI_ANOMALY_GPU_IDLE] = "gpu_idle",   [M31RI_ANOMALY_STALLED] = "stalled",
};

const char *m31ri_anomaly_name(m31ri_anomaly_kind kind)
{
    return kind_names[kind];
}

bool m31ri_anomaly_by_name(const char *name, m31ri_anomaly_kind *out)
{
    for (int i = 0; i < M31RI_ANOMALY_KINDS; i++) {
        if (strcmp(name, kind_names[i]) == 0) {
            *out = (m31ri_anomaly_kind)i;
            return true;
        }
    }
    return false;
}

const char *m31ri_severity_name(m31ri_severity severity)
{
    static const char *const names[] = {"info", "warning", "error"};
    return names[severity];
}
