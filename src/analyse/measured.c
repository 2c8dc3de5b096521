/* measured.c - the one table of measurement fields.
 *
 * It stands here until the schemas of the stages declare them; then it is made from those. A
 * pattern has at most one star, at its start or its end; a name is tried as a whole and behind
 * its last dot, so that `eval.latency_ms` is measured too.
 */
#include "analyse/measured.h"

#include <string.h>

static const char *const patterns[] = {
    "ts",   "src_ts",   "tokens/s",  "tok/s",    "*_per_sec",  "*_per_second",
    "*/s",  "latency*", "*_latency", "memory*",  "rss*",       "peak_rss*",
    "*_mb", "*_gb",     "duration*", "elapsed*", "wall_time*", "step_time*",
    "*_s",  "*_ms",     "*_us",      "*_ns",     "*_seconds",  "system.*",
};

static bool matches(const char *pattern, const char *name, size_t length)
{
    size_t n = strlen(pattern);
    if (pattern[0] == '*') {
        return length > n - 1 && memcmp(name + length - (n - 1), pattern + 1, n - 1) == 0;
    }
    if (pattern[n - 1] == '*') {
        return length >= n - 1 && memcmp(name, pattern, n - 1) == 0;
    }
    return length == n && memcmp(name, pattern, n) == 0;
}

bool m31ri_is_measured(const char *name, size_t length)
{
    const char *dot = memrchr(name, '.', length);
    const char *last = dot != NULL ? dot + 1 : name;
    size_t last_length = length - (size_t)(last - name);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (matches(patterns[i], name, length) || matches(patterns[i], last, last_length)) {
            return true;
        }
    }
    return false;
}
