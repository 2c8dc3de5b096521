/* os_proc_tree.h - what a tree of processes uses: processor time, memory, storage traffic.
 *
 * Membership is found by walking children from the roots. Resident memory is a plain sum: pages
 * that two processes share count twice. Times and bytes of processes that ended stay counted once
 * their parent has collected them.
 */
#ifndef M31RI_OS_PROC_TREE_H
#define M31RI_OS_PROC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_PROC_TREE_LIMIT                                                                      \
    4096 /* processes looked at; more are left out and `is_cut` says so                            \
          */

typedef struct m31ri_proc_usage {
    uint32_t n_processes, n_threads;
    uint64_t cpu_ns; /* user and system time, ended and collected children included */
    uint64_t rss_bytes;
    uint64_t read_bytes; /* from storage, as /proc/<pid>/io counts */
    uint64_t write_bytes;
    bool has_io; /* false when the system does not let us see it */
    bool is_cut;
} m31ri_proc_usage;

typedef struct m31ri_proc_tree m31ri_proc_tree;

/* NULL when memory is out. */
m31ri_proc_tree *m31ri_proc_tree_new(void);
void m31ri_proc_tree_free(m31ri_proc_tree *t);

/* Sums over `roots` (n pids) and all that descend from them, less the pids in `without` (n_without)
 * themselves. False when none is there any more. A machine with very many processes is walked less
 * often: the cost stays below about 0.2 %. */
bool m31ri_proc_tree_usage(m31ri_proc_tree *t, const int64_t *roots, size_t n,
                           const int64_t *without, size_t n_without, m31ri_proc_usage *out);

/* Sends a signal to `roots` and all that descend from them, less those in `without`. */
void m31ri_proc_tree_signal(m31ri_proc_tree *t, const int64_t *roots, size_t n,
                            const int64_t *without, size_t n_without, int number);

/* How often the kernel has killed a process for want of memory in the memory cgroup of `pid`:
 * memory.events (v2) or memory.oom_control (v1). -1 when that is not known. `*out_is_own` tells
 * that the cgroup is not the root. */
int64_t m31ri_cgroup_oom_kills(int64_t pid, bool *out_is_own);

/* The same for a process whose /proc/<pid>/cgroup is `membership`, with the control groups mounted
 * at `mount`. */
int64_t m31ri_cgroup_oom_kills_below(const char *membership, const char *mount, bool *out_is_own);

#endif
