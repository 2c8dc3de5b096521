/* json_keys.h - the keys of one JSON object, compared by what they stand for. */
#ifndef M31RI_JSON_KEYS_H
#define M31RI_JSON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct m31ri_json_key {
    uint64_t hash; /* of the unescaped bytes */
    const char *text;
    size_t length;
    bool escaped;
} m31ri_json_key;

void m31ri_json_key_set(m31ri_json_key *k, const char *text, size_t length, bool escaped);

/* Where a key stands for the second time among `n` keys, or NULL when all differ. Puts `keys` into
 * another order. */
const char *m31ri_json_keys_doubled(m31ri_json_key *keys, size_t n);

#endif
