/* value.h - typed values and the macros that turn "key", value pairs into them.
 *
 * A value is what stands to the right of a key in a record: an integer, an unsigned integer, a
 * double, a float, a boolean, a string, or a sensitive value of which only the type is kept. The
 * macros here are what the logging macros are made of; callers meet only m31r_sensitive(),
 * m31r_text() and the rule that a key is a string literal. Pairs are checked at compile time: an
 * odd count, a reserved key, a value of a type that has no form in a record, and more than 24 pairs
 * do not compile.
 *
 *     m31r_info(log, "login", "user", m31r_sensitive(name), "tries", 3);
 *     m31r_info(log, "chunk", "head", m31r_text(buffer, 16));
 */
#ifndef M31R_VALUE_H
#define M31R_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a value holds. The numbers are pinned: rings and files carry them. */
typedef enum m31r_type {
    M31R_T_NULL = 0,
    M31R_T_BOOL = 1,
    M31R_T_INT = 2,  /* signed, 64 bits */
    M31R_T_UINT = 3, /* unsigned, 64 bits */
    M31R_T_DOUBLE = 4,
    M31R_T_FLOAT = 5,    /* written with the digits that a 32-bit float needs */
    M31R_T_STRING = 6,   /* UTF-8; `length` bytes, NUL bytes allowed */
    M31R_T_SENSITIVE = 7 /* never written, never kept; a marker stands in its place */
} m31r_type;

/* One value. Strings are borrowed for the length of the call only. */
typedef struct m31r_value {
    uint32_t type;   /* m31r_type */
    uint32_t length; /* bytes of a string; 0 for the others */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double d;
        float f;
        const char *s;
    } as;
} m31r_value;

/* A value of a C value: what M31R_OF() chooses from.
 *
 * Returns: the value.
 * Thread:  any.
 */
static inline m31r_value m31r_of_bool(bool x)
{
    m31r_value v = {M31R_T_BOOL, 0, {0}};
    v.as.i = 0;
    v.as.b = x;
    return v;
}

static inline m31r_value m31r_of_int(int64_t x)
{
    m31r_value v = {M31R_T_INT, 0, {0}};
    v.as.i = x;
    return v;
}

static inline m31r_value m31r_of_uint(uint64_t x)
{
    m31r_value v = {M31R_T_UINT, 0, {0}};
    v.as.u = x;
    return v;
}

static inline m31r_value m31r_of_double(double x)
{
    m31r_value v = {M31R_T_DOUBLE, 0, {0}};
    v.as.d = x;
    return v;
}

static inline m31r_value m31r_of_float(float x)
{
    m31r_value v = {M31R_T_FLOAT, 0, {0}};
    v.as.i = 0;
    v.as.f = x;
    return v;
}

/* A string of `length` bytes that need not end in NUL.
 *
 * Returns: the value; null for NULL. Longer than 4 GiB is cut there.
 * Owns:    nothing: the bytes are borrowed until the call that takes the value has returned.
 * Thread:  any.
 */
static inline m31r_value m31r_text(const char *s, size_t length)
{
    m31r_value v = {M31R_T_NULL, 0, {0}};
    if (s != NULL) {
        v.type = M31R_T_STRING;
        v.length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length;
        v.as.s = s;
    }
    return v;
}

/* A NUL-terminated string, another value, or the mark of a sensitive one.
 *
 * Returns: the value.
 * Owns:    nothing; as m31r_text().
 * Thread:  any.
 */
static inline m31r_value m31r_of_string(const char *s)
{
    return m31r_text(s, s != NULL ? strlen(s) : 0);
}

static inline m31r_value m31r_of_value(m31r_value x)
{
    return x;
}

static inline m31r_value m31r_of_sensitive(void)
{
    m31r_value v = {M31R_T_SENSITIVE, 0, {0}};
    return v;
}

/* A value that must not be written anywhere: `x` is not even evaluated. */
#define m31r_sensitive(x) (((void)sizeof(x)), m31r_of_sensitive())

/* What an errno means, in words: m31r_error(log, "open_failed", "error", m31r_errno(errno)).
 *
 * Returns: a string such as "No such file or directory", in English whatever the locale is.
 * Owns:    nothing; a constant string.
 * Thread:  any.
 */
M31R_API m31r_value m31r_errno(int number);

#ifndef __cplusplus
/* clang-format off */
#define M31R_OF(x) _Generic((x), \
    bool: m31r_of_bool, \
    char: m31r_of_int, signed char: m31r_of_int, short: m31r_of_int, int: m31r_of_int, \
    long: m31r_of_int, long long: m31r_of_int, \
    unsigned char: m31r_of_uint, unsigned short: m31r_of_uint, unsigned int: m31r_of_uint, \
    unsigned long: m31r_of_uint, unsigned long long: m31r_of_uint, \
    float: m31r_of_float, double: m31r_of_double, \
    char *: m31r_of_string, const char *: m31r_of_string, \
    m31r_value: m31r_of_value)(x)

/* True for a key that a record keeps for itself. Folded by the compiler when `k` is a literal. */
#define M31R_RESERVED(k) \
    (__builtin_strcmp(k, "ts") == 0 || __builtin_strcmp(k, "level") == 0 || \
     __builtin_strcmp(k, "module") == 0 || __builtin_strcmp(k, "msg") == 0 || \
     __builtin_strcmp(k, "") == 0)
