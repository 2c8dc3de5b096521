/* info.h - what this build is, and what it finds on this machine.
 *
 * A list of facts, each of a group, with a text value: what to put into a bug report. It is not a
 * run's host facts; those stand in its metadata.json.
 *
 *     m31r_info_each(print_fact, NULL);
 */
#ifndef M31R_INFO_H
#define M31R_INFO_H

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One fact. Strings live for the call only. */
typedef struct m31r_info_fact {
    const char *group; /* "version", "limit", "path", "feature" */
    const char *name, *value;
} m31r_info_fact;

/* Calls `each` for every fact, in a fixed order.
 *
 * Owns:   nothing.
 * Thread: any.
 */
M31R_API void m31r_info_each(void (*each)(void *context, const m31r_info_fact *fact),
                             void *context);

#ifdef __cplusplus
}
#endif
#endif
