/* metric_role.c - what a metric measures, by its name: the names of the stages' schemas
 * (schemas/train.schema.json and the others), of the sampler, and those that other tools use.
 *
 * The last part of a name counts, after the last '/' or '.': train/loss is a loss. Letters' case
 * does not.
 */
#include <ctype.h>
#include <string.h>

#include "stat/series_watch.h"

#define NAME_BYTES 128

/* `pattern`: the part as a whole, or its end when it begins with '*'. */
typedef struct name_rule {
    const char *pattern;
    m31ri_metric_role role;
} name_rule;

/* The first that fits decides. */
static const name_rule rules[] = {
    {"*tokens/s", M31RI_METRIC_THROUGHPUT},
    {"*tok/s", M31RI_METRIC_THROUGHPUT},
    {"*it/s", M31RI_METRIC_THROUGHPUT},
    {"*samples/s", M31RI_METRIC_THROUGHPUT},
    {"*_per_sec", M31RI_METRIC_THROUGHPUT},
    {"*_per_second", M31RI_METRIC_THROUGHPUT},
    {"*_per_s", M31RI_METRIC_THROUGHPUT},
    {"throughput", M31RI_METRIC_THROUGHPUT},
    {"loss", M31RI_METRIC_LOSS},
    {"*_loss", M31RI_METRIC_LOSS},
    {"nll", M31RI_METRIC_LOSS},
    {"ppl", M31RI_METRIC_LOSS},
    {"perplexity", M31RI_METRIC_LOSS},
    {"cross_entropy", M31RI_METRIC_LOSS},
    {"step_ms", M31RI_METRIC_DURATION},
    {"step_s", M31RI_METRIC_DURATION},
    {"*step_time", M31RI_METRIC_DURATION},
    {"*step_time_ms", M31RI_METRIC_DURATION},
    {"*step_time_s", M31RI_METRIC_DURATION},
    {"*iter_time", M31RI_METRIC_DURATION},
    {"*iter_time_ms", M31RI_METRIC_DURATION},
    {"*iteration_time", M31RI_METRIC_DURATION},
    {"*batch_time", M31RI_METRIC_DURATION},
    {"*latency", M31RI_METRIC_DURATION},
    {"*latency_ms", M31RI_METRIC_DURATION},
    {"*latency_s", M31RI_METRIC_DURATION},
    {"peak_memory_mb", M31RI_METRIC_OTHER},
    {"memory", M31RI_METRIC_MEMORY},
    {"*memory_mb", M31RI_METRIC_MEMORY},
    {"*memory_bytes", M31RI_METRIC_MEMORY},
    {"*rss_mb", M31RI_METRIC_MEMORY},
    {"util_percent", M31RI_METRIC_BUSY},
    {"gpu_util_percent", M31RI_METRIC_BUSY},
    {"gpu_utilization", M31RI_METRIC_BUSY},
    {"gpu_util", M31RI_METRIC_BUSY},
};

static bool fits(const char *pattern, const char *text, size_t length)
{
    bool is_end = pattern[0] == '*';
    const char *wanted = pattern + is_end;
    size_t wanted_length = strlen(wanted);
    return length >= wanted_length && (is_end || length == wanted_length) &&
           memcmp(text + length - wanted_length, wanted, wanted_length) == 0;
}

static m31ri_metric_role role_of(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (fits(rules[i].pattern, text, length)) {
            return rules[i].role;
        }
    }
    return M31RI_METRIC_ROLES;
}

m31ri_metric_role m31ri_metric_role_of_name(const char *name, size_t length)
{
    char lower[NAME_BYTES];
    if (length == 0 || length > sizeof lower) {
        return M31RI_METRIC_OTHER;
    }
    size_t last = 0;
    for (size_t i = 0; i < length; i++) {
        lower[i] = (char)tolower((unsigned char)name[i]);
        last = lower[i] == '/' || lower[i] == '.' ? i + 1 : last;
    }
    m31ri_metric_role role = role_of(lower, length);
    role = role == M31RI_METRIC_ROLES ? role_of(lower + last, length - last) : role;
    return role == M31RI_METRIC_ROLES ? M31RI_METRIC_OTHER : role;
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words != NULL && strcmp(text, *words) != 0) {
        words++;
    }
    return *words != NULL;
}

m31ri_metric_role m31ri_metric_role_of_definition(const char *unit, const char *better)
{
    static const char *const times[] = {"s", "ms", "us", "ns", NULL};
    static const char *const losses[] = {"nats", "bits", NULL};
    if (unit == NULL || better == NULL) {
        return M31RI_METRIC_OTHER;
    }
    size_t length = strlen(unit);
    bool is_rate = length > 2 && strcmp(unit + length - 2, "/s") == 0;
    if (strcmp(better, "higher") == 0) {
        return is_rate ? M31RI_METRIC_THROUGHPUT : M31RI_METRIC_OTHER;
    }
    return strcmp(better, "lower") != 0 ? M31RI_METRIC_OTHER
           : is_one_of(unit, times)     ? M31RI_METRIC_DURATION
           : is_one_of(unit, losses)    ? M31RI_METRIC_LOSS
                                        : M31RI_METRIC_OTHER;
}