#define M31R_CHECK(k) \
    _Static_assert(!M31R_RESERVED("" k), "this key is reserved by the record: rename it");

/* Arguments are MSG, KEY, VALUE, KEY, VALUE...: the number of pairs, or E when one is not whole. */
#define M31R_COUNT(...) M31R_COUNT_(__VA_ARGS__, \
    24, E, 23, E, 22, E, 21, E, 20, E, 19, E, 18, E, 17, E, 16, E, 15, E, 14, E, 13, E, \
    12, E, 11, E, 10, E, 9, E, 8, E, 7, E, 6, E, 5, E, 4, E, 3, E, 2, E, 1, E, 0, E)
#define M31R_COUNT_( \
    a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, \
    a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, a33, a34, a35, a36, a37, a38, \
    a39, a40, a41, a42, a43, a44, a45, a46, a47, a48, a49, n, ...) n

#define M31R_CAT(a, b) M31R_CAT_(a, b)
#define M31R_CAT_(a, b) a##b
#define M31R_FIRST(...) M31R_FIRST_(__VA_ARGS__, 0)
#define M31R_FIRST_(a, ...) a

/* M31R_EACH(F, MSG, K, V, ...) expands to F(I, K, V) for each pair, in order; I counts them from
 * the end: N for the first of N, 1 for the last. */
#define M31R_EACH(f, ...) M31R_CAT(M31R_E, M31R_COUNT(__VA_ARGS__))(f, __VA_ARGS__)
#define M31R_EE(f, ...) \
    _Static_assert(0, "keys and values come in pairs: a key without a value, or one too many");
#define M31R_E0(f, m)
#define M31R_E1(f, m, k, v) f(1, k, v)
#define M31R_E2(f, m, k, v, ...) f(2, k, v) M31R_E1(f, m, __VA_ARGS__)
#define M31R_E3(f, m, k, v, ...) f(3, k, v) M31R_E2(f, m, __VA_ARGS__)
#define M31R_E4(f, m, k, v, ...) f(4, k, v) M31R_E3(f, m, __VA_ARGS__)
#define M31R_E5(f, m, k, v, ...) f(5, k, v) M31R_E4(f, m, __VA_ARGS__)
#define M31R_E6(f, m, k, v, ...) f(6, k, v) M31R_E5(f, m, __VA_ARGS__)
#define M31R_E7(f, m, k, v, ...) f(7, k, v) M31R_E6(f, m, __VA_ARGS__)
#define M31R_E8(f, m, k, v, ...) f(8, k, v) M31R_E7(f, m, __VA_ARGS__)
#define M31R_E9(f, m, k, v, ...) f(9, k, v) M31R_E8(f, m, __VA_ARGS__)
#define M31R_E10(f, m, k, v, ...) f(10, k, v) M31R_E9(f, m, __VA_ARGS__)
#define M31R_E11(f, m, k, v, ...) f(11, k, v) M31R_E10(f, m, __VA_ARGS__)
#define M31R_E12(f, m, k, v, ...) f(12, k, v) M31R_E11(f, m, __VA_ARGS__)
#define M31R_E13(f, m, k, v, ...) f(13, k, v) M31R_E12(f, m, __VA_ARGS__)
#define M31R_E14(f, m, k, v, ...) f(14, k, v) M31R_E13(f, m, __VA_ARGS__)
#define M31R_E15(f, m, k, v, ...) f(15, k, v) M31R_E14(f, m, __VA_ARGS__)
#define M31R_E16(f, m, k, v, ...) f(16, k, v) M31R_E15(f, m, __VA_ARGS__)
#define M31R_E17(f, m, k, v, ...) f(17, k, v) M31R_E16(f, m, __VA_ARGS__)
#define M31R_E18(f, m, k, v, ...) f(18, k, v) M31R_E17(f, m, __VA_ARGS__)
#define M31R_E19(f, m, k, v, ...) f(19, k, v) M31R_E18(f, m, __VA_ARGS__)
#define M31R_E20(f, m, k, v, ...) f(20, k, v) M31R_E19(f, m, __VA_ARGS__)
#define M31R_E21(f, m, k, v, ...) f(21, k, v) M31R_E20(f, m, __VA_ARGS__)
#define M31R_E22(f, m, k, v, ...) f(22, k, v) M31R_E21(f, m, __VA_ARGS__)
#define M31R_E23(f, m, k, v, ...) f(23, k, v) M31R_E22(f, m, __VA_ARGS__)
#define M31R_E24(f, m, k, v, ...) f(24, k, v) M31R_E23(f, m, __VA_ARGS__)
/* clang-format on */

#define M31R_CHECK_PAIR(i, k, v) M31R_CHECK(k)
#define M31R_KEY_OF_PAIR(i, k, v) "" k,
#define M31R_VALUE_OF_PAIR(i, k, v) M31R_OF(v),

/* Each value in a variable of its own: evaluated once and in order, and in a register. */
#define M31R_VALUE_NAME(i) m31r_value##i##_
#define M31R_TAKE_PAIR(i, k, v) const m31r_value M31R_VALUE_NAME(i) = M31R_OF(v);
#define M31R_KEEP_PAIR(i, k, v) m31r_values_[m31r_n_ - i] = M31R_VALUE_NAME(i);
#endif /* !__cplusplus */

#ifdef __cplusplus
}
#endif
#endif
