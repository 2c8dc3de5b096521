/* proof.h - that one record stood in a sealed run, shown without the rest of the log.
 *
 * A proof is one JSON object: the block of whole lines that the record is in, its path in the tree
 * of the file, the line of manifest.json that names that tree, its path to the root, and the seal.
 * Who has it and the seal from elsewhere (the chain, a message, a printout) needs nothing more. It
 * shows all records of its block, about 64 KiB.
 *
 *     m31r_proof_write(reader, "train.log", 337, stdout, &e);
 *     m31r_proof_check(text, length, &proof, &e);
 */
#ifndef M31R_PROOF_H
#define M31R_PROOF_H

#include <stdio.h>

#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a proof shows, when it holds. */
typedef struct m31r_proof {
    char run_id[160];
    char file[256];
    uint64_t line, byte; /* line from 1, in the lane; byte where it begins, in its file */
    char root[65], seal[65];
    char made[28]; /* when it was sealed */
    char key[65];  /* of who signed; "" for nobody */
    char *record;  /* the line, without its newline */
    size_t length;
} m31r_proof;

/* Writes the proof of line `line` of `file` (a lane's file, whose lines are counted through all its
 * segments, one segment, or a file of points) to `out`.
 *
 * Returns: M31R_OK when it is written.
 * Errors:  M31R_E_NOTFOUND (no seal, no such file or line), M31R_E_INVALID (what is there now is
 *          not what was sealed), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_proof_write(const m31r_reader *reader, const char *file, uint64_t line,
                                   FILE *out, m31r_error *e);

/* Checks a proof by itself: from the record to the seal's own digest, and its signature.
 *
 * Returns: M31R_OK when it holds; whether the seal is the one that it should be is for the caller
 *          to compare.
 * Errors:  M31R_E_INVALID (the message says which step), M31R_E_NOMEM.
 * Owns:    the caller frees `out->record` by m31r_proof_release().
 * Thread:  any.
 */
M31R_API m31r_err m31r_proof_check(const char *text, size_t length, m31r_proof *out, m31r_error *e);

/* Frees what it holds.
 *
 * Owns:   frees `p->record`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_proof_release(m31r_proof *p);

#ifdef __cplusplus
}
#endif
#endif
