/* merkle.h - the root of a Merkle tree (RFC 6962, section 2.1), one leaf after another, in constant
 * memory.
 *
 * Leaf: SHA-256(0x00 || bytes). Node: SHA-256(0x01 || left || right); a tree of n leaves is split
 * at the largest power of two below n. The root of no leaves is SHA-256 of nothing. Only the roots
 * of whole subtrees are kept, at most one for each height.
 */
#ifndef M31RI_MERKLE_H
#define M31RI_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

typedef struct m31ri_merkle {
    uint64_t n_leaves;
    uint8_t roots[64][M31RI_SHA256_BYTES]; /* of height h, when bit h of n_leaves is set */
} m31ri_merkle;

#define M31RI_MERKLE_INIT                                                                          \
    {                                                                                              \
        0                                                                                          \
    }

/* The leaf that these bytes are. False when memory is out. */
bool m31ri_merkle_leaf(const void *bytes, size_t length, uint8_t out[M31RI_SHA256_BYTES]);

void m31ri_merkle_add_digest(m31ri_merkle *m, const uint8_t leaf[M31RI_SHA256_BYTES]);
void m31ri_merkle_root(const m31ri_merkle *m, uint8_t out[M31RI_SHA256_BYTES]);

#define M31RI_MERKLE_PATH 64 /* a path has at most so many digests */

/* The audit path of leaf `index` among `n` leaves (RFC 6962, section 2.1.1), nearest to the leaf
 * first. Returns how many digests it has. */
size_t m31ri_merkle_path(const uint8_t (*leaves)[M31RI_SHA256_BYTES], uint64_t n, uint64_t index,
                         uint8_t out[M31RI_MERKLE_PATH][M31RI_SHA256_BYTES]);

/* The root that a leaf and its path lead to. False when the path has not the length that `index`
 * and `n` ask for. */
bool m31ri_merkle_climb(const uint8_t leaf[M31RI_SHA256_BYTES], uint64_t n, uint64_t index,
                        const uint8_t (*path)[M31RI_SHA256_BYTES], size_t n_path,
                        uint8_t out[M31RI_SHA256_BYTES]);

#endif
