/* What a counter is in time, learned while others want the processors too. */
#include "../emit/scratch.h"

#include <signal.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counter.h"
#include "ring/ring_clock.h"

#define N_BEGINS 150
#define MAX_SPINNERS 64

/* Keeps every processor busy three times over; ends with this process. */
static int start_spinners(pid_t *spinners)
{
    long wanted = 3 * sysconf(_SC_NPROCESSORS_ONLN);
    int n = 0;
    for (; n < wanted && n < MAX_SPINNERS; n++) {
        spinners[n] = fork();
        if (spinners[n] == 0) {
            for (;;) {
                (void)sched_yield(); /* many changes of process, at any place of the other's code */
            }
        }
        assert_true(spinners[n] > 0);
    }
    return n;
}

/* One millisecond may be cut anywhere by a change of process: also between the counter and a clock,
 * which once made rates five times too fast, and records seconds ahead of their time. */
static void test_ring_clock__a_rate_is_right_on_a_busy_machine(void **state)
{
    (void)state;
    m31ri_ring_header header = {.counter_is_steady = m31ri_counter_is_steady()};
    m31ri_ring_live *live = calloc(1, sizeof *live);
    m31ri_ring_file f = {.header = &header, .live = live};
    pid_t spinners[MAX_SPINNERS];
    double worst = 0;
    assert_non_null(live);
    int n_spinners = start_spinners(spinners);
    uint64_t from = m31ri_counter_read(header.counter_is_steady);
    int64_t from_ns = m31ri_mono_ns();
    double rates[N_BEGINS];
    for (int i = 0; i < N_BEGINS; i++) {
        m31ri_ring_clock_begin(&f);
        rates[i] = (double)live->calibrations[0].rate;
    }
    uint64_t counts = m31ri_counter_read(header.counter_is_steady) - from;
    double right = (double)(m31ri_mono_ns() - from_ns) * 4294967296.0 / (double)counts;
    for (int i = 0; i < n_spinners; i++) {
        assert_int_equal(kill(spinners[i], SIGKILL), 0);
        assert_int_equal(waitpid(spinners[i], NULL, 0), spinners[i]);
    }
    for (int i = 0; i < N_BEGINS; i++) {
        double wrong = rates[i] > right ? rates[i] / right - 1 : right / rates[i] - 1;
        worst = wrong > worst ? wrong : worst;
    }
    free(live);
    if (worst > 0.05) {
        fail_msg("a rate is wrong by %.1f %%", 100 * worst);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_clock__a_rate_is_right_on_a_busy_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
