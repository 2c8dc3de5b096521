/* alloc.h - all allocation of the library goes through here, so that a test can fail the N-th. */
#ifndef M31RI_ALLOC_H
#define M31RI_ALLOC_H

#include <stddef.h>

/* As malloc, calloc, realloc, free, strdup. NULL on failure; free(NULL) is fine. Thread: any. */
void *m31ri_alloc(size_t size_bytes);
void *m31ri_calloc(size_t n, size_t size_bytes);
void *m31ri_realloc(void *p, size_t size_bytes);
void m31ri_free(void *p);
char *m31ri_strdup(const char *s);
char *m31ri_strndup(const char *s, size_t length);

/* For tests: the `n`-th allocation from now (1 is the next) and, when `forever`, all after it fail.
 * 0 turns it off. */
void m31ri_alloc_fail_at(long n, int forever);

#endif
