/* merkle.c - see merkle.h. The subtrees kept are the binary digits of the number of leaves: adding
 * a leaf carries. */
#include "store/merkle.h"

#include <stdbool.h>
#include <string.h>

static void join(const uint8_t left[M31RI_SHA256_BYTES], const uint8_t right[M31RI_SHA256_BYTES],
                 uint8_t out[M31RI_SHA256_BYTES])
{
    uint8_t bytes[1 + 2 * M31RI_SHA256_BYTES] = {1};
    memcpy(bytes + 1, left, M31RI_SHA256_BYTES);
    memcpy(bytes + 1 + M31RI_SHA256_BYTES, right, M31RI_SHA256_BYTES);
    m31ri_sha256_of(bytes, sizeof bytes, out);
}

void m31ri_merkle_add_digest(m31ri_merkle *m, const uint8_t leaf[M31RI_SHA256_BYTES])
{
    uint8_t carry[M31RI_SHA256_BYTES];
    memcpy(carry, leaf, sizeof carry);
    unsigned height = 0;
    for (uint64_t n = m->n_leaves; n & 1; n >>= 1) {
        join(m->roots[height], carry, carry);
        height++;
    }
    memcpy(m->roots[height], carry, sizeof carry);
    m->n_leaves++;
}

void m31ri_merkle_root(const m31ri_merkle *m, uint8_t out[M31RI_SHA256_BYTES])
{
    bool any = false;
    m31ri_sha256_of("", 0, out);
    for (unsigned height = 0; height < 64; height++) {
        if ((m->n_leaves >> height & 1) == 0) {
            continue;
        }
        if (any) {
            join(m->roots[height], out, out);
        } else {
            memcpy(out, m->roots[height], M31RI_SHA256_BYTES);
        }
        any = true;
    }
}
