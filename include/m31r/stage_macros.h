/* stage_macros.h - how a typed call becomes a struct of fields: the machinery of stage.h.
 *
 * Each field is 8 bytes and begins with every bit set, which no count, no pointer and no result of
 * arithmetic is; an argument `.loss = x` becomes the assignment `fields.loss = x`. So an argument
 * is evaluated once, in order, by the language's own rules, and what was never assigned is known.
 * -1 cannot be given as a count: it means that the field is not set. Not for
 * direct use, but for M31R_FIELDS_UNSET().
 */
#ifndef M31R_STAGE_MACROS_H
#define M31R_STAGE_MACROS_H

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#include <type_traits>

/* What a field takes; the same bytes as in C. */
struct m31r_integer {
    int64_t value;
    template <typename T> void operator=(T x)
    {
        static_assert(std::is_integral<T>::value || std::is_enum<T>::value,
                      "this field is a count: give it an integer");
        value = static_cast<int64_t>(x);
    }
};
struct m31r_number {
    double value;
    template <typename T> void operator=(T x)
    {
        static_assert(std::is_arithmetic<T>::value, "this field is a number");
        value = static_cast<double>(x);
    }
};
struct m31r_string {
    const char *value;
    template <typename T> void operator=(const T &x)
    {
        static_assert(std::is_convertible<const T &, const char *>::value,
                      "this field is a text: give it a const char *");
        value = x;
    }
};
#else
/* What a field takes: a count or other integer, a number, a NUL-terminated UTF-8 text. */
typedef int64_t m31r_integer;
typedef double m31r_number;
typedef const char *m31r_string;
#endif

/* clang-format off */
/* A wrong type is an error whatever flags the caller compiles with. C++ has its own types. */
#if defined(__cplusplus)
#define M31R_STAGE_STRICT
#define M31R_STAGE_RELAXED
#elif defined(__clang__)
#define M31R_STAGE_STRICT _Pragma("clang diagnostic push") \
    _Pragma("clang diagnostic error \"-Wfloat-conversion\"") \
    _Pragma("clang diagnostic error \"-Wliteral-conversion\"") \
    _Pragma("clang diagnostic error \"-Wint-conversion\"") \
    _Pragma("clang diagnostic error \"-Wincompatible-pointer-types\"")
#define M31R_STAGE_RELAXED _Pragma("clang diagnostic pop")
#else
#define M31R_STAGE_STRICT _Pragma("GCC diagnostic push") \
    _Pragma("GCC diagnostic error \"-Wfloat-conversion\"") \
    _Pragma("GCC diagnostic error \"-Wint-conversion\"") \
    _Pragma("GCC diagnostic error \"-Wincompatible-pointer-types\"")
#define M31R_STAGE_RELAXED _Pragma("GCC diagnostic pop")
#endif

/* The first argument is the run, up to 16 assignments follow. */
#define M31R_STAGE_CALL(call, type, ...) \
    do { \
        type m31r_fields_; \
        M31R_FIELDS_UNSET(m31r_fields_); \
        M31R_STAGE_STRICT \
        M31R_STAGE_SET(__VA_ARGS__) \
        M31R_STAGE_RELAXED \
        m31r_stage_emit(M31R_STAGE_RUN(__VA_ARGS__, 0), (call), &m31r_fields_, \
                        sizeof m31r_fields_); \
    } while (0)
/* For a call whose fields are not all known at one place: nothing of `fields` is set, then some
 * members are assigned, then m31r_stage_emit() takes it.
 *
 *     m31r_serve_request_fields fields;
 *     M31R_FIELDS_UNSET(fields);
 *     fields.status = 200;
 *     if (error != NULL) { fields.error = error; }
 *     m31r_stage_emit(run, M31R_CALL_SERVE_REQUEST, &fields, sizeof fields);
 */
#define M31R_FIELDS_UNSET(fields) memset(&(fields), 0xFF, sizeof(fields))
#define M31R_STAGE_RUN(run, ...) run
#define M31R_STAGE_CAT(a, b) M31R_STAGE_CAT_(a, b)
#define M31R_STAGE_CAT_(a, b) a##b
#define M31R_STAGE_COUNT(...) M31R_STAGE_COUNT_(__VA_ARGS__, \
    16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
#define M31R_STAGE_COUNT_(r, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, \
    a16, n, ...) n
#define M31R_STAGE_SET(...) M31R_STAGE_CAT(M31R_SET_, M31R_STAGE_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define M31R_SET_0(r)
#define M31R_SET_1(r, a) m31r_fields_ a;
#define M31R_SET_2(r, a, ...) m31r_fields_ a; M31R_SET_1(r, __VA_ARGS__)
#define M31R_SET_3(r, a, ...) m31r_fields_ a; M31R_SET_2(r, __VA_ARGS__)
#define M31R_SET_4(r, a, ...) m31r_fields_ a; M31R_SET_3(r, __VA_ARGS__)
#define M31R_SET_5(r, a, ...) m31r_fields_ a; M31R_SET_4(r, __VA_ARGS__)
#define M31R_SET_6(r, a, ...) m31r_fields_ a; M31R_SET_5(r, __VA_ARGS__)
#define M31R_SET_7(r, a, ...) m31r_fields_ a; M31R_SET_6(r, __VA_ARGS__)
#define M31R_SET_8(r, a, ...) m31r_fields_ a; M31R_SET_7(r, __VA_ARGS__)
#define M31R_SET_9(r, a, ...) m31r_fields_ a; M31R_SET_8(r, __VA_ARGS__)
#define M31R_SET_10(r, a, ...) m31r_fields_ a; M31R_SET_9(r, __VA_ARGS__)
#define M31R_SET_11(r, a, ...) m31r_fields_ a; M31R_SET_10(r, __VA_ARGS__)
#define M31R_SET_12(r, a, ...) m31r_fields_ a; M31R_SET_11(r, __VA_ARGS__)
#define M31R_SET_13(r, a, ...) m31r_fields_ a; M31R_SET_12(r, __VA_ARGS__)
#define M31R_SET_14(r, a, ...) m31r_fields_ a; M31R_SET_13(r, __VA_ARGS__)
#define M31R_SET_15(r, a, ...) m31r_fields_ a; M31R_SET_14(r, __VA_ARGS__)
#define M31R_SET_16(r, a, ...) m31r_fields_ a; M31R_SET_15(r, __VA_ARGS__)
/* clang-format on */

#endif
