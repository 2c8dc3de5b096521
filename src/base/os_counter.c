/* os_counter.c - whether the processor's counter runs steadily, by what the processor says of
 * itself. */
#include "base/counter.h"

#if defined(__x86_64__)
#include <cpuid.h>

#define LEAF_POWER 0x80000007u /* AMD APM vol. 3, Intel SDM vol. 3B section 18.17.1 */
#define INVARIANT_TSC (1u << 8)

bool m31ri_counter_is_steady(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(LEAF_POWER, &a, &b, &c, &d) != 0 && (d & INVARIANT_TSC) != 0;
}
#elif defined(__aarch64__)
bool m31ri_counter_is_steady(void)
{
    return true; /* Arm ARM D11.1: the system counter has one frequency and never stops */
}
#else
bool m31ri_counter_is_steady(void)
{
    return false;
}
#endif
