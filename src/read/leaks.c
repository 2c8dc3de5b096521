/* leaks.c - the writer's own rules, applied again to what it wrote.
 *
 * Scrubbing text that was scrubbed changes nothing, so every hit is a leak: something that reached
 * a file without passing the rules. Rules that became stricter since the run was made may report an
 * old run; that is meant.
 *
 * Records say the same again and again: the same keys, levels, modules, messages. What was clean
 * once under the same verdict on its key is clean, so short texts are remembered, as are the
 * verdicts; a text that pushes another out costs time, nothing else.
 */
#include "read/leaks.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "format/json_text.h"

#define JSON_DEPTH 32
#define KEYS 128
#define KEY_BYTES 30
#define TEXTS 256
#define TEXT_BYTES 47

typedef struct known_key {
    m31ri_key_verdict verdict;
    uint8_t length; /* 0: nothing is here */
    char text[KEY_BYTES];
} known_key;

typedef struct clean_text {
    m31ri_key_verdict key;
    uint8_t length; /* 0: nothing is here */
    char text[TEXT_BYTES];
} clean_text;

struct m31ri_leaks {
    const m31ri_privacy *privacy;
    m31ri_buf value, scrubbed;
    known_key keys[KEYS];
    clean_text texts[TEXTS];
};

m31ri_leaks *m31ri_leaks_new(const m31ri_privacy *rules)
{
    m31ri_leaks *l = m31ri_calloc(1, sizeof *l);
    if (l != NULL) {
        l->privacy = rules;
    }
    return l;
}

void m31ri_leaks_free(m31ri_leaks *l)
{
    if (l != NULL) {
        m31ri_buf_release(&l->value);
        m31ri_buf_release(&l->scrubbed);
        m31ri_free(l);
    }
}

/* Of the first and last bytes: texts that differ in the middle only push each other out. */
static uint32_t place_of(const char *text, size_t length)
{
    uint64_t first = 0, last = 0;
    size_t n = length < sizeof first ? length : sizeof first;
    memcpy(&first, text, n);
    memcpy(&last, text + length - n, n);
    uint64_t mixed = (first ^ (last << 7) ^ length) * 0x9e3779b97f4a7c15U;
    return (uint32_t)(mixed >> 40);
}

static m31ri_key_verdict judge(m31ri_leaks *l, const char *key, size_t length)
{
    if (length == 0 || length > KEY_BYTES) {
        return m31ri_privacy_judge(l->privacy, key, length);
    }
    known_key *k = &l->keys[place_of(key, length) % KEYS];
    if (k->length != length || memcmp(k->text, key, length) != 0) {
        k->verdict = m31ri_privacy_judge(l->privacy, key, length);
        k->length = (uint8_t)length;
        memcpy(k->text, key, length);
    }
    return k->verdict;
}

static uint32_t count(m31ri_leaks *l, m31ri_key_verdict key, const char *text, size_t length)
{
    clean_text *known = NULL;
    if (length > 0 && length <= TEXT_BYTES) {
        known = &l->texts[place_of(text, length) % TEXTS];
        if (known->length == length && known->key.class == key.class &&
            known->key.kind == key.kind && memcmp(known->text, text, length) == 0) {
            return 0;
        }
    }
    m31ri_buf_clear(&l->scrubbed);
    uint32_t n = m31ri_privacy_clean(l->privacy, key, text, length, &l->scrubbed);
    if (n == 0 && known != NULL) {
        known->key = key;
        known->length = (uint8_t)length;
        memcpy(known->text, text, length);
    }
    return n;
}

uint32_t m31ri_leaks_in_member(m31ri_leaks *l, const m31ri_json_member *m)
{
    uint32_t n = 0;
    if (m->type == 's' && !m->value_escaped) {
        n = count(l, judge(l, m->key, m->key_length), m->value, m->value_length);
    } else if (m->type == 's') {
        m31ri_buf_clear(&l->value);
        m31ri_json_unescape(&l->value, m->value, m->value_length);
        n = count(l, judge(l, m->key, m->key_length), m31ri_buf_str(&l->value), l->value.length);
    } else if (m->type == 'o' || m->type == 'a') {
        json_t *value = json_loadb(m->value, m->value_length, 0, NULL);
        n = m31ri_leaks_in_json(l, value);
        json_decref(value);
    }
    return n;
}

static uint32_t walk(m31ri_leaks *l, const char *key, const json_t *value, int depth)
{
    uint32_t n = 0;
    if (json_is_string(value)) {
        return count(l, judge(l, key, strlen(key)), json_string_value(value),
                     json_string_length(value));
    }
    if (depth == JSON_DEPTH) {
        return 0;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        n += walk(l, key, json_array_get(value, i), depth + 1);
    }
    void *at = json_object_iter((json_t *)value);
    for (; at != NULL; at = json_object_iter_next((json_t *)value, at)) {
        n += walk(l, json_object_iter_key(at), json_object_iter_value(at), depth + 1);
    }
    return n;
}

uint32_t m31ri_leaks_in_json(m31ri_leaks *l, const json_t *value)
{
    return walk(l, "", value, 0);
}
