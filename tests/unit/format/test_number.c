/* Numbers: shortest digits in Python's form, exactly rounded reading, no locale. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/number.h"
#include "unit/format/case_files.h"

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static const char *text_of(double x)
{
    static char text[M31RI_NUMBER_BYTES + 1];
    text[m31ri_number_write_double(x, text)] = '\0';
    return text;
}

static const char *text_of_float(float x)
{
    static char text[M31RI_NUMBER_BYTES + 1];
    text[m31ri_number_write_float(x, text)] = '\0';
    return text;
}

static void test_number__writes_the_form_of_python_repr(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *text;
    } cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1.23, "1.23"},
        {1e-5, "1e-05"},
        {1e-4, "0.0001"},
        {0.00012345, "0.00012345"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {1e21, "1e+21"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {5e-324, "5e-324"},
        {1e-323, "1e-323"},
        {2.2250738585072011e-308, "2.225073858507201e-308"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {9007199254740991.0, "9007199254740991.0"},
        {9007199254740993.0, "9007199254740992.0"},
        {9007199254740994.0, "9007199254740994.0"},
        {4.35, "4.35"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {2e-44, "2e-44"},
        {1.0 / 3, "0.3333333333333333"},
        {9.5367431640625e-07, "9.5367431640625e-07"},
        {8.41e21, "8.41e+21"},
        {2e100, "2e+100"},
        {(double)NAN, "NaN"},
        {HUGE_VAL, "Infinity"},
        {-HUGE_VAL, "-Infinity"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(text_of(cases[i].x), cases[i].text);
    }
    assert_string_equal(text_of(double_of(0xfff8000000000000)), "NaN");
    assert_string_equal(text_of(double_of(0x7ff0000000000001)), "NaN");
}

static void test_number__writes_floats_with_the_digits_of_a_float(void **state)
{
    (void)state;
    static const struct {
        float x;
        const char *text;
    } cases[] = {
        {0.1f, "0.1"},
        {1.23f, "1.23"},
        {16777216.0f, "16777216.0"},
        {3.4028235e38f, "3.4028235e+38"},
        {1e-45f, "1e-45"},
        {1.1754944e-38f, "1.1754944e-38"},
        {0.3333333432674408f, "0.33333334"},
        {-0.0f, "-0.0"},
        {3e-4f, "0.0003"},
        {1e10f, "10000000000.0"},
        {33554432.0f, "33554432.0"},
        {8388608.5f, "8388608.0"},
        {1e16f, "1e+16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(text_of_float(cases[i].x), cases[i].text);
    }
}

/* Reads back to the same bits, by strtod and by our own reader. */
static void check_round_trip(double x)
{
    char text[M31RI_NUMBER_BYTES + 1];
    size_t n = m31ri_number_write_double(x, text);
    text[n] = '\0';
    double back = 0;
    bool good = m31ri_number_read_double(text, n, &back);
    if (!good || bits_of(back) != bits_of(x) || bits_of(strtod(text, NULL)) != bits_of(x)) {
        fail_msg("%a was written as %s", x, text);
    }
}

static void check_float_round_trip(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    const char *text = text_of_float(x);
    float back = strtof(text, NULL);
    if (memcmp(&back, &x, sizeof x) != 0) {
        fail_msg("%a was written as %s", (double)x, text);
    }
}

static void test_number__round_trips_powers_of_two_and_their_neighbours(void **state)
{
    (void)state;
    for (uint64_t exponent = 0; exponent < 2047; exponent++) {
        for (int64_t step = -3; step <= 3; step++) {
            uint64_t bits = (exponent << 52) + (uint64_t)step;
            if (bits < (uint64_t)2047 << 52) {
                check_round_trip(double_of(bits));
            }
        }
    }
    for (uint32_t exponent = 0; exponent < 255; exponent++) {
        for (int32_t step = -3; step <= 3; step++) {
            uint32_t bits = (exponent << 23) + (uint32_t)step;
            if (bits < (uint32_t)255 << 23) {
                check_float_round_trip(bits);
            }
        }
    }
}

static void test_number__round_trips_powers_of_ten(void **state)
{
    (void)state;
    for (int e = -323; e <= 308; e++) {
        char text[16], want[16];
        snprintf(text, sizeof text, "1e%d", e);
        double x = strtod(text, NULL);
        check_round_trip(x);
        if (e < -4 || e >= 16) {
            snprintf(want, sizeof want, "1e%+03d", e);
            assert_string_equal(text_of(x), want);
        }
    }
}

static void test_number__round_trips_random_bits(void **state)
{
    (void)state;
    long n = getenv("M31R_SOAK") != NULL ? 100000000 : 1000000;
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (long i = 0; i < n; i++) {
        uint64_t bits = case_random(&seed);
        if ((bits >> 52 & 0x7ff) != 0x7ff) {
            check_round_trip(double_of(bits));
        }
        uint32_t half = (uint32_t)(bits >> 32);
        if ((half >> 23 & 0xff) != 0xff) {
            check_float_round_trip(half);
        }
    }
}

