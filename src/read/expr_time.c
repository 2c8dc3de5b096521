/* expr_time.c - a time as people type it. UTC when nothing else is said: records are in UTC. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "format/number.h"
#include "format/timestamp.h"
#include "read/expr_int.h"

#define LONGEST 40
#define NS_PER_S 1000000000.0

static double seconds_of_unit(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400.0;
    default:
        return 0;
    }
}

/* "2h" and "-2h" are the same: two hours before now. */
static bool read_ago(const char *text, size_t length, int64_t now_ns, int64_t *out)
{
    double n;
    double unit = length > 1 ? seconds_of_unit(text[length - 1]) : 0;
    size_t sign = length > 0 && text[0] == '-';
    if (unit == 0 || length - sign < 2 || text[sign] < '0' || text[sign] > '9' ||
        !m31ri_number_read_double(text + sign, length - sign - 1, &n)) {
        return false;
    }
    double ns = n * unit * NS_PER_S;
    if (!(ns >= 0 && ns < 9e18)) {
        return false;
    }
    *out = now_ns - (int64_t)ns;
    return true;
}

bool m31ri_time_of(const char *text, size_t length, int64_t now_ns, int64_t *out_wall_ns)
{
    /* What a shorter form lacks, from the length on: "2026-11-23" + "T00:00:00Z". */
    static const char *const endings[] = {"", "Z", ":00Z", "T00:00:00Z"};
    char whole[LONGEST + 16];
    if (length == 0 || length > LONGEST) {
        return false;
    }
    if (length == 3 && memcmp(text, "now", 3) == 0) {
        *out_wall_ns = now_ns;
        return true;
    }
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        int n = snprintf(whole, sizeof whole, "%.*s%s", (int)length, text, endings[i]);
        if (m31ri_timestamp_read(whole, (size_t)n, out_wall_ns)) {
            return true;
        }
    }
    if (length > 1 && text[length - 1] == 'Z') { /* "2026-11-23T10:26Z" */
        int n = snprintf(whole, sizeof whole, "%.*s:00Z", (int)length - 1, text);
        if (m31ri_timestamp_read(whole, (size_t)n, out_wall_ns)) {
            return true;
        }
    }
    return read_ago(text, length, now_ns, out_wall_ns);
}

m31r_err m31r_time_read(const char *text, int64_t *out_wall_ns, m31r_error *e)
{
    if (!m31ri_time_of(text, strlen(text), m31ri_wall_ns(), out_wall_ns)) {
        m31r_err err = m31ri_fail(e, M31R_E_ARG, "\"%s\" is no time", text);
        m31ri_fail_hint(e, "times look like 2h (ago; s m h d w), 2026-11-23, 2026-11-23T10:26 or "
                           "2026-11-23T10:26:51Z");
        return err;
    }
    return M31R_OK;
}
