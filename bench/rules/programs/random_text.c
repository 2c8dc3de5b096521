/* random_text.c - what the privacy rules take for a secret in digests and keys that are none:
 * usage: random_text MILLIONS SEED MOST
 *
 * So many million random characters of base64, base64url and hexadecimal digits each, cut into
 * values of the lengths that digests, signatures and blobs have. Prints, for each alphabet and
 * length, how many values were changed; then how often which rule did that. The status is 1 when
 * more than MOST were.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/privacy.h"

#define LONGEST 4096 /* characters */

static const char alnum[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static const struct alphabet {
    const char *name, *more;
    size_t n;
} alphabets[] = {{"base64", "+/", 64}, {"base64url", "-_", 64}, {"hex", NULL, 16}};

/* A hash of 128 and 160 bits, of 256 in hex and base64, of 512; a certificate; a block's checks. */
static const size_t lengths[] = {22, 27, 40, 43, 64, 86, 128, 512, LONGEST};

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15U);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static void fill(const struct alphabet *a, char *text, size_t length, uint64_t *state)
{
    char chars[65];
    snprintf(chars, sizeof chars, "%s%s", a->more != NULL ? alnum : "0123456789abcdef",
             a->more != NULL ? a->more : "");
    for (size_t i = 0; i < length; i += 10) {
        uint64_t bits = next_random(state);
        for (size_t k = i; k < length && k < i + 10; k++, bits >>= 6) {
            text[k] = chars[bits & (a->n - 1)];
        }
    }
}

/* Values of which something was taken, of `characters` in values of `length`. */
static size_t changed(const m31ri_privacy *p, const struct alphabet *a, size_t length,
                      uint64_t characters, uint64_t *state)
{
    static const m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
    char text[LONGEST];
    m31ri_buf out = M31RI_BUF_INIT;
    size_t n = 0;
    for (uint64_t done = 0; done < characters; done += length) {
        fill(a, text, length, state);
        m31ri_buf_clear(&out);
        n += m31ri_privacy_clean(p, none, text, length, &out) != 0;
    }
    m31ri_buf_release(&out);
    return n;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: random_text MILLIONS SEED MOST\n");
        return 2;
    }
    uint64_t millions = strtoull(argv[1], NULL, 10), state = strtoull(argv[2], NULL, 10);
    m31ri_privacy *p = m31ri_privacy_new(NULL);
    size_t n_lengths = sizeof lengths / sizeof lengths[0], total = 0;
    static m31ri_privacy_count counts[M31RI_PRIVACY_COUNTS];
    for (size_t a = 0; a < sizeof alphabets / sizeof alphabets[0]; a++) {
        for (size_t i = 0; i < n_lengths; i++) {
            uint64_t characters = millions * 1000000 / n_lengths;
            size_t n = changed(p, &alphabets[a], lengths[i], characters, &state);
            printf("{\"alphabet\":\"%s\",\"length\":%zu,\"characters\":%" PRIu64
                   ",\"changed\":%zu}\n",
                   alphabets[a].name, lengths[i], characters, n);
            total += n;
        }
    }
    size_t n_counts = m31ri_privacy_counts(p, counts);
    for (size_t i = 0; i < n_counts; i++) {
        printf("{\"kind\":\"%s\",\"rule\":\"%s\",\"n\":%" PRIu64 "}\n", counts[i].kind,
               counts[i].rule, counts[i].n);
    }
    printf("{\"changed\":%zu}\n", total);
    m31ri_privacy_free(p);
    return total > strtoull(argv[3], NULL, 10);
}
