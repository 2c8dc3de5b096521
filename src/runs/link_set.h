/* link_set.h - the links of all runs of a root, kept in the user's cache so that a lineage over
 * thousands of runs reads only those that changed.
 *
 * What is kept of a run holds while its metadata.json is what it was (inode, size, modification and
 * change time), which is looked at for each run that is asked for. A set works without the cache:
 * then each run is read. Not thread-safe.
 */
#ifndef M31RI_LINK_SET_H
#define M31RI_LINK_SET_H

#include <stdbool.h>

#include "runs/links.h"

typedef struct m31ri_link_set m31ri_link_set;

/* Opens the set of the runs below `root`, of which `root_fd` is a descriptor that stays open as
 * long as the set. NULL when memory is out. */
m31ri_link_set *m31ri_link_set_open(const char *root, int root_fd);

/* The links of a run, from the cache or read; texts are valid until the set is closed. False when
 * it has no metadata.json, or memory is out. */
bool m31ri_link_set_get(m31ri_link_set *set, const char *run_id, m31ri_links *out);

/* Writes what was read to the cache, forgets there what was not asked for, and frees. Not kept is
 * what changed later than two seconds before the opening: it may have been read half. NULL is
 * fine. */
void m31ri_link_set_close(m31ri_link_set *set);

#endif
