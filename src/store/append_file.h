/* append_file.h - a file of whole lines that only grows: the one way records and points reach the
 * disk.
 *
 * A write is whole or it did not happen: when it fails or is cut short, the file is taken back to
 * the end of its last whole line, so that nothing is ever glued to a torn one. An EXCLUSIVE file
 * has one writer, who holds its lock until it is closed and remembers the end; a SHARED file is
 * locked for each write, and the end is looked up under the lock. A writer that finds bytes after
 * the last newline knows that their writer died inside a write (the lock is free) and that the call
 * had not returned: it takes them off and hands them to its caller, so that nothing vanishes
 * silently.
 *
 * Not thread-safe: the owner of the object locks.
 */
#ifndef M31RI_APPEND_FILE_H
#define M31RI_APPEND_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "m31r/error.h"

typedef struct m31ri_append_file m31ri_append_file;

/* BORROWED: as EXCLUSIVE, for a writer who is the only one by other means (the writer lease of a
 * ring) while the file's own lock is held by the process that the records come from. */
typedef enum m31ri_append_mode {
    M31RI_APPEND_EXCLUSIVE,
    M31RI_APPEND_SHARED,
    M31RI_APPEND_BORROWED
} m31ri_append_mode;

/* What an outside hand did to the file since it was last looked at. */
typedef enum m31ri_append_state {
    M31RI_APPEND_FINE,
    M31RI_APPEND_DELETED,   /* no name leads to it any more: it was made again under its name, and
                             * goes on there   (when it cannot be made, this is said at each check,
                             * and   writes fail with the reason) */
    M31RI_APPEND_TRUNCATED, /* shorter than what was written: writing goes on at its new end */
    M31RI_APPEND_REPLACED   /* another file has its name now: writing goes on in the old one */
} m31ri_append_state;

/* A tail without a newline that is longer than this is no line of ours that was torn: it stays
 * where it is and gets its newline. */
#define M31RI_APPEND_TORN_LIMIT (1024 * 1024)

/* Opens (makes, when missing) `name` in `dir`; never through a symlink, never anything but a
 * regular file. A new or empty file first gets `header` (NULL: none). `torn` (NULL allowed) gets
 * the bytes taken off the end.
 * Errors: M31R_E_BUSY (EXCLUSIVE: another process holds it), M31R_E_IO (ELOOP for a symlink,
 *         EISDIR, EINVAL for a FIFO, socket or device, EMFILE, ENOSPC...), M31R_E_NOTFOUND (`dir`
 *         was removed), M31R_E_NOMEM.
 * Owns:   the caller closes; `dir` must stay open as long.
 * Fork:   locks belong to parent and child together, so a child must close its copy and open its
 * own. */
m31r_err m31ri_append_open(int dir, const char *name, m31ri_append_mode mode, const char *header,
                           m31ri_buf *torn, m31ri_append_file **out, m31r_error *e);

/* NULL is fine. Does not sync. */
void m31ri_append_close(m31ri_append_file *f);

/* In a forked child, for a file that another thread of the parent may have been writing at that
 * instant: only closes the child's descriptor. NULL is fine. */
void m31ri_append_forget(m31ri_append_file *f);

/* Writes whole lines, the last byte a newline. 0 when all bytes are in the file, else the errno and
 * none are (EBUSY: SHARED, and another process held the lock for 5 seconds). Sees deletion and
 * truncation before it writes, mends them, and leaves the state for the next check. */
int m31ri_append_write(m31ri_append_file *f, const void *lines, size_t length);

/* SHARED: locks the file over several writes and tells where the next will begin. 0 or errno, and
 * then nothing is locked. */
int m31ri_append_lock(m31ri_append_file *f, uint64_t *end);
void m31ri_append_unlock(m31ri_append_file *f);

/* Not SHARED: what was written so far gets the name `segment`, which must be free, and writing goes
 * on in a new file under the old name; between the two the name is never free for somebody else. 0
 * or errno, and then nothing has changed. */
int m31ri_append_rotate(m31ri_append_file *f, const char *segment);

/* Moves what was found torn after the opening (SHARED: a writer died inside its write) to the end
 * of `out`, one newline after each piece; true when there was something. */
bool m31ri_append_take_torn(m31ri_append_file *f, m31ri_buf *out);

/* fdatasync (for a file this writer made, its directory entry too). The first failure is remembered
 * and returned by every later call. */
int m31ri_append_sync(m31ri_append_file *f);

/* Looks (fstat, one lookup of the name) whether the file is still the one, and mends what can be
 * mended. Each event is told once. */
m31ri_append_state m31ri_append_check(m31ri_append_file *f);

/* Bytes of whole lines in the file, as far as this writer knows. */
uint64_t m31ri_append_size(const m31ri_append_file *f);

/* What is called in place of write(2) and fdatasync(2); a NULL member is the real one. */
typedef struct m31ri_append_hooks {
    ssize_t (*write)(int fd, const void *bytes, size_t length);
    int (*sync)(int fd);
} m31ri_append_hooks;

/* For tests. NULL: the real ones. */
void m31ri_append_set_hooks(const m31ri_append_hooks *hooks);

#endif
