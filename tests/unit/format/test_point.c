/* Points: one CSV line each way, names in quotes, non-finite values bare, nothing else accepted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "format/point.h"
#include "m31r/metric.h"
#include "unit/format/case_files.h"

#define AT INT64_C(1795429611123456000)

static m31ri_point point_of(const char *name, int64_t step, double value)
{
    return (m31ri_point){name, strlen(name), step, value, false, AT, 0};
}

static void check_line(const m31ri_point *p, const char *want)
{
    m31ri_buf line = M31RI_BUF_INIT, scratch = M31RI_BUF_INIT;
    m31ri_point_write(&line, p);
    assert_string_equal(m31ri_buf_str(&line), want);
    m31ri_point back = {0};
    assert_true(m31ri_point_read(line.data, line.length - 1, &back, &scratch));
    assert_int_equal(back.name_length, p->name_length);
    assert_memory_equal(back.name, p->name, p->name_length);
    assert_true(back.step == p->step && back.segment == p->segment && back.wall_ns == p->wall_ns);
    if (!p->is_float) {
        assert_true(memcmp(&back.value, &p->value, sizeof back.value) == 0 ||
                    (isnan(back.value) && isnan(p->value)));
    }
    m31ri_buf_release(&line);
    m31ri_buf_release(&scratch);
}

static void test_obs_19__a_point_is_one_csv_line(void **state)
{
    (void)state;
    m31ri_point p = point_of("loss", 1024, 1.23);
    check_line(&p, "loss,1024,1.23,2026-11-23T10:26:51.123456Z,0\n");
    p = point_of("load_seconds", M31R_NO_STEP, -0.0);
    p.segment = UINT32_MAX;
    check_line(&p, "load_seconds,,-0.0,2026-11-23T10:26:51.123456Z,4294967295\n");
    p = point_of("x", INT64_MAX, 0.1f);
    p.is_float = true;
    check_line(&p, "x,9223372036854775807,0.1,2026-11-23T10:26:51.123456Z,0\n");
}

static void test_point__quotes_names(void **state)
{
    (void)state;
    m31ri_point p = point_of("a,b", 0, 1);
    check_line(&p, "\"a,b\",0,1.0,2026-11-23T10:26:51.123456Z,0\n");
    p = point_of("say \"x\"", 0, 1);
    check_line(&p, "\"say \"\"x\"\"\",0,1.0,2026-11-23T10:26:51.123456Z,0\n");
    p = point_of("\"", 0, 1);
    check_line(&p, "\"\"\"\",0,1.0,2026-11-23T10:26:51.123456Z,0\n");
    p = point_of("d\xc3\xa9j\xc3\xa0 vu", 0, 1);
    check_line(&p, "d\xc3\xa9j\xc3\xa0 vu,0,1.0,2026-11-23T10:26:51.123456Z,0\n");
}

static void test_point__keeps_nan_and_infinity(void **state)
{
    (void)state;
    m31ri_point p = point_of("loss", 1, (double)NAN);
    check_line(&p, "loss,1,NaN,2026-11-23T10:26:51.123456Z,0\n");
    p.value = HUGE_VAL;
    check_line(&p, "loss,1,Infinity,2026-11-23T10:26:51.123456Z,0\n");
    p.value = -HUGE_VAL;
    check_line(&p, "loss,1,-Infinity,2026-11-23T10:26:51.123456Z,0\n");
}

static void test_point__names(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "a\nb",      "a\x7f", "\x1b[2J",
                                      "\xff", "a\xc2\x85", "\xc2",  "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(m31ri_point_name_is_valid(bad[i], strlen(bad[i])));
    }
    char text[129];
    memset(text, 'n', sizeof text);
    assert_true(m31ri_point_name_is_valid(text, 128));
    assert_false(m31ri_point_name_is_valid(text, 129));
    assert_true(m31ri_point_name_is_valid("val/loss", 8));
    assert_true(m31ri_point_name_is_valid("\xc2\xa0", 2));
    assert_false(m31ri_point_name_is_valid("a\0b", 3));
}

static void test_point__refuses_what_is_no_point(void **state)
{
    (void)state;
#define T ",2026-11-23T10:26:51.123456Z,0"
    static const char *const bad[] = {
        "",
        ",",
        "loss",
        "loss,1",
        "loss,1,2",
        "loss,1,2,t,0",
        "name,step,value,ts,segment",
        "loss,1,2,2026-11-23T10:26:51.123456Z",
        "loss,1,2" T ",",
        "loss,1,2" T " ",
        "loss,1,2" T "\r",
        "loss,1,," T,
        "loss,1.0,2" T,
        "loss,1,nan" T,
        "loss,1,0x1" T,
        ",1,2" T,
        "\"loss,1,2" T,
        "\"lo\"ss,1,2" T,
        "loss,1,2,2026-11-23T10:26:51Z,0",
        "loss,1,2,2026-11-23T10:26:51.123456Z,-1",
        "loss,1,2,2026-11-23T10:26:51.123456Z,4294967296",
        "lo\"ss,1,2" T,
        "\"\",1,2" T,
        "\"a\nb\",1,2" T,
        "\"",
        "\"\"",
        "\"\"\"",
        "loss, 1,2" T,
        "loss,-9223372036854775808,2" T,
    };
    m31ri_buf scratch = M31RI_BUF_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        m31ri_point p;
        if (m31ri_point_read(bad[i], strlen(bad[i]), &p, &scratch)) {
            fail_msg("taken as a point: %s", bad[i]);
        }
    }
    m31ri_point p;
    assert_true(m31ri_point_read("loss,1,2" T, strlen("loss,1,2" T), &p, &scratch));
    m31ri_buf_release(&scratch);
}

/* A torn line is refused wherever it is torn, but for the last digits of its segment. */
static void test_point__a_torn_line_is_no_point(void **state)
{
    (void)state;
    static const char line[] = "loss,1024,1.23,2026-11-23T10:26:51.123456Z,7";
    m31ri_buf scratch = M31RI_BUF_INIT;
    m31ri_point p;
    for (size_t n = 0; n < sizeof line - 1; n++) {
        assert_false(m31ri_point_read(line, n, &p, &scratch));
    }
    m31ri_buf_release(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_obs_19__a_point_is_one_csv_line),
        cmocka_unit_test(test_point__quotes_names),
        cmocka_unit_test(test_point__keeps_nan_and_infinity),
        cmocka_unit_test(test_point__names),
        cmocka_unit_test(test_point__refuses_what_is_no_point),
        cmocka_unit_test(test_point__a_torn_line_is_no_point),
    };
    return cmocka_run_group_tests_name("point", tests, NULL, NULL);
}
