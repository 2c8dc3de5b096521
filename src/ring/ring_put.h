/* ring_put.h - the calling side of one ring: room is reserved, bytes are stored, the record is
 * published.
 *
 *     char *at = m31ri_ring_reserve(r, bytes);
 *     if (at != NULL) {
 *         ... a m31ri_put and its values, `bytes` in all ...
 *         m31ri_ring_publish(r, bytes);
 *     }
 *
 * One thread at a time. Reserving is a comparison while there is room; only when the ring is half
 * full is the other side's position looked at, so that the two do not pass a cache line to and fro.
 * m31r_hot_put() (include/m31r/hot.h) is the same in line, and knows nothing but the m31r_hot.
 */
#ifndef M31RI_RING_PUT_H
#define M31RI_RING_PUT_H

#include "m31r/hot.h"
#include "ring/ring_file.h"

typedef struct m31ri_ring {
    m31r_hot *hot; /* where the next record goes, and how far nothing need be asked; borrowed */
    char *data;
    uint64_t mask;   /* slot_bytes - 1 */
    uint32_t index;  /* of the slot */
    bool was_full;   /* the last wait for room was in vain */
    bool keeps_room; /* the last quarter is for what is not low: see m31ri_ring_reserve_low */
    bool is_steady;  /* what its counters are: see base/counter.h */
    m31ri_ring_slot *slot;
    m31ri_ring_live *live;
} m31ri_ring;

/* The ring's position: where the next record goes. */
static inline uint64_t m31ri_ring_head(const m31ri_ring *r)
{
    return (uint64_t)(uintptr_t)r->hot->at + r->hot->turn;
}

/* The longest record: what is left free of a ring at its wrap must take it too. */
static inline uint64_t m31ri_ring_longest(const m31ri_ring *r)
{
    return (r->mask + 1) / 4;
}

/* Slot `index` of the file, from its head on; `hot` is filled but for its pass, which stays 0. */
void m31ri_ring_init(m31ri_ring *r, m31r_hot *hot, const m31ri_ring_file *f, uint32_t index);

/* What reserving does when the easy answer is no: asks for the other side's position, wakes the
 * writer at half full, puts a pad at the end of the ring. NULL: there is no room now. */
char *m31ri_ring_reserve_slow(m31ri_ring *r, uint64_t bytes);

/* Room for `bytes` (a multiple of 8, at most m31ri_ring_longest), or NULL when the ring is full. */
static inline char *m31ri_ring_reserve(m31ri_ring *r, uint64_t bytes)
{
    if (__builtin_expect(bytes <= (uint64_t)(r->hot->limit - r->hot->at), 1)) {
        return r->hot->at;
    }
    return m31ri_ring_reserve_slow(r, bytes);
}

/* As m31ri_ring_reserve, for what may be dropped: NULL already when the ring is three quarters
 * full.
 */
char *m31ri_ring_reserve_low(m31ri_ring *r, uint64_t bytes);

/* Makes the record visible: from here on it survives the death of the process. */
static inline void m31ri_ring_publish(m31ri_ring *r, uint64_t bytes)
{
    r->hot->at += bytes;
    r->hot->sequence++;
    /* pairs with the acquire in m31ri_take_begin */
    atomic_store_explicit(&r->slot->head, m31ri_ring_head(r), memory_order_release);
    /* The lines that the next records go to, before they are needed. */
    __builtin_prefetch(r->hot->at + M31R_HOT_AHEAD, 1);
    __builtin_prefetch(r->hot->at + M31R_HOT_AHEAD + 64, 1);
}

/* Wakes whoever writes. */
void m31ri_ring_wake(m31ri_ring_live *live);

#endif
