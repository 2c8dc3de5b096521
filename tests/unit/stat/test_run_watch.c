/* The rules over the points of a run: ranks beside each other, the clock, what a metric is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stat/run_watch.h"

typedef struct told {
    size_t n_opened, n_cleared;
    m31ri_finding last;
    char metric[64];
} told;

static void tell(void *context, const m31ri_finding *f)
{
    told *t = context;
    t->n_opened += f->verdict == M31RI_OPENED;
    t->n_cleared += f->verdict == M31RI_CLEARED;
    t->last = *f;
    snprintf(t->metric, sizeof t->metric, "%s", f->metric);
}

static m31ri_metric_role role(void *context, const char *name, size_t length)
{
    (void)context;
    return length == 6 && memcmp(name, "bleedy", 6) == 0
               ? m31ri_metric_role_of_definition("ms", "lower")
               : M31RI_METRIC_OTHER;
}

static m31ri_run_watch *watch_of(told *t, int n_ranks)
{
    *t = (told){0};
    return m31ri_run_watch_new(
        &(m31ri_run_watch_options){.n_ranks = n_ranks, .found = tell, .role = role, .context = t});
}

static void add(m31ri_run_watch *w, int rank, const char *name, int64_t step, double x)
{
    const m31ri_point p = {.name = name,
                           .name_length = strlen(name),
                           .step = step,
                           .value = x,
                           .wall_ns = step * 1000000000};
    m31ri_run_watch_add(w, rank, &p);
}

static void test_run_watch__ranks_are_compared_step_by_step(void **state)
{
    (void)state;
    told t;
    m31ri_run_watch *w = watch_of(&t, 3);
    for (int64_t block = 0; block < 400;
         block += 50) { /* as files are read: a block of each rank */
        for (int rank = 2; rank >= 0; rank--) {
            for (int64_t step = block; step < block + 50; step++) {
                add(w, rank, "step_ms", step, rank == 1 && step >= 220 ? 104 : 100);
            }
        }
    }
    assert_int_equal(t.n_opened, 1);
    assert_int_equal(t.last.anomaly.kind, M31RI_ANOMALY_STRAGGLER);
    assert_int_equal(t.last.anomaly.rank, 1);
    assert_int_equal(t.last.step, 220 + 32);
    assert_string_equal(t.metric, "step_ms");
    m31ri_run_watch_free(w);
}

static void test_run_watch__a_run_that_stands_still_is_told_once(void **state)
{
    (void)state;
    told t;
    m31ri_run_watch *w = watch_of(&t, 1);
    for (int64_t step = 0; step <= 30; step++) {
        add(w, 0, "loss", step, 3 + (double)(step % 2));
        add(w, 0, "lr", step, 1);
        m31ri_run_watch_check(w, step * 1000000000 + 500000000);
    }
    m31ri_run_watch_check(w, 50000000000);
    assert_int_equal(t.n_opened, 0);
    m31ri_run_watch_check(w, 50500000000);
    m31ri_run_watch_check(w, 60000000000);
    assert_int_equal(t.n_opened, 1);
    assert_int_equal(t.last.anomaly.kind, M31RI_ANOMALY_STALLED);
    assert_int_equal(t.last.step, 30);
    add(w, 0, "loss", 61, 3);
    assert_int_equal(t.n_cleared, 1);
    m31ri_run_watch_free(w);
}

/* A gap is seen in points that are read afterwards, too. */
static void test_run_watch__a_gap_between_points_is_a_stall(void **state)
{
    (void)state;
    told t;
    m31ri_run_watch *w = watch_of(&t, 1);
    for (int64_t step = 0; step < 40; step++) {
        add(w, 0, "loss", step < 30 ? step : step + 100, 3 + (double)(step % 2));
    }
    assert_int_equal(t.n_opened, 1);
    assert_int_equal(t.n_cleared, 1);
    m31ri_run_watch_free(w);
}

static void test_run_watch__a_definition_says_what_a_name_does_not(void **state)
{
    (void)state;
    told t;
    m31ri_run_watch *w = watch_of(&t, 1);
    for (int64_t step = 0; step < 600; step++) {
        add(w, 0, "bleedy", step, step < 400 ? 100 : 120);
        add(w, 0, "bloody", step, step < 400 ? 100 : 120);
    }
    assert_int_equal(t.n_opened, 1);
    assert_int_equal(t.last.anomaly.kind, M31RI_ANOMALY_SLOW);
    assert_string_equal(t.metric, "bleedy");
    m31ri_run_watch_free(w);
    assert_int_equal(m31ri_metric_role_of_definition("tokens/s", "higher"),
                     M31RI_METRIC_THROUGHPUT);
    assert_int_equal(m31ri_metric_role_of_definition("nats", "lower"), M31RI_METRIC_LOSS);
    assert_int_equal(m31ri_metric_role_of_definition("nats", NULL), M31RI_METRIC_OTHER);
    assert_int_equal(m31ri_metric_role_of_definition("s", "higher"), M31RI_METRIC_OTHER);
}

static void test_run_watch__more_series_than_its_limit_are_not_watched(void **state)
{
    (void)state;
    told t;
    char name[32];
    m31ri_run_watch *w = watch_of(&t, 1);
    for (int i = 0; i < M31RI_WATCH_SERIES + 100; i++) {
        snprintf(name, sizeof name, "m%d", i);
        add(w, 0, name, 1, NAN);
    }
    assert_int_equal(t.n_opened, M31RI_WATCH_SERIES);
    m31ri_run_watch_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_watch__ranks_are_compared_step_by_step),
        cmocka_unit_test(test_run_watch__a_run_that_stands_still_is_told_once),
        cmocka_unit_test(test_run_watch__a_gap_between_points_is_a_stall),
        cmocka_unit_test(test_run_watch__a_definition_says_what_a_name_does_not),
        cmocka_unit_test(test_run_watch__more_series_than_its_limit_are_not_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
