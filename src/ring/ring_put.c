/* ring_put.c - the rare half of putting: the ring's end, half full, full. */
#include "ring/ring_put.h"

#include <stddef.h>
#include <string.h>

#include "base/os_futex.h"

/* The inline way stores these numbers and this layout. */
_Static_assert(sizeof(m31ri_put) == M31R_HOT_HEAD && M31RI_PUT_SITE == M31R_HOT_SITE &&
                   M31RI_PUT_NULL == M31R_HOT_NULL,
               "include/m31r/hot.h stores what ring_layout.h says");
_Static_assert(offsetof(m31ri_put, kind) == 4 && offsetof(m31ri_put, logger) == 6 &&
                   offsetof(m31ri_put, site) == 8 && offsetof(m31ri_put, sequence) == 12 &&
                   offsetof(m31ri_put, counter) == 16,
               "include/m31r/hot.h stores the head as three words");
_Static_assert(sizeof(m31r_hot) == 64, "one cache line");

/* The next record goes to `position`, and up to `soft` nothing need be asked. */
static void stand_at(m31ri_ring *r, uint64_t position, uint64_t soft)
{
    uint64_t offset = position & r->mask;
    uint64_t left = r->mask + 1 - offset;
    r->hot->at = r->data + offset;
    r->hot->turn = position - (uint64_t)(uintptr_t)r->hot->at;
    r->hot->limit = r->hot->at + (soft - position < left ? soft - position : left);
}

void m31ri_ring_init(m31ri_ring *r, m31r_hot *hot, const m31ri_ring_file *f, uint32_t index)
{
    r->hot = hot;
    r->slot = m31ri_ring_file_slot(f, index);
    r->data = m31ri_ring_file_data(f, index);
    r->live = f->live;
    r->mask = f->header->slot_bytes - 1;
    r->index = index;
    /* pairs with the release of the thread that had the slot before */
    uint64_t head = atomic_load_explicit(&r->slot->head, memory_order_acquire);
    stand_at(r, head, head);
    hot->published = (uint64_t *)&r->slot->head;
    hot->sequence = 0;
    __atomic_store_n(&hot->pass, 0, __ATOMIC_RELAXED);
    r->is_steady = f->header->counter_is_steady != 0;
}

void m31ri_ring_wake(m31ri_ring_live *live)
{
    atomic_fetch_add_explicit(&live->wake, 1, memory_order_release);
    m31ri_futex_wake(&live->wake);
}

/* Fills up to the ring's end, which no record crosses. */
static void put_pad(const m31ri_ring *r, uint64_t offset, uint64_t bytes)
{
    m31ri_put pad = {.bytes = (uint32_t)bytes, .kind = M31RI_PUT_PAD};
    memcpy(r->data + offset, &pad, bytes < sizeof pad ? 8 : sizeof pad);
}

static char *reserve_below(m31ri_ring *r, uint64_t bytes, uint64_t most)
{
    uint64_t size = r->mask + 1;
    uint64_t head = m31ri_ring_head(r);
    uint64_t offset = head & r->mask;
    uint64_t pad = offset + bytes > size ? size - offset : 0;
    /* pairs with the release in m31ri_take_commit */
    uint64_t tail = atomic_load_explicit(&r->slot->tail, memory_order_acquire);
    uint64_t used = head + pad + bytes - tail;
    uint64_t soft = tail + size / 2;
    if (used > most) {
        return NULL;
    }
    if (used > size / 2) {
        m31ri_ring_wake(r->live);
        soft = tail + (r->keeps_room ? size / 4 * 3 : size);
    }
    if (pad != 0) {
        put_pad(r, offset, pad);
    }
    stand_at(r, head + pad, soft > head + pad ? soft : head + pad);
    return r->hot->at;
}

char *m31ri_ring_reserve_slow(m31ri_ring *r, uint64_t bytes)
{
    return reserve_below(r, bytes, r->mask + 1);
}

char *m31ri_ring_reserve_low(m31ri_ring *r, uint64_t bytes)
{
    return reserve_below(r, bytes, (r->mask + 1) / 4 * 3);
}
