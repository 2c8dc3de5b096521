/* checkpoints.h - blocks.jsonl of a run, written while it lives and completed when it is sealed.
 *
 * While a run is live its owner lists each block as soon as it is whole, about once a second and
 * with the processor's idle time. So what stood in a file a second ago is written down outside of
 * it: a run that crashed can be verified up to its last checkpoint, and a file that was cut and
 * written on does not become a run that looks whole. At the end the remaining blocks follow; one
 * that is no longer what its checkpoint said is listed again, and the manifest counts it.
 *
 * A file that cannot be written is given up: then blocks are missing in it, and the trees of the
 * manifest stand all the same. Not thread-safe.
 */
#ifndef M31RI_CHECKPOINTS_H
#define M31RI_CHECKPOINTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/blocks.h"
#include "m31r/error.h"

typedef struct m31ri_checkpoints m31ri_checkpoints;

/* The state of one file of lines. */
typedef struct m31ri_part {
    char file[128];
    uint32_t part;
    uint64_t n_blocks, capacity;
    uint64_t end; /* offset behind the last block */
    uint8_t (*leaves)[M31RI_SHA256_BYTES];
} m31ri_part;

/* Reads what is there; a torn last line goes. `run` must stay open.
 * Errors: M31R_E_NOMEM. Owns: m31ri_checkpoints_close(). */
m31r_err m31ri_checkpoints_open(int run, m31ri_checkpoints **out, m31r_error *e);
void m31ri_checkpoints_close(m31ri_checkpoints *c);

/* True when some file has a whole block that is not listed. Costs a look at the directory. */
bool m31ri_checkpoints_are_due(m31ri_checkpoints *c);

/* Lists the whole blocks of all files, until `must_stop`. */
void m31ri_checkpoints_pass(m31ri_checkpoints *c, const atomic_bool *must_stop);

/* The part of a file of lines, made when it is new; NULL when memory is out. */
m31ri_part *m31ri_checkpoints_part(m31ri_checkpoints *c, const char *file, uint32_t part);

/* Lists a block unless that was done. False when it was listed with another content; it is then
 * listed again. */
bool m31ri_checkpoints_add(m31ri_checkpoints *c, m31ri_part *p, const m31ri_block *b,
                           const char *checks);

/* Makes the file when it is missing. */
void m31ri_checkpoints_begin(m31ri_checkpoints *c);

/* Writes what is still in memory. */
void m31ri_checkpoints_flush(m31ri_checkpoints *c);

#endif
