/* measured.c - which names are measurements, by the schemas.
 *
 * A field that the schema of any stage declares measured is one wherever it stands; and so is a
 * name that fits one of the patterns of schemas/record.schema.json, for what programs log besides.
 * A pattern has at most one star, at its start or its end; a name is tried as a whole and behind
 * its last dot, so that `eval.latency_ms` is measured too.
 */
#include "analyse/measured.h"

#include <string.h>

#include "format/stage_table.h"

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
    for (size_t i = 0; m31ri_measured_names[i] != NULL; i++) {
        const char *pattern = m31ri_measured_names[i];
        if (matches(pattern, name, length) || matches(pattern, last, last_length)) {
            return true;
        }
    }
    return m31ri_stage_measures(last, last_length);
}
