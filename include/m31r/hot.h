/* hot.h - the short way of a record: a call stores its values into the ring of its thread, in line.
 *
 * Not for direct use: the macros of log.h are made of it. A record goes this way when nothing about
 * it has to be decided any more: its call site, its logger and its thread are known to the rings of
 * the run, no key of it is denied, no value has a type that is only known at run time, and there is
 * room. Everything else is a call of m31r_log_emit(), which does the same and opens the short way
 * for the next record.
 *
 * What is below is part of the binary interface of the library: a program holds it compiled. When
 * it changes, the number in the name of m31r_hot_1 changes, and a program that was compiled with
 * the other one does not start with the wrong library. The bytes that are stored are those of
 * docs/FORMAT.md, section 13.
 *
 *     char *at = m31r_hot_begin(hot, log, &site, bytes, text);
 *     if (at != NULL) {
 *         // values to `at`
 *         m31r_hot_end(hot, bytes);
 *     } else {
 *         m31r_log_emit(log, &site, values);
 *     }
 */
#ifndef M31R_HOT_H
#define M31R_HOT_H

#include "m31r/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The part of a logger that calls read. The rest is private. */
typedef struct m31r_log {
    int32_t level; /* records below it are not made; see m31r_log_set_level() */
    uint32_t id;   /* in the dictionary of the rings; as all below written by the library only */
    uint64_t pass; /* whose records go the short way; 0: nobody's */
    uint64_t open; /* the bits of a pass that need not agree: those of the thread, or none */
} m31r_log;

#define M31R_NO_PASS UINT64_MAX /* of a call site; nothing else has it, nor 0 */

/* The constant part of a call: made once by the macros, registered once by the library. */
typedef struct m31r_site {
    int32_t level;
    uint32_t n_keys;
    const char *message;
    const char *const *keys;
    const char *file;
    int32_t line;
    uint32_t id;   /* 0 until registered; written by the library only, as is `pass` */
    uint64_t pass; /* which rings know it (high half), as which number of their dictionary;
                      M31R_NO_PASS: not yet */
} m31r_site;

#ifndef __cplusplus

/* Where a thread puts its records: one cache line, the thread's own, zero in a forked child. */
typedef struct m31r_hot {
    uint64_t pass;       /* which rings these are (high half) and which thread it is; 0: no way */
    char *at;            /* the next record's place, 8 bytes aligned */
    char *limit;         /* up to here nothing need be asked */
    uint64_t turn;       /* `at` as a number plus this is the ring's position */
    uint64_t *published; /* the position up to which records are whole: who writes reads it */
    uint64_t sequence;   /* counts the records; the low 32 bits go into each */
    uint64_t unused[2];
} m31r_hot;

/* A word of a record; what lies in a ring has no other type. */
typedef uint64_t __attribute__((may_alias)) m31r_hot_word;

/* Never NULL. The model of access that costs one instruction, also in a shared library. */
extern M31R_API _Thread_local m31r_hot *m31r_hot_1 __attribute__((tls_model("initial-exec")));

#define M31R_HOT_HEAD 24         /* bytes before the values */
#define M31R_HOT_TEXT 4096       /* of all strings of a record */
#define M31R_HOT_SITE 2u         /* the kind of a call site's record */
#define M31R_HOT_NULL UINT64_MAX /* stands for a null string */
#define M31R_HOT_AHEAD 1024      /* bytes of the ring that are asked for before they are needed */

/* A program may have a global of any name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

/* The counter that stands for the time. Where a processor has none that can be trusted, the library
 * opens no short way.
 *
 * Returns: its value, in units of its own.
 * Thread:  any.
 */
static inline uint64_t m31r_hot_count(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t count;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count;
#else
    return 0;
#endif
}

/* Begins the record of a call site in the ring of the calling thread: its place, and its head.
 * `bytes` are those of the whole record, `text` those of its strings; the values go to the place
 * that it returns, 8 bytes each, then the strings' text, and m31r_hot_end() makes it whole. Between
 * the two nothing may fail.
 *
 * Returns: the place of the first value, 8 bytes aligned; NULL when this record goes the long way.
 * Owns:    the ring.
 * Thread:  any. errno is kept.
 */