/* No decimal with one digit fewer reads back to the same value: "%.*e" tells what the closest
 * shorter one is. */
static void test_number__is_never_longer_than_needed(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int i = 0; i < 100000; i++) {
        double x = double_of(case_random(&seed) & ~((uint64_t)1 << 63));
        if (!isfinite(x) || x == 0) {
            continue;
        }
        const char *text = text_of(x);
        int digits = 0, zeros = 0;
        for (const char *p = text; *p != '\0' && *p != 'e'; p++) {
            digits += *p != '.' && (digits != 0 || *p != '0');
            zeros = *p == '0' ? zeros + 1 : *p == '.' ? zeros : 0;
        }
        digits -= zeros;
        for (int shorter = digits - 2; shorter >= 0 && shorter >= digits - 3; shorter--) {
            char other[40];
            snprintf(other, sizeof other, "%.*e", shorter, x);
            assert_true(strtod(other, NULL) != x);
        }
    }
}

static void test_number__reads_exactly_rounded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double x;
    } cases[] = {
        {"0", 0.0},
        {"-0", -0.0},
        {"-0.0", -0.0},
        {"1E5", 1e5},
        {"1e+5", 1e5},
        {"1.5e-3", 0.0015},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740995", 9007199254740996.0},
        {"9007199254740993.0000000000000000000000000000001", 9007199254740994.0},
        {"2.2250738585072011e-308", 2.225073858507201e-308},
        {"1e999", HUGE_VAL},
        {"-1E400", -HUGE_VAL},
        {"1e-999", 0.0},
        {"0e99999999999999999999", 0.0},
        {"1e99999999999999999999", HUGE_VAL},
        {"1e-99999999999999999999", 0.0},
        {"2.4703282292062327208e-324", 0.0},
        {"2.4703282292062328e-324", 5e-324},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
        {"0.000001", 1e-6},
        {"Infinity", HUGE_VAL},
        {"-Infinity", -HUGE_VAL},
        {"1.7976931348623158e308", 1.7976931348623157e308},
        {"1.7976931348623159e308", HUGE_VAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double x = 77;
        assert_true(m31ri_number_read_double(cases[i].text, strlen(cases[i].text), &x));
        if (bits_of(x) != bits_of(cases[i].x)) {
            fail_msg("%s was read as %a", cases[i].text, x);
        }
    }
    double x = 0;
    assert_true(m31ri_number_read_double("NaN", 3, &x) && isnan(x));
}

/* 2^53 + 1 is a tie; what stands two thousand digits later decides it. */
/* Texts of every length and size, and those around ties, as the C library reads them. */
static void test_number__reads_random_decimals_as_strtod_does(void **state)
{
    (void)state;
    uint64_t r = 88172645463325252u;
    for (int i = 0; i < 300000; i++) {
        char text[64];
        r ^= r << 13;
        r ^= r >> 7;
        r ^= r << 17;
        uint64_t digits = r >> (r % 61);
        uint64_t whole = digits % 1000000007u;
        switch (i % 4) {
        case 0:
            snprintf(text, sizeof text, "%llu", (unsigned long long)digits);
            break;
        case 1:
            snprintf(text, sizeof text, "-%llu.%0*llu", (unsigned long long)(whole % 100000),
                     (int)(r % 14) + 1, (unsigned long long)(digits % 99991));
            break;
        case 2:
            snprintf(text, sizeof text, "%llu.5e%d", (unsigned long long)whole, (int)(r % 61) - 30);
            break;
        default: /* halfway between two doubles, or next to it */
            snprintf(text, sizeof text, "%llu%s",
                     (unsigned long long)(9007199254740993u + 2 * (digits % 1000)),
                     r % 3 == 0   ? ""
                     : r % 3 == 1 ? ".0"
                                  : ".1");
            break;
        }
        double x = 0;
        assert_true(m31ri_number_read_double(text, strlen(text), &x));
        double want = strtod(text, NULL);
        if (memcmp(&x, &want, sizeof x) != 0) {
            fail_msg("%s read as %.17g, not %.17g", text, x, want);
        }
    }
}

static void test_number__reads_digits_far_behind_a_tie(void **state)
{
    (void)state;
    char text[4000];
    memcpy(text, "9007199254740993.", 17);
    memset(text + 17, '0', sizeof text - 17);
    double x = 0;
    assert_true(m31ri_number_read_double(text, sizeof text, &x));
    assert_true(x == 9007199254740992.0);
    text[sizeof text - 1] = '1';
    assert_true(m31ri_number_read_double(text, sizeof text, &x));
    assert_true(x == 9007199254740994.0);
    memset(text, '9', 1000); /* a whole part longer than the digits that are kept */
    assert_true(m31ri_number_read_double(text, 300, &x) && x == 1e300);
    assert_true(m31ri_number_read_double(text, 1000, &x) && isinf(x));
}

