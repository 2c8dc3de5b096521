/* Inflate: reads what zlib wrote, stops at the limit, refuses what is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/inflate.h"

#define PLAIN_BYTES 200000

static uint8_t plain[PLAIN_BYTES];
static uint8_t packed[PLAIN_BYTES * 2];
static uLongf n_packed;

static int pack(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * i >> (i % 11));
    }
    n_packed = sizeof packed;
    return compress(packed, &n_packed, plain, sizeof plain) == Z_OK ? 0 : -1;
}

static void test_inflate__reads_a_stream_and_ignores_what_follows(void **state)
{
    (void)state;
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_buf_add_str(&out, "before");
    assert_int_equal(m31ri_inflate(packed, n_packed + 7, PLAIN_BYTES, &out, NULL), M31R_OK);
    assert_int_equal(out.length, PLAIN_BYTES + 6);
    assert_memory_equal(out.data + 6, plain, PLAIN_BYTES);
    m31ri_buf_release(&out);
}

static void test_inflate__stops_at_the_limit(void **state)
{
    (void)state;
    m31ri_buf out = M31RI_BUF_INIT;
    assert_int_equal(m31ri_inflate(packed, n_packed, PLAIN_BYTES - 1, &out, NULL), M31R_E_LIMIT);
    assert_int_equal(out.length, 0);
    m31ri_buf_release(&out);
}

static void test_inflate__refuses_a_stream_that_is_cut_or_damaged(void **state)
{
    (void)state;
    m31ri_buf out = M31RI_BUF_INIT;
    for (size_t cut = 0; cut < n_packed; cut += 997) {
        assert_int_equal(m31ri_inflate(packed, cut, PLAIN_BYTES, &out, NULL), M31R_E_CORRUPT);
        assert_int_equal(out.length, 0);
    }
    packed[n_packed / 2] ^= 4;
    assert_int_not_equal(m31ri_inflate(packed, n_packed, PLAIN_BYTES, &out, NULL), M31R_OK);
    packed[n_packed / 2] ^= 4;
    m31ri_buf_release(&out);
}

static void test_inflate__survives_a_failed_allocation(void **state)
{
    (void)state;
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_alloc_fail_at(2, 1);
    assert_int_equal(m31ri_inflate(packed, n_packed, PLAIN_BYTES, &out, NULL), M31R_E_NOMEM);
    m31ri_alloc_fail_at(0, 0);
    m31ri_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inflate__reads_a_stream_and_ignores_what_follows),
        cmocka_unit_test(test_inflate__stops_at_the_limit),
        cmocka_unit_test(test_inflate__refuses_a_stream_that_is_cut_or_damaged),
        cmocka_unit_test(test_inflate__survives_a_failed_allocation),
    };
    return cmocka_run_group_tests_name("inflate", tests, pack, NULL);
}
