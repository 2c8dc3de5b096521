/* seal_chain.h - `.seals.jsonl` beside the runs: the seals of all of them, in the order in which
 * they were made, so that each names the one before.
 *
 * Appended under the file's lock, which is held from the look at the predecessor until the new seal
 * stands there. It is no part of a run: where it is missing, read-only or locked for too long, a
 * run is sealed without a predecessor.
 */
#ifndef M31RI_SEAL_CHAIN_H
#define M31RI_SEAL_CHAIN_H

#include "format/seal.h"

typedef struct m31ri_seal_chain {
    int fd; /* -1: there is none */
    bool needs_newline;
} m31ri_seal_chain;

/* Opens and locks the chain beside the run. Never fails: without one `fd` is -1. */
void m31ri_seal_chain_open(m31ri_seal_chain *c, int run);
void m31ri_seal_chain_close(m31ri_seal_chain *c);

/* The last seal; false when there is none. */
bool m31ri_seal_chain_last(const m31ri_seal_chain *c, m31ri_seal *out);

/* Appends it. False when it could not be written whole. */
bool m31ri_seal_chain_add(m31ri_seal_chain *c, const m31ri_seal *s);

/* Appends the seal of a run's manifest.json when it is not there: its owner was killed between the
 * two. */
void m31ri_seal_chain_complete(int run);

#endif
