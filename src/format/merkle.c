/* merkle.c - see merkle.h. The subtrees kept are the binary digits of the number of leaves: adding
 * a leaf carries. */
#include "format/merkle.h"

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

bool m31ri_merkle_leaf(const void *bytes, size_t length, uint8_t out[M31RI_SHA256_BYTES])
{
    static const uint8_t prefix = 0;
    m31ri_sha256 *h = m31ri_sha256_new();
    if (h == NULL) {
        return false;
    }
    m31ri_sha256_add(h, &prefix, 1);
    m31ri_sha256_add(h, bytes, length);
    m31ri_sha256_end(h, out);
    m31ri_sha256_free(h);
    return true;
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

/* The largest power of two below n (n > 1): where a tree of n leaves is split. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;
    while (k * 2 < n) {
        k *= 2;
    }
    return k;
}

static void root_of(const uint8_t (*leaves)[M31RI_SHA256_BYTES], uint64_t n,
                    uint8_t out[M31RI_SHA256_BYTES])
{
    m31ri_merkle m = M31RI_MERKLE_INIT;
    for (uint64_t i = 0; i < n; i++) {
        m31ri_merkle_add_digest(&m, leaves[i]);
    }
    m31ri_merkle_root(&m, out);
}

size_t m31ri_merkle_path(const uint8_t (*leaves)[M31RI_SHA256_BYTES], uint64_t n, uint64_t index,
                         uint8_t out[M31RI_MERKLE_PATH][M31RI_SHA256_BYTES])
{
    size_t length = 0;
    while (n > 1) { /* from the root down: the sibling at each split, the nearest one comes last */
        uint64_t k = split(n);
        bool is_right = index >= k;
        root_of(is_right ? leaves : leaves + k, is_right ? k : n - k, out[length++]);
        leaves = is_right ? leaves + k : leaves;
        index -= is_right ? k : 0;
        n = is_right ? n - k : k;
    }
    for (size_t i = 0; i < length / 2; i++) {
        uint8_t saved[M31RI_SHA256_BYTES];
        memcpy(saved, out[i], sizeof saved);
        memcpy(out[i], out[length - 1 - i], sizeof saved);
        memcpy(out[length - 1 - i], saved, sizeof saved);
    }
    return length;
}

bool m31ri_merkle_climb(const uint8_t leaf[M31RI_SHA256_BYTES], uint64_t n, uint64_t index,
                        const uint8_t (*path)[M31RI_SHA256_BYTES], size_t n_path,
                        uint8_t out[M31RI_SHA256_BYTES])
{
    bool is_right[M31RI_MERKLE_PATH]; /* by split, from the root down */
    size_t depth = 0;
    if (index >= n) {
        return false;
    }
    for (uint64_t left = n; left > 1; depth++) {
        uint64_t k = split(left);
        is_right[depth] = index >= k;
        index -= is_right[depth] ? k : 0;
        left = is_right[depth] ? left - k : k;
    }
    if (depth != n_path) {
        return false;
    }
    memcpy(out, leaf, M31RI_SHA256_BYTES);
    for (size_t i = 0; i < n_path; i++) {
        bool goes_right = is_right[depth - 1 - i];
        join(goes_right ? path[i] : out, goes_right ? out : path[i], out);
    }
    return true;
}
