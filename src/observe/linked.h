/* linked.h - what a program links: known of one that was over before it could be looked at. */
#ifndef M31RI_LINKED_H
#define M31RI_LINKED_H

#include <stdbool.h>

#include "base/buf.h"

/* The file that command `name` runs, of a script its interpreter, and the libraries that the
 * dynamic loader finds for it with this process's environment: paths, each ended by NUL, and an
 * empty one after the last. Waits at most 2 s. False when there is no such program, it is static,
 * or its loader does not say. */
bool m31ri_linked_libraries(const char *name, m31ri_buf *out_program, m31ri_buf *out_libraries);

#endif
