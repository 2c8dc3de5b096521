/* sieve.h - which lines must be judged, found without going through them one by one.
 *
 * A line passes through the sieve when it is sure to hold nothing that the filter demands and looks
 * like a record all along: one `{`, at its start, one `}`, at its end, and neither escapes, control
 * characters nor bytes other than ASCII. Everything else is held back and judged.
 */
#ifndef M31RI_SIEVE_H
#define M31RI_SIEVE_H

#include <stdint.h>

#include "m31r/scan.h"
#include "read/needle.h"

#define M31RI_SIEVE_WORDS 5

/* A string that is held back, in lower case: the name of a level that passes. */
typedef struct m31ri_sieve_word {
    uint32_t letters; /* the first four */
    char first;
    uint8_t length;
} m31ri_sieve_word;

typedef struct m31ri_sieve {
    m31ri_needle needle; /* length 0: none */
    m31ri_sieve_word words[M31RI_SIEVE_WORDS];
    size_t n_words;
    uint8_t first[16], second[16]; /* letters of the words, by the lower half of the first one */
} m31ri_sieve;

/* A place that is held back. */
typedef struct m31ri_sieved {
    uint32_t at;
    uint32_t n_before; /* newlines before it */
} m31ri_sieved;

/* What a filter demands of each record. False when it demands nothing that can be looked for: then
 * the sieve holds back only what does not look like a record. */
bool m31ri_sieve_of(const m31r_filter *filter, m31ri_sieve *out);

/* True for the filter that every record passes. */
bool m31ri_sieve_passes_all(const m31r_filter *filter);

#endif
