/* os_shared.h - memory that two processes see: made before a fork, gone when the last of them is.
 *
 * The observer keeps in it what its heir needs when it is killed: bytes read but not yet recorded,
 * counters, pids.
 */
#ifndef M31RI_OS_SHARED_H
#define M31RI_OS_SHARED_H

#include <stddef.h>

/* Zeroed pages shared with children forked later; NULL when memory is out. Given back by
 * m31ri_shared_free. */
void *m31ri_shared_alloc(size_t size_bytes);
void m31ri_shared_free(void *p, size_t size_bytes);

/* A ring of `size_bytes` (a multiple of the page size), mapped twice in a row: base[i] and base[i +
 * size_bytes] are the same byte, so that any stretch of up to `size_bytes` is contiguous. NULL when
 * memory is out. */
char *m31ri_shared_ring_alloc(size_t size_bytes);
void m31ri_shared_ring_free(char *base, size_t size_bytes);

#endif