__attribute__((always_inline)) static inline char *m31r_hot_begin(m31r_hot *hot, m31r_log *log,
                                                                  m31r_site *site, uint64_t bytes,
                                                                  uint64_t text)
{
    uint64_t pass = __atomic_load_n(&hot->pass, __ATOMIC_RELAXED);
    /* pairs with the release in open_way: the logger's number is there before */
    uint64_t mine = __atomic_load_n(&log->pass, __ATOMIC_ACQUIRE);
    uint64_t open = __atomic_load_n(&log->open, __ATOMIC_RELAXED);
    uint64_t known = __atomic_load_n(&site->pass, __ATOMIC_RELAXED);
    char *at = hot->at;
    if (__builtin_expect(((pass ^ mine) & ~open) != 0 || (known ^ pass) >> 32 != 0 ||
                             text > M31R_HOT_TEXT || bytes > (uint64_t)(hot->limit - at),
                         0)) {
        return NULL;
    }
    m31r_hot_word *head = (m31r_hot_word *)(void *)at;
    head[0] = bytes | (uint64_t)M31R_HOT_SITE << 32 | (uint64_t)log->id << 48;
    head[1] = (known & UINT32_MAX) | hot->sequence << 32;
    head[2] = m31r_hot_count();
    return at + M31R_HOT_HEAD;
}

/* Makes the record whole that m31r_hot_begin() began: from here on it survives the process.
 *
 * Thread: the one that began it.
 */
__attribute__((always_inline)) static inline void m31r_hot_end(m31r_hot *hot, uint64_t bytes)
{
    char *at = hot->at + bytes;
    hot->at = at;
    hot->sequence++;
    /* pairs with the acquire in m31ri_take_begin */
    __atomic_store_n(hot->published, (uint64_t)(uintptr_t)at + hot->turn, __ATOMIC_RELEASE);
    __builtin_prefetch(at + M31R_HOT_AHEAD, 1);
    __builtin_prefetch(at + M31R_HOT_AHEAD + 64, 1);
}

#pragma GCC diagnostic pop

/* Of a record with `n` values and strings of `text` bytes together. */
#define M31R_HOT_BYTES(n, text) (M31R_HOT_HEAD + (uint64_t)(n)*8 + (((text) + 7) & ~(uint64_t)7))

/* clang-format off */
/* What M31R_EACH() makes of pair number `i` from the end, whose value is in the variable
 * M31R_VALUE_NAME(i). Straight lines without a loop or an array, and constant types: it is what a
 * compiler is quick with, and there may be hundreds of calls in a file. */

/* Is the type known when the program is compiled? A m31r_value says it at run time. */
#define M31R_IS_TYPED(i, k, v) _Generic((v), m31r_value: 0, default: 1) &

#define M31R_TEXT_BYTES(i, k, v) \
    (M31R_VALUE_NAME(i).type == M31R_T_STRING ? M31R_VALUE_NAME(i).length : 0u) +

#define M31R_PUT_WORD(i, k, v) \
    ((m31r_hot_word *)(void *)m31r_at_)[m31r_n_ - i] = \
        M31R_VALUE_NAME(i).type == M31R_T_STRING ? M31R_VALUE_NAME(i).length \
        : M31R_VALUE_NAME(i).type == M31R_T_NULL ? M31R_HOT_NULL : M31R_VALUE_NAME(i).as.u;

#define M31R_PUT_TEXT(i, k, v) \
    if (M31R_VALUE_NAME(i).type == M31R_T_STRING) { \
        memcpy(m31r_end_, M31R_VALUE_NAME(i).as.s, M31R_VALUE_NAME(i).length); \
        m31r_end_ += M31R_VALUE_NAME(i).length; \
    }
/* clang-format on */

#endif /* !__cplusplus */

#ifdef __cplusplus
}
#endif
#endif
