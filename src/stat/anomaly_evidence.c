/* anomaly_evidence.c - what an anomaly rests on, in words: the figures first, then what they are.
 */
#include <math.h>

#include "stat/run_watch.h"

#define DIGITS "%.5g"

void m31ri_anomaly_evidence(const m31ri_anomaly *a, m31ri_buf *out)
{
    long long n = (long long)a->n;
    switch (a->kind) {
    case M31RI_ANOMALY_NONFINITE:
        m31ri_buf_add_str(out, isnan(a->value) ? "NaN" : a->value > 0 ? "Infinity" : "-Infinity");
        if (isfinite(a->usual)) {
            m31ri_buf_add_format(out, "; last finite " DIGITS, a->usual);
        }
        break;
    case M31RI_ANOMALY_SPIKE:
        m31ri_buf_add_format(out, DIGITS "; median of %lld before " DIGITS ", limit " DIGITS,
                             a->value, n, a->usual, a->limit);
        break;
    case M31RI_ANOMALY_DIVERGE:
        m31ri_buf_add_format(out,
                             "median of %lld " DIGITS "; lowest before " DIGITS ", limit " DIGITS,
                             n, a->value, a->usual, a->limit);
        break;
    case M31RI_ANOMALY_STUCK:
        m31ri_buf_add_format(out, "%lld times in a row " DIGITS, n, a->value);
        break;
    case M31RI_ANOMALY_PLATEAU:
        m31ri_buf_add_format(out, "best median " DIGITS ", not lower for %lld values; now " DIGITS,
                             a->usual, n, a->value);
        break;
    case M31RI_ANOMALY_SLOW:
        m31ri_buf_add_format(out, "median of %lld " DIGITS "; usual " DIGITS ", limit " DIGITS, n,
                             a->value, a->usual, a->limit);
        break;
    case M31RI_ANOMALY_OUTLIER:
        m31ri_buf_add_format(out, DIGITS "; median of 64 before " DIGITS ", limit " DIGITS,
                             a->value, a->usual, a->limit);
        break;
    case M31RI_ANOMALY_LEAK:
        m31ri_buf_add_format(out,
                             "lows rise from " DIGITS " to " DIGITS " over %lld values, %+.1f %%",
                             a->usual, a->value, n, 100 * (a->value / a->usual - 1));
        break;
    case M31RI_ANOMALY_STRAGGLER:
        m31ri_buf_add_format(out,
                             "%.3f of the median of ranks over %lld steps; was %.3f, limit "
                             "%.3f",
                             a->value, n, a->usual, a->limit);
        break;
    case M31RI_ANOMALY_FLAKY:
        m31ri_buf_add_format(out, "%.0f of %lld steps took 1.5 times the median of ranks", a->value,
                             n);
        break;
    case M31RI_ANOMALY_GPU_IDLE:
        m31ri_buf_add_format(out, "median of %lld %.0f %%; was %.0f %%", n, a->value, a->usual);
        break;
    case M31RI_ANOMALY_STALLED:
        m31ri_buf_add_format(out, "no step for %.1f s; usual " DIGITS " s, limit %.1f s", a->value,
                             a->usual, a->limit);
        break;
    case M31RI_ANOMALY_KINDS:
        break;
    }
}
