/* os_process.h - which process, on which boot of which host; and whether it is proved dead. */
#ifndef M31RI_OS_PROCESS_H
#define M31RI_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Names one process for ever: a pid is used again, a start time on one boot is not. */
typedef struct m31ri_process {
    int64_t pid;
    uint64_t start_ticks; /* field 22 of /proc/<pid>/stat; 0 when not known */
    char boot_id[40];     /* "" when not known */
    char host[65];        /* node name */
} m31ri_process;

typedef enum m31ri_liveness {
    M31RI_ALIVE,
    M31RI_DEAD,   /* proved: other boot of this host, no such pid, or the pid is another process now
                   */
    M31RI_UNKNOWN /* another host, or /proc does not say */
} m31ri_liveness;

/* The calling process. */
m31ri_process m31ri_process_self(void);

/* Process `pid` on this host. */
m31ri_process m31ri_process_of(int64_t pid);

m31ri_liveness m31ri_process_liveness(const m31ri_process *p);

#define M31RI_PROC_STAT_FIELDS 24

/* Fields 3... of /proc/<pid>/stat at their numbers, as proc(5) counts them: fields[3] is the letter
 * of the state, the others are numbers. The name, which may hold anything, is passed over. False:
 * no such process. */
bool m31ri_proc_stat(int64_t pid, uint64_t fields[M31RI_PROC_STAT_FIELDS + 1]);

/* Reads a small file of /proc into `out`, NUL after it; bytes read, or -1. */
ssize_t m31ri_proc_read(const char *path, char *out, size_t size);

/* The calling thread runs only when no other wants the processor: for work that nobody waits for.
 */
void m31ri_thread_be_idle(void);

/* Resident set of this process in bytes; 0 when not known. */
uint64_t m31ri_process_rss_bytes(void);

#endif