static void test_number__refuses_what_is_not_a_json_number(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     "-",   "+1",    "01",  "-01",   ".5",  "1.",       "1.e5",
        "1e",   "1e+", "0x10",  "1 ",  " 1",    "nan", "inf",      "infinity",
        "-NaN", "1,5", "1e5.0", "--1", "1_000", "1f",  "-Infinit", "NaNN",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double x = 77;
        assert_false(m31ri_number_read_double(bad[i], strlen(bad[i]), &x));
        assert_true(x == 77);
    }
}

static void test_number__integers_keep_all_64_bits(void **state)
{
    (void)state;
    static const char *const good[] = {"0",
                                       "-1",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "9007199254740993",
                                       "1000000000000000000",
                                       "10",
                                       "99",
                                       "100"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t x = 0;
        char text[M31RI_NUMBER_BYTES + 1];
        assert_true(m31ri_number_read_int(good[i], strlen(good[i]), &x));
        text[m31ri_number_write_int(x, text)] = '\0';
        assert_string_equal(text, good[i]);
    }
    static const char *const bad[] = {"",
                                      "-",
                                      "01",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "18446744073709551616",
                                      "1.0",
                                      "1e3",
                                      "+1",
                                      " 1",
                                      "-01"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t x = 5;
        assert_false(m31ri_number_read_int(bad[i], strlen(bad[i]), &x));
        assert_int_equal(x, 5);
    }
    char text[M31RI_NUMBER_BYTES + 1];
    text[m31ri_number_write_uint(UINT64_MAX, text)] = '\0';
    assert_string_equal(text, "18446744073709551615");
}

/* The reading side hands strtod a text without a decimal point, so any locale will do; try those
 * that are there. */
static void test_number__does_not_know_the_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"C", "de_DE.UTF-8", "ar_EG.UTF-8", "tr_TR.UTF-8",
                                        "C.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (setlocale(LC_ALL, names[i]) == NULL) {
            continue;
        }
        assert_string_equal(text_of(1.5), "1.5");
        double x = 0;
        assert_true(m31ri_number_read_double("1.234567890123456789", 20, &x));
        assert_true(x == 1234567890123456789e-18);
        assert_false(m31ri_number_read_double("1,5", 3, &x));
    }
    setlocale(LC_ALL, "C");
}

/* 100,000 values, as bits and as our text, through Python's repr(). */
static void test_number__agrees_with_python_repr(void **state)
{
    (void)state;
    if (system("python3 -c 'import struct' 2>/dev/null") != 0) {
        skip();
    }
    FILE *p = popen("python3 -c '\n"
                    "import sys, struct\n"
                    "bad = 0\n"
                    "for line in sys.stdin:\n"
                    "    bits, text = line.split()\n"
                    "    x = struct.unpack(\">d\", bytes.fromhex(bits))[0]\n"
                    "    if repr(x) != text:\n"
                    "        bad += 1\n"
                    "        print(bits, text, repr(x), file=sys.stderr)\n"
                    "sys.exit(bad != 0)'",
                    "w");
    assert_non_null(p);
    uint64_t seed = 7;
    for (int i = 0; i < 100000; i++) {
        double x = double_of(case_random(&seed));
        if (i % 2 == 0) { /* such as are met in logs: short decimals and ordinary sizes */
            x = (double)(int64_t)(case_random(&seed) % 2000000000 - 1000000000) /
                (double)(int64_t)(1 + case_random(&seed) % 1000000);
        }
        if (isfinite(x)) {
            fprintf(p, "%016llx %s\n", (unsigned long long)bits_of(x), text_of(x));
        }
    }
    assert_int_equal(pclose(p), 0);
}

static void test_number__the_table_is_what_its_generator_makes(void **state)
{
    (void)state;
    if (system("python3 -c 'import sys' 2>/dev/null") != 0) {
        skip();
    }
    assert_int_equal(system("cd " M31R_SOURCE_DIR
                            " && python3 tools/gen_pow10 | cmp -s - src/format/pow10_table.h"),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number__writes_the_form_of_python_repr),
        cmocka_unit_test(test_number__writes_floats_with_the_digits_of_a_float),
        cmocka_unit_test(test_number__round_trips_powers_of_two_and_their_neighbours),
        cmocka_unit_test(test_number__round_trips_powers_of_ten),
        cmocka_unit_test(test_number__round_trips_random_bits),
        cmocka_unit_test(test_number__is_never_longer_than_needed),
        cmocka_unit_test(test_number__reads_exactly_rounded),
        cmocka_unit_test(test_number__reads_random_decimals_as_strtod_does),
        cmocka_unit_test(test_number__reads_digits_far_behind_a_tie),
        cmocka_unit_test(test_number__refuses_what_is_not_a_json_number),
        cmocka_unit_test(test_number__integers_keep_all_64_bits),
        cmocka_unit_test(test_number__does_not_know_the_locale),
        cmocka_unit_test(test_number__agrees_with_python_repr),
        cmocka_unit_test(test_number__the_table_is_what_its_generator_makes),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
