/* redactions.h - redactions.jsonl of a sealed run: what was taken out of it afterwards, outside of
 * its manifest.
 *
 *     {"redacts":"train.log","part":1,"block":3,"offset":196700,"bytes":65590,"records":1,
 *      "leaf":"<sealed>","now":"<what stands there now>","reason":"...","at":ts}
 *     {"v":1,"run_id":"redactions:<run_id>","root":"...","files":1,...}        the seal of them
 *
 * A line for each block that was replaced (in a compressed segment with "packed":"<SHA-256 of the
 * whole new file>" behind "now"; the last line of a segment holds): the leaf that was sealed, which
 * takes the block's place in the tree, and that of the bytes in its place, which have the same
 * length. Behind them a seal (seal.h) of all lines of that kind so far: `root` is their tree,
 * `files` their number. It stands in the chain of seals too.
 */
#ifndef M31RI_REDACTIONS_H
#define M31RI_REDACTIONS_H

#include "format/merkle.h"
#include "format/seal.h"

#define M31RI_REDACTIONS_FILE "redactions.jsonl"
#define M31RI_REDACTIONS_PREFIX "redactions:"
#define M31RI_REDACTIONS_BYTES                                                                     \
    ((size_t)64 * 1024 * 1024) /* a larger file is not read, nor made                              \
                                */

/* One block. */
typedef struct m31ri_redaction {
    char file[128]; /* as in blocks.jsonl, with the part */
    uint32_t part;
    uint64_t block, offset, bytes;
    uint64_t n_records; /* that were changed in it */
    uint8_t leaf[M31RI_SHA256_BYTES], now[M31RI_SHA256_BYTES];
    bool is_packed; /* in a compressed segment, which then is the file of digest `packed` */
    uint8_t packed[M31RI_SHA256_BYTES];
    char at[28];
    char *reason;
} m31ri_redaction;

typedef struct m31ri_redactions {
    m31ri_redaction *items; /* in the order of the file */
    size_t n, capacity;
    m31ri_seal *seals; /* in the order of the file; the last is of all items */
    size_t n_seals;
    m31ri_merkle tree; /* of the items */
    char fault[160];   /* the first thing that is wrong with the file; "" when nothing is */
    uint64_t fault_line;
} m31ri_redactions;

/* Reads those of the run directory `run`; a file that is not there has none. What is wrong with it
 * is said in `fault`.
 * Errors: M31R_E_IO, M31R_E_LIMIT, M31R_E_NOMEM. Owns: m31ri_redactions_release(). */
m31r_err m31ri_redactions_read(int run, m31ri_redactions *out, m31r_error *e);
void m31ri_redactions_release(m31ri_redactions *l);

/* The last one of a block; NULL when there is none. */
const m31ri_redaction *m31ri_redactions_find(const m31ri_redactions *l, const char *file,
                                             uint32_t part, uint64_t block);

/* Appends the line, and enters it in the tree. False when memory is out. */
bool m31ri_redaction_write(m31ri_merkle *tree, const m31ri_redaction *r, m31ri_buf *out);

/* Fills all of a seal of the run's redactions but the predecessor, the key and the digest. False
 * when the run's id is too long. */
bool m31ri_redactions_seal(const m31ri_merkle *tree, const char *run_id, m31ri_seal *out);

/* True when the seal is of redactions of that run. */
bool m31ri_seal_is_of_redactions(const m31ri_seal *s, const char *run_id);

#endif
