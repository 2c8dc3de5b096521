/* version.h - which library this is.
 *
 *     if (strcmp(m31r_version(), M31R_VERSION) != 0) { ... header and library differ ... }
 */
#ifndef M31R_VERSION_H
#define M31R_VERSION_H

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_VERSION "0.1.0"

/* Version of every file format this library writes; readers accept it and all before it. */
#define M31R_FORMAT_VERSION 1

/* The version of the library that is running.
 *
 * Returns: such as "0.1.0".
 * Owns:   nothing; a constant string.
 * Thread: any.
 */
M31R_API const char *m31r_version(void);

#ifdef __cplusplus
}
#endif
#endif
