/* ring_commit.c - commits stand in the first place and intents in the second, in strict turns:
 * while one is being written the other, older by one, stands. */
#include "ring/ring_commit.h"

#include <stddef.h>
#include <string.h>
#include <zlib.h>

/* Over the head, then the lanes and rings that are in use. */
static uint32_t checksum_of(const m31ri_commit *c)
{
    unsigned long crc = crc32(0, (const unsigned char *)c, offsetof(m31ri_commit, checksum));
    crc = crc32(crc, (const unsigned char *)c->lanes,
                (unsigned)(c->n_lanes * sizeof(m31ri_commit_lane)));
    crc = crc32(crc, (const unsigned char *)c->rings,
                (unsigned)(c->n_rings * sizeof(m31ri_commit_ring)));
    return (uint32_t)crc;
}

static bool is_whole(const m31ri_commit *c)
{
    return c->generation != 0 && c->n_lanes <= M31RI_RING_LANES && c->n_rings <= M31RI_RING_SLOTS &&
           c->checksum == checksum_of(c);
}

bool m31ri_commit_read(const m31ri_ring_file *f, m31ri_commit *out)
{
    m31ri_commit c;
    bool has_one = false;
    for (int i = 0; i < 2; i++) {
        memcpy(&c, &f->commits[i], sizeof c);
        if (is_whole(&c) && (!has_one || c.generation > out->generation)) {
            *out = c;
            has_one = true;
        }
    }
    return has_one;
}

/* The statement that is overwritten is torn until its checksum is in: the stores are kept in order
 * for a process that is killed between two of them, which is all that memory can suffer. */
void m31ri_commit_publish(const m31ri_ring_file *f, m31ri_commit *c)
{
    c->generation++;
    c->checksum = checksum_of(c);
    m31ri_commit *slot = &f->commits[c->generation & 1];
    slot->checksum = ~c->checksum;
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(slot->lanes, c->lanes, c->n_lanes * sizeof c->lanes[0]);
    memcpy(slot->rings, c->rings, c->n_rings * sizeof c->rings[0]);
    memcpy(slot, c, offsetof(m31ri_commit, checksum));
    atomic_thread_fence(memory_order_seq_cst);
    slot->checksum = c->checksum;
}
