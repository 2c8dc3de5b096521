/* os_file.h - files done carefully: no symlink is followed below a pinned directory, no descriptor
 * is 0-2, a write is whole or reported, a replacement is atomic.
 *
 * `dir` is an open directory descriptor (or AT_FDCWD), `name` a path below it. All descriptors are
 * close-on-exec.
 */
#ifndef M31RI_OS_FILE_H
#define M31RI_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "m31r/error.h"

/* Moves a descriptor that is 0, 1 or 2 above them, close-on-exec; -1 stays -1. Keeps errno. */
int m31ri_fd_above_stdio(int fd);

/* As openat(2) with O_CLOEXEC and O_NOFOLLOW added; never returns 0, 1 or 2; -1 and errno on
 * failure. */
int m31ri_open(int dir, const char *name, int flags, mode_t mode);

/* Opens a regular file for reading without blocking on a FIFO; refuses anything but a regular file
 * (EINVAL). Follows symlinks: for paths a person gave. */
int m31ri_open_input(const char *path);

/* Opens a directory; `follow` says whether a symlink at the last part is accepted. */
int m31ri_open_dir(int dir, const char *name, bool follow);

/* Makes `path` and its missing parents, mode 0777 less umask. */
m31r_err m31ri_make_dirs(const char *path, m31r_error *e);

/* Writes all bytes at the descriptor's position. 0, or errno with `*written` telling how many went
 * in. */
int m31ri_write_all(int fd, const void *bytes, size_t length, size_t *written);

/* Of every file that is made here: what a run says is its owner's alone. */
#define M31RI_FILE_MODE 0600

/* Reads a whole file, at most `limit` bytes (M31R_E_LIMIT beyond), onto the end of `out`. */
m31r_err m31ri_read_file(int dir, const char *name, size_t limit, m31ri_buf *out, m31r_error *e);
m31r_err m31ri_read_fd(int fd, size_t limit, m31ri_buf *out, m31r_error *e);

/* Replaces `name` by these bytes: temporary file, write, (fsync when `sync`), rename, (fsync of
 * `dir`). The old content stays whole when anything fails. */
m31r_err m31ri_replace_file(int dir, const char *name, const void *bytes, size_t length, bool sync,
                            m31r_error *e);

/* Exchanges what two names of `dir` lead to, in one step. 0, or errno (EINVAL: this file system
 * cannot do it). */
int m31ri_exchange_names(int dir, const char *a, const char *b);

/* Makes `name`, which must not exist, with these bytes. */
m31r_err m31ri_create_file(int dir, const char *name, const void *bytes, size_t length,
                           m31r_error *e);

/* Exclusive lock of the open file description, freed by the kernel when its last descriptor closes.
 * `wait_ms`: 0 tries once; else polls until then. True when held. */
bool m31ri_lock(int fd, int wait_ms);
void m31ri_unlock(int fd);

#endif
