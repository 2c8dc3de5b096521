/* human.c - see human.h. No locale: the thousands separator is a comma, the decimal mark a point,
 * everywhere. */
#include "show/human.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "m31r/reader.h"

const char *m31ri_human_count(int64_t n, char out[M31RI_HUMAN_BYTES])
{
    char digits[24];
    out[0] = '\0';
    if (n == M31R_UNKNOWN) {
        return out;
    }
    int length = snprintf(digits, sizeof digits, "%" PRId64, n < 0 ? -n : n);
    int at = 0;
    if (n < 0) {
        out[at++] = '-';
    }
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

const char *m31ri_human_number(double x, char out[M31RI_HUMAN_BYTES])
{
    if (isnan(x)) {
        snprintf(out, M31RI_HUMAN_BYTES, "NaN");
    } else if (isinf(x)) {
        snprintf(out, M31RI_HUMAN_BYTES, "%s", x > 0 ? "Infinity" : "-Infinity");
    } else if (fabs(x) >= 1000 && fabs(x) < 1e15) {
        return m31ri_human_count((int64_t)llround(x), out);
    } else {
        snprintf(out, M31RI_HUMAN_BYTES, "%.4g", x);
    }
    return out;
}

const char *m31ri_human_bytes(int64_t n, char out[M31RI_HUMAN_BYTES])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double x = (double)n;
    size_t unit = 0;
    while (x >= 1000 && unit < 4) {
        x /= 1024;
        unit++;
    }
    snprintf(out, M31RI_HUMAN_BYTES, unit == 0 || x >= 100 ? "%.0f %s" : "%.1f %s", x, units[unit]);
    return out;
}

const char *m31ri_human_duration(int64_t ns, char out[M31RI_HUMAN_BYTES])
{
    double s = (double)ns / 1e9;
    out[0] = '\0';
    if (ns < 0) {
        return out;
    }
    if (s < 10) {
        snprintf(out, M31RI_HUMAN_BYTES, "%.1f s", s);
    } else if (s < 100) {
        snprintf(out, M31RI_HUMAN_BYTES, "%.0f s", s);
    } else if (s < 100 * 60.0) {
        snprintf(out, M31RI_HUMAN_BYTES, "%.0f min", s / 60);
    } else if (s < 72 * 3600.0) {
        snprintf(out, M31RI_HUMAN_BYTES, "%.0f h", s / 3600);
    } else {
        snprintf(out, M31RI_HUMAN_BYTES, "%.0f d", s / 86400);
    }
    return out;
}

/* Mean of the finite values from `first` to before `last`; NaN when there is none. */
static double mean_of(const double *values, size_t first, size_t last)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = first; i < last; i++) {
        if (isfinite(values[i])) {
            sum += values[i];
            n++;
        }
    }
    return n > 0 ? sum / (double)n : NAN;
}

void m31ri_human_course(m31ri_buf *out, const double *values, size_t n, size_t columns)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double means[256];
    double low = INFINITY;
    double high = -INFINITY;
    size_t used = n < columns ? n : columns;
    used = used < 256 ? used : 256;
    for (size_t i = 0; i < used; i++) {
        means[i] = mean_of(values, i * n / used, (i + 1) * n / used);
        low = isfinite(means[i]) && means[i] < low ? means[i] : low;
        high = isfinite(means[i]) && means[i] > high ? means[i] : high;
    }
    for (size_t i = 0; i < used; i++) {
        double range = high - low;
        int level = range > 0 ? (int)((means[i] - low) / range * 7.999) : 3;
        m31ri_buf_add_str(out, isfinite(means[i]) ? blocks[level] : "·");
    }
}

const char *m31ri_style_on(const m31r_screen *s, m31ri_style style)
{
    static const char *const codes[] = {"",         "\033[2m",  "\033[1m",  "\033[31m",  "\033[32m",
                                        "\033[33m", "\033[34m", "\033[36m", "\033[1;31m"};
    return s->is_color ? codes[style] : "";
}

const char *m31ri_style_off(const m31r_screen *s, m31ri_style style)
{
    return s->is_color && style != M31RI_PLAIN ? "\033[0m" : "";
}
