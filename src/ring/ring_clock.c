/* ring_clock.c - the table of calibrations; ring_clock.h says what it promises. */
#include "ring/ring_clock.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/counter.h"

#define FIRST_SPAN_NS (1000 * 1000) /* rate known to 1e-4; the next line knows it better */
#define FIRST_SPAN_DOUBT 1000       /* of it one part may be in doubt */
/* Shorter ones would measure the noise of the clock. */
#define SPAN_FOR_RATE_NS (50 * 1000 * 1000)
#define TOLERANCE_NS 1000
#define STEP_NS (10 * 1000 * 1000)
#define MIN_RATE ((uint64_t)1 << 28) /* 16 GHz */
#define MAX_RATE ((uint64_t)1 << 44) /* 244 kHz */

__extension__ typedef unsigned __int128 wide;

/* One moment, by the counter and by both clocks. */
typedef struct moment {
    uint64_t counter;
    int64_t wall_ns, mono_ns;
    uint64_t took; /* counts between the first and the last of these readings: what is in doubt */
} moment;

/* As close together as three tries bring them. Both clocks are read between two readings of the
 * counter: whoever lost the processor in between is told by `took`. */
static moment read_clocks(bool is_steady)
{
    moment best = {0};
    for (int i = 0; i < 3; i++) {
        uint64_t before = m31ri_counter_read(is_steady);
        int64_t wall_ns = m31ri_wall_ns();
        int64_t mono_ns = m31ri_mono_ns();
        uint64_t took = m31ri_counter_read(is_steady) - before;
        if (i == 0 || took < best.took) {
            best = (moment){before + took / 2, wall_ns, mono_ns, took};
        }
    }
    return best;
}

/* Whether the time between two moments is known well enough to make a rate of it. */
static bool is_rate_known(const moment *from, const moment *to)
{
    uint64_t counts = to->counter - from->counter;
    return to->mono_ns - from->mono_ns >= FIRST_SPAN_NS &&
           (from->took + to->took) <= counts / FIRST_SPAN_DOUBT;
}

static void append(m31ri_ring_live *live, uint32_t n, m31ri_calibration c)
{
    live->calibrations[n % M31RI_RING_CALIBRATIONS] = c;
    /* pairs with the acquire in whoever takes the number */
    atomic_store_explicit(&live->n_calibrations, n + 1, memory_order_release);
}

static uint64_t rate_of(int64_t ns, uint64_t counts)
{
    wide rate = counts != 0 && ns > 0 ? ((wide)(uint64_t)ns << 32) / counts : 0;
    return rate < MIN_RATE || rate > MAX_RATE ? 0 : (uint64_t)rate;
}

void m31ri_ring_clock_begin(m31ri_ring_file *f)
{
    bool is_steady = f->header->counter_is_steady != 0;
    moment from = read_clocks(is_steady);
    moment now = from;
    uint64_t rate = (uint64_t)1 << 32;
    if (is_steady) {
        while (!is_rate_known(&from, &now) && now.mono_ns - from.mono_ns < SPAN_FOR_RATE_NS) {
            now = read_clocks(is_steady);
        }
        uint64_t measured = rate_of(now.mono_ns - from.mono_ns, now.counter - from.counter);
        rate = measured != 0 ? measured : rate;
    }
    append(f->live, 0, (m31ri_calibration){now.counter, now.wall_ns, rate});
}

/* Modulo 2^64: the calibrations of a ring that was damaged may say anything. */
static int64_t difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t apply(const m31ri_calibration *c, uint64_t counter)
{
    if (counter >= c->counter) {
        uint64_t later = (uint64_t)(((wide)(counter - c->counter) * c->rate) >> 32);
        return (int64_t)((uint64_t)c->wall_ns + later);
    }
    return difference(c->wall_ns, (int64_t)(((wide)(c->counter - counter) * c->rate) >> 32));
}

int64_t m31ri_ring_clock_follow(m31ri_ring_file *f, int64_t *offset_ns)
{
    m31ri_ring_live *live = f->live;
    uint32_t n = atomic_load_explicit(&live->n_calibrations, memory_order_acquire);
    const m31ri_calibration last = live->calibrations[(n - 1) % M31RI_RING_CALIBRATIONS];
    const moment now = read_clocks(f->header->counter_is_steady != 0);
    int64_t offset = now.wall_ns - now.mono_ns;
    int64_t stepped = *offset_ns != 0 ? offset - *offset_ns : 0;
    *offset_ns = offset;
    int64_t wrong = difference(now.wall_ns, apply(&last, now.counter));
    bool is_step = stepped >= STEP_NS || stepped <= -STEP_NS;
    if (wrong > TOLERANCE_NS || wrong < -TOLERANCE_NS) {
        uint64_t rate = last.rate;
        int64_t span_ns = difference(now.wall_ns, last.wall_ns);
        if (!is_step && span_ns >= SPAN_FOR_RATE_NS) {
            uint64_t measured = rate_of(span_ns, now.counter - last.counter);
            rate = measured != 0 ? measured : rate;
        }
        append(live, n, (m31ri_calibration){now.counter, now.wall_ns, rate});
    }
    return is_step ? stepped : 0;
}

int64_t m31ri_ring_clock_wall_ns(const m31ri_ring_live *live, uint32_t n, uint64_t counter)
{
    uint32_t kept = n < M31RI_RING_CALIBRATIONS ? n : M31RI_RING_CALIBRATIONS;
    const m31ri_calibration *c = NULL;
    for (uint32_t back = 1; back <= kept; back++) {
        c = &live->calibrations[(n - back) % M31RI_RING_CALIBRATIONS];
        if (c->counter <= counter) {
            break;
        }
    }
    return c != NULL ? apply(c, counter) : 0;
}
