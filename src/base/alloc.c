/* alloc.c - allocation with a switch for tests.
 *
 * The switch is a counter that normal use never touches: one relaxed load a call. It exists because
 * the only way to know that a failed allocation is handled is to make each one fail in turn.
 */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_long
    fail_countdown; /* 0: off; 1: the next one fails; relaxed: tests set it before starting */
static atomic_int fail_forever;

static int must_fail(void)
{
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) == 0) {
        return 0;
    }
    long left = atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) - 1;
    if (left > 0) {
        return 0;
    }
    atomic_store_explicit(&fail_countdown, atomic_load(&fail_forever) ? 1 : 0,
                          memory_order_relaxed);
    return 1;
}

void m31ri_alloc_fail_at(long n, int forever)
{
    atomic_store(&fail_forever, forever);
    atomic_store(&fail_countdown, n);
}

void *m31ri_alloc(size_t size_bytes)
{
    return must_fail() ? NULL : malloc(size_bytes != 0 ? size_bytes : 1);
}

void *m31ri_calloc(size_t n, size_t size_bytes)
{
    return must_fail() ? NULL : calloc(n != 0 ? n : 1, size_bytes != 0 ? size_bytes : 1);
}

void *m31ri_realloc(void *p, size_t size_bytes)
{
    return must_fail() ? NULL : realloc(p, size_bytes != 0 ? size_bytes : 1);
}

void m31ri_free(void *p)
{
    free(p);
}

char *m31ri_strndup(const char *s, size_t length)
{
    if (length == SIZE_MAX) {
        return NULL;
    }
    char *copy = m31ri_alloc(length + 1);
    if (copy != NULL) {
        memcpy(copy, s, length);
        copy[length] = '\0';
    }
    return copy;
}

char *m31ri_strdup(const char *s)
{
    return m31ri_strndup(s, strlen(s));
}
