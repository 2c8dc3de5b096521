/* os_host.h - what machine this is, and how this process was started; from uname and /proc. */
#ifndef M31RI_OS_HOST_H
#define M31RI_OS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Texts are "" and numbers 0 when not known. */
typedef struct m31ri_host {
    char name[65], os[128], kernel[128], arch[65], cpu_model[128];
    uint32_t cpus; /* that this process may use */
    uint64_t memory_bytes;
} m31ri_host;

void m31ri_host_read(m31ri_host *out);

/* The processor's flags with a blank between (of ARM its Features); false when not known. */
bool m31ri_host_cpu_flags(char *out, size_t size);

/* What follows `key` and a colon in a small file of the system, to the end of the line; false when
 * it is not there. */
bool m31ri_host_line(const char *path, const char *key, char *out, size_t size);

/* Appends this process's arguments, each followed by a NUL; at most 1 MiB of them. False when they
 * are not known. */
bool m31ri_process_arguments(m31ri_buf *out);

#endif
