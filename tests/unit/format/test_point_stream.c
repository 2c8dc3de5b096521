/* Tests of format/point_stream.c: it says of every line what the exact reader says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "format/point_stream.h"
#include "m31r/metric.h"

static uint64_t seed = 1;

static uint64_t random_below(uint64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
}

static void same(m31ri_point_stream *s, const char *line, size_t length)
{
    m31ri_buf scratch = M31RI_BUF_INIT;
    m31ri_point exact, p;
    bool is_point = m31ri_point_read(line, length, &exact, &scratch);
    m31ri_point_found found = m31ri_point_stream_read(s, line, length, &p);
    if (found != (is_point ? M31RI_POINT_OK : M31RI_POINT_BAD)) {
        fail_msg("read as %d: %.*s", (int)found, (int)length, line);
    }
    if (is_point) {
        assert_int_equal(p.step, exact.step);
        assert_int_equal(p.segment, exact.segment);
        assert_int_equal(p.wall_ns, exact.wall_ns);
        assert_memory_equal(&p.value, &exact.value, sizeof p.value);
        assert_int_equal(p.name_length, exact.name_length);
        assert_memory_equal(p.name, exact.name, p.name_length);
    }
    m31ri_buf_release(&scratch);
}

/* A line like those that a run has, in the middle of a buffer of exactly its size. */
static void random_line(m31ri_buf *out, unsigned i)
{
    static const char *const names[] = {"loss", "grad_norm", "a,b", "x\"y", "system.rss_mb", "lr"};
    static const double scales[] = {1, 1e-9, 1e6, 1e300};
    m31ri_point p = {.name = names[random_below(8) == 0 ? random_below(6) : i % 6],
                     .step = random_below(50) == 0 ? M31R_NO_STEP : (int64_t)(i / 6),
                     .value = (double)random_below(1000000) / 997 * scales[random_below(4)],
                     .is_float = random_below(2) == 0,
                     .wall_ns = 1763892000000000000 + (int64_t)i * 123456789,
                     .segment = i / 3000};
    p.name_length = strlen(p.name);
    m31ri_buf_clear(out);
    m31ri_point_write(out, &p);
}

static void test_point_stream__agrees_with_the_exact_reader(void **state)
{
    (void)state;
    m31ri_point_stream s = {0};
    m31ri_buf line = M31RI_BUF_INIT;
    for (unsigned i = 0; i < 20000; i++) {
        random_line(&line, i);
        size_t length = line.length - 1;
        char *exact = malloc(length); /* so that the sanitizer sees a byte too far */
        memcpy(exact, line.data, length);
        same(&s, exact, length);
        static const char strange[] = "0.,-eE+:TZ\"9Na\0";
        exact[random_below(length)] = strange[random_below(sizeof strange)];
        same(&s, exact, length);
        same(&s, exact, random_below(length));
        free(exact);
    }
    m31ri_point_stream_release(&s);
    m31ri_buf_release(&line);
}

static void test_point_stream__numbers_names_as_they_come(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "a,1,1.0,2026-11-23T10:26:51.000000Z,0", "\"b,\",1,1.0,2026-11-23T10:26:51.000000Z,0",
        "\"a\",1,2.5,2026-11-23T10:26:52.000000Z,0", "c,,NaN,2026-11-23T10:26:52.000000Z,1"};
    static const size_t numbers[] = {0, 1, 0, 2};
    m31ri_point_stream s = {0};
    m31ri_point p;
    for (int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            assert_int_equal(m31ri_point_stream_read(&s, lines[i], strlen(lines[i]), &p),
                             M31RI_POINT_OK);
            assert_int_equal(m31ri_point_stream_name(&s), numbers[i]);
        }
    }
    m31ri_point_stream_release(&s);
}

static void test_point_stream__survives_every_failed_allocation(void **state)
{
    (void)state;
    m31ri_buf line = M31RI_BUF_INIT;
    assert_true(m31ri_buf_reserve(&line, 1000)); /* not what is to fail */
    for (long n = 1; n < 60; n++) {
        m31ri_point_stream s = {0};
        m31ri_point p;
        m31ri_alloc_fail_at(n, false);
        for (unsigned i = 0; i < 40; i++) {
            char name[24];
            snprintf(name, sizeof name, i % 3 == 0 ? "n,%u" : "n%u", i);
            m31ri_point made = {.name = name, .name_length = strlen(name), .step = i};
            m31ri_buf_clear(&line);
            m31ri_point_write(&line, &made);
            assert_true(m31ri_buf_ok(&line));
            m31ri_point_found found = m31ri_point_stream_read(&s, line.data, line.length - 1, &p);
            assert_true(found == M31RI_POINT_OK || found == M31RI_POINT_NOMEM);
            if (found == M31RI_POINT_NOMEM) {
                m31ri_alloc_fail_at(0, false);
                same(&s, line.data, line.length - 1);
            }
        }
        m31ri_alloc_fail_at(0, false);
        m31ri_point_stream_release(&s);
    }
    m31ri_buf_release(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_point_stream__agrees_with_the_exact_reader),
        cmocka_unit_test(test_point_stream__numbers_names_as_they_come),
        cmocka_unit_test(test_point_stream__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
