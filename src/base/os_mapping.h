/* os_mapping.h - files that are mapped and shared between processes, and what guards them.
 *
 * A store into a mapped page that the file system has no room for is a SIGBUS, so room is taken
 * first (m31ri_mapping_take_room), and its failure is an ordinary error. A lease is a lock that
 * belongs to this process alone: the kernel ends it with the process, a forked child does not have
 * it. Closing any descriptor of the file in the process ends it too, so a file that carries leases
 * is opened once in a process.
 */
#ifndef M31RI_OS_MAPPING_H
#define M31RI_OS_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The directory of this user in memory-backed storage ("/dev/shm/m31r-<uid>"), made when missing
 * and private; false when there is none or it belongs to somebody else. */
bool m31ri_mapping_memory_dir(char *out, size_t size);

/* Maps `size` bytes of `fd`, for writing too when `is_writable`; NULL and errno on failure. */
void *m31ri_mapping_map(int fd, size_t size, bool is_writable);
void m31ri_mapping_unmap(void *at, size_t size);

/* In a signal's handler: ordinary memory of this process in the place of a mapping whose file was
 * cut short. */
bool m31ri_mapping_replace(void *at, size_t size);

/* False when making a file of so many bytes would raise SIGXFSZ. */
bool m31ri_mapping_size_is_allowed(uint64_t bytes);

/* Takes room for [offset, offset + length) from the file system. 0 or errno. */
int m31ri_mapping_take_room(int fd, uint64_t offset, uint64_t length);

/* A page of this process that reads as zero in any child made by fork or clone; NULL when the
 * kernel has none. */
void *m31ri_mapping_fork_token(void);
void m31ri_mapping_fork_token_free(void *page);

/* The lease on byte `which` of the file: taken, or false when another process has it. */
bool m31ri_lease_take(int fd, int which);
void m31ri_lease_end(int fd, int which);

/* True while another process holds it. */
bool m31ri_lease_is_held(int fd, int which);

#endif
