/* places_avx2.c - places.h with AVX2: 32 bytes at once. CMake compiles this file alone for it. */
#include "rules/places_each.h"

uint64_t m31ri_places_avx2(const m31ri_rule_index *x, m31ri_text_view text, size_t block)
{
    return places_find(x, text, block);
}
