/* ring_put.c - the rare half of putting: the ring's end, half full, full. */
#include "ring/ring_put.h"

#include <string.h>

#include "base/os_futex.h"

void m31ri_ring_init(m31ri_ring *r, const m31ri_ring_file *f, uint32_t index)
{
    r->slot = m31ri_ring_file_slot(f, index);
    r->data = m31ri_ring_file_data(f, index);
    r->live = f->live;
    r->mask = f->header->slot_bytes - 1;
    r->index = index;
    /* pairs with the release of the thread that had the slot before */
    r->head = atomic_load_explicit(&r->slot->head, memory_order_acquire);
    r->soft = r->head;
    r->sequence = 0;
    r->is_steady = f->header->counter_is_steady != 0;
}

void m31ri_ring_wake(m31ri_ring_live *live)
{
    atomic_fetch_add_explicit(&live->wake, 1, memory_order_release);
    m31ri_futex_wake(&live->wake);
}

/* Fills up to the ring's end, which no record crosses. */
static void put_pad(m31ri_ring *r, uint64_t bytes)
{
    m31ri_put pad = {.bytes = (uint32_t)bytes, .kind = M31RI_PUT_PAD};
    memcpy(r->data + (r->head & r->mask), &pad, bytes < sizeof pad ? 8 : sizeof pad);
    r->head += bytes;
}

static char *reserve_below(m31ri_ring *r, uint64_t bytes, uint64_t most)
{
    uint64_t size = r->mask + 1;
    uint64_t at = r->head & r->mask;
    uint64_t pad = at + bytes > size ? size - at : 0;
    /* pairs with the release in m31ri_take_commit */
    uint64_t tail = atomic_load_explicit(&r->slot->tail, memory_order_acquire);
    uint64_t used = r->head + pad + bytes - tail;
    if (used > most) {
        return NULL;
    }
    if (used > size / 2) {
        m31ri_ring_wake(r->live);
        r->soft = tail + (r->keeps_room ? size / 4 * 3 : size);
    } else {
        r->soft = tail + size / 2;
    }
    if (pad != 0) {
        put_pad(r, pad);
    }
    return r->data + (r->head & r->mask);
}

char *m31ri_ring_reserve_slow(m31ri_ring *r, uint64_t bytes)
{
    return reserve_below(r, bytes, r->mask + 1);
}

char *m31ri_ring_reserve_low(m31ri_ring *r, uint64_t bytes)
{
    return reserve_below(r, bytes, (r->mask + 1) / 4 * 3);
}
