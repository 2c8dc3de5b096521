/* ring_take.c - a batch of records, merged by time; ring_take.h says what is believed. */
#include "ring/ring_take.h"

#include <string.h>

#include "base/os_futex.h"

static bool is_possible(const m31ri_put *p, uint64_t offset, uint64_t slot_bytes, uint64_t left)
{
    uint64_t bytes = p->bytes;
    return bytes >= 8 && bytes % 8 == 0 && bytes <= left && offset + bytes <= slot_bytes &&
           (p->kind == M31RI_PUT_PAD || bytes >= sizeof *p);
}

/* Moves to the next record that is not a pad; false at the target, or where nothing can be read. */
static bool advance(m31ri_take *t, m31ri_take_ring *r)
{
    while (r->at < r->target) {
        uint64_t offset = r->at & (t->slot_bytes - 1);
        const m31ri_put *p = (const m31ri_put *)(r->data + offset);
        if (!is_possible(p, offset, t->slot_bytes, r->target - r->at)) {
            t->n_damaged += r->target - r->at;
            r->at = r->target;
            break;
        }
        if (p->kind != M31RI_PUT_PAD) {
            r->next = p;
            return true;
        }
        r->at += p->bytes;
    }
    return false;
}

static void add_ring(m31ri_take *t, uint32_t index, uint64_t at, uint64_t target)
{
    m31ri_take_ring *r = &t->rings[t->n_active];
    *r = (m31ri_take_ring){
        .data = m31ri_ring_file_data(t->file, index), .at = at, .target = target, .index = index};
    t->n_active += advance(t, r);
}

static void start(m31ri_take *t, const m31ri_ring_file *f)
{
    t->file = f;
    t->slot_bytes = f->header->slot_bytes;
    t->n_active = 0;
    t->n_damaged = 0;
    t->is_partial = false;
}

/* Ends a part of a batch at a record's end: no more than `most`, but at least one record. */
static uint64_t limited(const m31ri_ring_file *f, uint32_t index, uint64_t at, uint64_t head,
                        uint64_t most)
{
    uint64_t slot_bytes = f->header->slot_bytes;
    const char *data = m31ri_ring_file_data(f, index);
    uint64_t end = at;
    while (end < head && end - at < most) {
        uint64_t offset = end & (slot_bytes - 1);
        const m31ri_put *p = (const m31ri_put *)(data + offset);
        if (!is_possible(p, offset, slot_bytes, head - end)) {
            return head;
        }
        end += p->bytes;
    }
    return end;
}

bool m31ri_take_begin(m31ri_take *t, const m31ri_ring_file *f, m31ri_commit *commit,
                      uint64_t most_bytes)
{
    start(t, f);
    bool has_any = false;
    if (m31ri_ring_file_is_gone(f)) {
        return false;
    }
    for (uint32_t i = 0; i < f->header->n_slots; i++) {
        m31ri_commit_ring *c = &commit->rings[i];
        /* pairs with the release in m31ri_ring_publish */
        uint64_t head =
            atomic_load_explicit(&m31ri_ring_file_slot(f, i)->head, memory_order_acquire);
        c->target = c->consumed;
        if (head == c->consumed) {
            continue;
        }
        if (head < c->consumed || head - c->consumed > t->slot_bytes) {
            t->n_damaged += head < c->consumed ? 1 : head - c->consumed;
            c->consumed = c->target = head;
            continue;
        }
        c->target =
            head - c->consumed <= most_bytes ? head : limited(f, i, c->consumed, head, most_bytes);
        t->is_partial |= c->target != head;
        add_ring(t, i, c->consumed, c->target);
        has_any = true;
    }
    return has_any;
}

void m31ri_take_again(m31ri_take *t, const m31ri_ring_file *f, const m31ri_commit *intent)
{
    start(t, f);
    for (uint32_t i = 0; i < f->header->n_slots && i < intent->n_rings; i++) {
        const m31ri_commit_ring *c = &intent->rings[i];
        if (c->target > c->consumed && c->target - c->consumed <= t->slot_bytes) {
            add_ring(t, i, c->consumed, c->target);
        }
    }
}

const m31ri_put *m31ri_take_next(m31ri_take *t)
{
    if (t->n_active == 0) {
        return NULL;
    }
    uint32_t first = 0;
    for (uint32_t i = 1; i < t->n_active; i++) {
        if (t->rings[i].next->counter < t->rings[first].next->counter) {
            first = i;
        }
    }
    m31ri_take_ring *r = &t->rings[first];
    const m31ri_put *p = r->next;
    r->at += p->bytes;
    t->sequences[r->index] = p->sequence + 1;
    if (!advance(t, r)) {
        t->n_active--;
        memmove(r, r + 1, (t->n_active - first) * sizeof *r);
    }
    return p;
}

/* What is in the files, cleaned, lies nowhere else as it came. */
static void wipe(const m31ri_ring_file *f, uint32_t slot, uint64_t from, uint64_t to)
{
    uint64_t slot_bytes = f->header->slot_bytes;
    if (to - from > slot_bytes) {
        return;
    }
    char *data = m31ri_ring_file_data(f, slot);
    uint64_t at = from & (slot_bytes - 1), n = to - from;
    uint64_t before_end = n < slot_bytes - at ? n : slot_bytes - at;
    memset(data + at, 0, before_end);
    memset(data, 0, n - before_end);
}

void m31ri_take_commit(const m31ri_ring_file *f, const m31ri_commit *commit)
{
    for (uint32_t i = 0; i < f->header->n_slots; i++) {
        m31ri_ring_slot *slot = m31ri_ring_file_slot(f, i);
        wipe(f, i, atomic_load_explicit(&slot->tail, memory_order_relaxed),
             commit->rings[i].consumed);
        /* pairs with the acquire in m31ri_ring_reserve_slow */
        atomic_store_explicit(&slot->tail, commit->rings[i].consumed, memory_order_release);
    }
    atomic_fetch_add_explicit(&f->live->drained, 1, memory_order_release);
    if (atomic_load_explicit(&f->live->n_waiting, memory_order_seq_cst) != 0) {
        m31ri_futex_wake(&f->live->drained);
    }
}
