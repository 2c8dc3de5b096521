/* links.h - what ties a run to others: the files that it made and read, and its parents, packed
 * into bytes that an index can keep.
 *
 * All of it is in metadata.json, so that one file alone says whether it still holds. Unpacked texts
 * point into the bytes.
 */
#ifndef M31RI_LINKS_H
#define M31RI_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/reader.h"

typedef struct m31ri_links {
    const char *name, *timestamp; /* of the run; "" when not known */
    uint32_t n_parents, n_files;
    const char *at; /* what is not unpacked yet: the parents, then the files */
    size_t left;
} m31ri_links;

typedef struct m31ri_link_file {
    const char *role, *path, *digest;
    const char *named; /* the run that an input says made it; "" for none */
    int64_t step;      /* M31R_UNKNOWN for none */
} m31ri_link_file;

void m31ri_links_pack(const m31r_reader *run, m31ri_buf *out);

/* Begins to unpack. False when the bytes are not whole. */
bool m31ri_links_open(const char *bytes, size_t length, m31ri_links *out);

/* The next parent's id, after them the next file; false at the end or where bytes are missing. */
bool m31ri_links_parent(m31ri_links *links, const char **out_run_id);
bool m31ri_links_file(m31ri_links *links, m31ri_link_file *out);

#endif
