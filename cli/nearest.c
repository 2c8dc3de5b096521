/* nearest.c - the word that was most likely meant. */
#include <string.h>

#include "command.h"

#define NEAREST_LIMIT 48

/* Levenshtein distance with transposition of neighbours; words longer than the limit are far from
 * everything. */
static unsigned distance(const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);
    if (n > NEAREST_LIMIT || m > NEAREST_LIMIT) {
        return NEAREST_LIMIT;
    }
    unsigned d[NEAREST_LIMIT + 1][NEAREST_LIMIT + 1];
    for (size_t i = 0; i <= n; i++) {
        d[i][0] = (unsigned)i;
    }
    for (size_t k = 0; k <= m; k++) {
        d[0][k] = (unsigned)k;
    }
    for (size_t i = 1; i <= n; i++) {
        for (size_t k = 1; k <= m; k++) {
            unsigned best = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
            best = d[i - 1][k] + 1 < best ? d[i - 1][k] + 1 : best;
            best = d[i][k - 1] + 1 < best ? d[i][k - 1] + 1 : best;
            bool swapped = i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
            if (swapped && d[i - 2][k - 2] + 1 < best) {
                best = d[i - 2][k - 2] + 1;
            }
            d[i][k] = best;
        }
    }
    return d[n][m];
}

const char *cli_nearest(const char *word, const char *const *words, int n)
{
    const char *nearest = NULL;
    unsigned best = (unsigned)strlen(word) / 3 + 2;
    for (int i = 0; i < n; i++) {
        unsigned d = distance(word, words[i]);
        /* A word that begins like a longer one was most likely cut short. */
        if (strlen(word) >= 3 && strncmp(word, words[i], strlen(word)) == 0) {
            d = 1;
        }
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}
