/* os_remove.h - a directory removed with all that is in it, and nothing else. */
#ifndef M31RI_OS_REMOVE_H
#define M31RI_OS_REMOVE_H

#include "m31r/error.h"

/* Removes `name` of the directory `dir`: a directory with everything below it, or a file. No
 * symlink is followed at any depth (a link is removed itself), no other file system is entered, and
 * whoever exchanges a directory for a link meanwhile moves nothing of what is removed elsewhere:
 * every step goes through the descriptor of the directory that was opened. Directories that may not
 * be written in are made writable first.
 * Errors: M31R_E_NOTFOUND, M31R_E_IO (path set; what was removed so far is gone), M31R_E_LIMIT
 *         (nested deeper than 256), M31R_E_NOMEM. */
m31r_err m31ri_remove_tree(int dir, const char *name, m31r_error *e);

#endif
