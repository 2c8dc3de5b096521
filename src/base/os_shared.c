/* os_shared.c - shared anonymous memory and the twice-mapped ring, by mmap and memfd_create. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_shared.h"

#include <sys/mman.h>
#include <unistd.h>

void *m31ri_shared_alloc(size_t size_bytes)
{
    void *p = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void m31ri_shared_free(void *p, size_t size_bytes)
{
    if (p != NULL) {
        munmap(p, size_bytes);
    }
}

char *m31ri_shared_ring_alloc(size_t size_bytes)
{
    int fd = memfd_create("m31r-ring", MFD_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    char *base = MAP_FAILED;
    if (ftruncate(fd, (off_t)size_bytes) == 0) {
        /* One reservation of both halves first, so that nothing else can come to lie between them.
         */
        base = mmap(NULL, 2 * size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    for (int half = 0; base != MAP_FAILED && half < 2; half++) {
        void *at = mmap(base + (size_t)half * size_bytes, size_bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_FIXED, fd, 0);
        if (at == MAP_FAILED) {
            munmap(base, 2 * size_bytes);
            base = MAP_FAILED;
        }
    }
    close(fd);
    return base == MAP_FAILED ? NULL : base;
}

void m31ri_shared_ring_free(char *base, size_t size_bytes)
{
    if (base != NULL) {
        munmap(base, 2 * size_bytes);
    }
}
