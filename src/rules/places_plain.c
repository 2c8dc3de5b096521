/* places_plain.c - places.h for every processor, and the choice of the fastest. */
#include "rules/places_each.h"

uint64_t m31ri_places_plain(const m31ri_rule_index *x, m31ri_text_view text, size_t block)
{
    return places_find(x, text, block);
}

m31ri_places *m31ri_places_best(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
        return m31ri_places_avx2;
    }
#endif
    return m31ri_places_plain;
}
