/* cost.c - N records by the short way, or N that are off, into a ring of our own: what
 * check_cost has counted by callgrind. No library: all of it is in the header. */
#include <m31r/m31r.h>
#include <stdio.h>
#include <stdlib.h>

static m31r_hot cell;
_Thread_local m31r_hot *m31r_hot_1 = &cell;

static uint64_t ring[4096], published;
static long n_long;

/* The long way: opens the short one, and begins the ring anew when it is full. */
void m31r_log_emit(m31r_log *log, m31r_site *site, const m31r_value *values)
{
    (void)values;
    n_long++;
    cell = (m31r_hot){.pass = 1ull << 32 | 1,
                      .at = (char *)ring,
                      .limit = (char *)(ring + 4096),
                      .published = &published,
                      .sequence = cell.sequence};
    log->pass = cell.pass;
    site->pass = 1ull << 32 | 1;
}

int main(int argc, char **argv)
{
    static m31r_log log = {M31R_INFO, 1, 0, 0};
    long n = argc > 2 ? atol(argv[2]) : 0;
    bool is_off = argc > 1 && argv[1][0] == 'o';
    for (long i = 0; i < n; i++) {
        double x = (double)i;
        if (is_off) {
            m31r_debug(&log, "off", "i", i);
        } else {
            m31r_info(&log, "step_complete", "step", (uint64_t)i, "loss", x, "lr", x, "grad_norm",
                      x, "tokens_per_sec", x, "memory_mb", x);
        }
        __asm__ volatile("" ::: "memory");
    }
    uint64_t n_put = cell.sequence + (uint64_t)n_long;
    return n_put == (is_off ? 0u : (uint64_t)n) ? 0 : 1;
}
