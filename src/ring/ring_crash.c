/* ring_crash.c - from what a handler noted to `crash`, level CRITICAL.
 *
 * The note is believed as little as any record: numbers are checked, and a thread whose ring went
 * on after it is one that survived.
 */
#include "ring/ring_crash.h"

#include <stdio.h>
#include <string.h>

#include "base/os_child.h"
#include "base/os_fault.h"
#include "format/record.h"
#include "m31r/metric.h"
#include "ring/ring_clock.h"
#include "ring/ring_stack.h"

static bool has_lived_on(const m31ri_ring_file *f, const m31ri_crash_note *note)
{
    return note->slot < f->header->n_slots &&
           atomic_load_explicit(&m31ri_ring_file_slot(f, note->slot)->head, memory_order_acquire) >
               note->head;
}

bool m31ri_crash_is_due(const m31ri_ring_file *f, const m31ri_commit *c)
{
    const m31ri_crash_note *note = &f->live->crash;
    /* pairs with the release of the handler */
    unsigned state = atomic_load_explicit(&note->state, memory_order_acquire);
    bool has_note = state == M31RI_CRASH_BEGUN || state == M31RI_CRASH_WHOLE;
    if (f->header->format_version < 2 || !has_note || c->is_crash_said != 0 || c->n_lanes == 0 ||
        note->n_frames > M31RI_RING_STACK || has_lived_on(f, note)) {
        return false;
    }
    for (uint32_t i = 0; i < c->n_rings && i < f->header->n_slots; i++) {
        if (c->rings[i].target != c->rings[i].consumed) {
            return false;
        }
    }
    return true;
}

static void add_field(m31r_value *keys, m31r_value *values, size_t *n, const char *key,
                      m31r_value value)
{
    keys[*n] = m31r_of_string(key);
    values[(*n)++] = value;
}

void m31ri_crash_add(m31ri_batch *b, const m31ri_ring_file *f, m31ri_commit *c)
{
    const m31ri_crash_note *note = &f->live->crash;
    m31r_value keys[6], values[6];
    char signal[16], address[32];
    size_t n = 0;
    if (!m31ri_crash_is_due(f, c)) {
        return;
    }
    const char *code = m31ri_fault_code(note->signal, note->code);
    snprintf(address, sizeof address, "0x%llx", (unsigned long long)note->address);
    if (note->step != M31R_NO_STEP) {
        add_field(keys, values, &n, "step", m31r_of_int(note->step));
    }
    add_field(keys, values, &n, "signal", m31r_of_string(m31ri_signal_name(note->signal, signal)));
    if (code[0] != '\0') {
        add_field(keys, values, &n, "code", m31r_of_string(code));
    }
    if (note->address != UINT64_MAX) {
        add_field(keys, values, &n, "address", m31r_of_string(address));
    }
    add_field(keys, values, &n, "pid", m31r_of_int(f->header->pid));
    add_field(keys, values, &n, "thread",
              m31r_text(note->name, strnlen(note->name, sizeof note->name)));
    int64_t wall_ns = m31ri_ring_clock_wall_ns(f->live, c->n_calibrations, note->counter);
    m31ri_commit_lane *lane = &c->lanes[0];
    lane->last_wall_ns = wall_ns > lane->last_wall_ns ? wall_ns : lane->last_wall_ns;
    const m31ri_record_parts parts = {.wall_ns = lane->last_wall_ns,
                                      .level = M31R_CRITICAL,
                                      .module = "m31r",
                                      .module_length = 4,
                                      .message = "crash",
                                      .message_length = 5,
                                      .keys = keys,
                                      .values = values,
                                      .n = n};
    const m31ri_stack_view stack = {.n = note->n_frames, .frames = note->frames};
    m31ri_line_made(b->maker, &parts, &stack, &b->lanes[1].lines);
    b->lanes[1].n_records++;
    c->is_crash_said = 1;
}
