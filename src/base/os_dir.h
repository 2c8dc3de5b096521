/* os_dir.h - what is in a directory, in an order that does not depend on the file system. */
#ifndef M31RI_OS_DIR_H
#define M31RI_OS_DIR_H

#include <stddef.h>

#include "m31r/error.h"

#define M31RI_DIR_ENTRIES 10000000 /* more in one directory is M31R_E_LIMIT */

/* One name. `type`: 'f' regular file, 'd' directory, 'l' symlink, 'o' anything else. */
typedef struct m31ri_dir_entry {
    char *name;
    char type;
} m31ri_dir_entry;

typedef struct m31ri_dir_list {
    m31ri_dir_entry *entries; /* in byte order of name, without "." and ".." */
    size_t n;
} m31ri_dir_list;

/* Lists the directory that `dir` is a descriptor of (its position is not moved; it stays open).
 * Errors: M31R_E_IO, M31R_E_LIMIT, M31R_E_NOMEM. Owns: m31ri_dir_list_release(). Thread: any. */
m31r_err m31ri_dir_list_fd(int dir, m31ri_dir_list *out, m31r_error *e);
void m31ri_dir_list_release(m31ri_dir_list *l);

#endif
