/* os_loaded.h - which program files a process has loaded. */
#ifndef M31RI_OS_LOADED_H
#define M31RI_OS_LOADED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls `each` with the path of every file that process `pid` has mapped to execute, each once as
 * long as its mappings stand together; the program itself is the first unless it was replaced.
 * False when the process cannot be looked at, or has ended. */
bool m31ri_loaded_each(int64_t pid, void (*each)(void *context, const char *path), void *context);

/* Path of the program that `pid` runs; false when it is not known. */
bool m31ri_loaded_program(int64_t pid, char *out, size_t size);

/* Direct children of `pid`; how many, at most `limit`. */
size_t m31ri_loaded_children(int64_t pid, int64_t *out, size_t limit);

#endif
