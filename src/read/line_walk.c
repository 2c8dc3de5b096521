/* line_walk.c - which way of line_walk.h this machine takes. */
#include "read/line_walk.h"

#include <string.h>

extern const m31ri_walk m31ri_walk_avx512, m31ri_walk_avx2, m31ri_walk_sse2, m31ri_walk_neon,
    m31ri_walk_plain;

static bool can_run(const m31ri_walk *walk)
{
    if (walk->name == NULL) {
        return false;
    }
#ifdef __x86_64__
    if (walk == &m31ri_walk_avx512) {
        return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2");
    }
    if (walk == &m31ri_walk_avx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
    }
#endif
    return true;
}

static const m31ri_walk *const fastest_first[] = {
    &m31ri_walk_avx512, &m31ri_walk_avx2, &m31ri_walk_sse2, &m31ri_walk_neon, &m31ri_walk_plain,
};

const m31ri_walk *m31ri_walk_best(void)
{
    size_t i = 0;
    while (!can_run(fastest_first[i])) {
        i++;
    }
    return fastest_first[i];
}

const m31ri_walk *m31ri_walk_named(const char *name)
{
    for (size_t i = 0; i < sizeof fastest_first / sizeof *fastest_first; i++) {
        if (can_run(fastest_first[i]) && strcmp(fastest_first[i]->name, name) == 0) {
            return fastest_first[i];
        }
    }
    return NULL;
}
