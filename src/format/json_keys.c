/* json_keys.c - does a key stand twice in one object?
 *
 * Few keys are compared pair by pair, many are sorted. The order is by hash, then length, then
 * bytes, so that keys made to collide cost what long equal prefixes cost, never n squared; a heap
 * sort keeps that bound for any order of keys. A hash table would be quicker on good days only.
 */
#include "format/json_keys.h"

#include <string.h>

#include "format/json_text_int.h"

#define KEYS_PAIRWISE 12

/* Walks the unescaped bytes of a key in runs. */
typedef struct key_walk {
    const char *p, *end, *run;
    size_t length; /* of the run; 0 at the end */
    char decoded[4];
} key_walk;

static void walk_next(key_walk *w)
{
    if (w->p == w->end) {
        w->length = 0;
        return;
    }
    if (*w->p == '\\') {
        size_t used;
        w->length = m31ri_json_unescape_step(w->p, w->end, w->decoded, &used);
        w->run = w->decoded;
        w->p += used;
        return;
    }
    const char *stop = memchr(w->p, '\\', (size_t)(w->end - w->p));
    stop = stop != NULL ? stop : w->end;
    w->run = w->p;
    w->length = (size_t)(stop - w->p);
    w->p = stop;
}

static void walk_start(key_walk *w, const char *text, size_t length)
{
    w->p = text;
    w->end = text + length;
    walk_next(w);
}

/* A byte-wise hash, so that runs may be cut anywhere. */
static uint64_t hash_more(uint64_t hash, const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)s[i]) * 0x100000001b3u;
    }
    return hash;
}

static uint64_t hash_key(const char *text, size_t length, bool escaped)
{
    uint64_t hash = 0xcbf29ce484222325u;
    if (!escaped) {
        return hash_more(hash, text, length);
    }
    key_walk w;
    for (walk_start(&w, text, length); w.length != 0; walk_next(&w)) {
        hash = hash_more(hash, w.run, w.length);
    }
    return hash;
}

/* Order of the unescaped bytes. A lone surrogate counts as U+FFFD. */
static int compare_text(const m31ri_json_key *a, const m31ri_json_key *b)
{
    key_walk x, y;
    walk_start(&x, a->text, a->length);
    walk_start(&y, b->text, b->length);
    while (x.length != 0 && y.length != 0) {
        size_t n = x.length < y.length ? x.length : y.length;
        int order = memcmp(x.run, y.run, n);
        if (order != 0) {
            return order;
        }
        x.run += n;
        y.run += n;
        if ((x.length -= n) == 0) {
            walk_next(&x);
        }
        if ((y.length -= n) == 0) {
            walk_next(&y);
        }
    }
    return (x.length != 0) - (y.length != 0);
}

static int compare_keys(const m31ri_json_key *a, const m31ri_json_key *b)
{
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    if (!a->escaped && !b->escaped) {
        if (a->length != b->length) {
            return a->length < b->length ? -1 : 1;
        }
        return memcmp(a->text, b->text, a->length);
    }
    return compare_text(a, b);
}

static void sift_down(m31ri_json_key *heap, size_t at, size_t n)
{
    m31ri_json_key moving = heap[at];
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && compare_keys(&heap[child], &heap[child + 1]) < 0) {
            child++;
        }
        if (compare_keys(&moving, &heap[child]) >= 0) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

/* Heap sort: in place, and n log n whatever the keys are. */
static void sort_keys(m31ri_json_key *keys, size_t n)
{
    for (size_t i = n / 2; i-- > 0;) {
        sift_down(keys, i, n);
    }
    for (size_t last = n; last-- > 1;) {
        m31ri_json_key largest = keys[0];
        keys[0] = keys[last];
        keys[last] = largest;
        sift_down(keys, 0, last);
    }
}

static const char *later_of(const char *a, const char *b)
{
    return a > b ? a : b;
}

void m31ri_json_key_set(m31ri_json_key *k, const char *text, size_t length, bool escaped)
{
    *k = (m31ri_json_key){hash_key(text, length, escaped), text, length, escaped};
}

const char *m31ri_json_keys_doubled(m31ri_json_key *keys, size_t n)
{
    if (n <= KEYS_PAIRWISE) {
        for (size_t i = 1; i < n; i++) {
            for (size_t j = 0; j < i; j++) {
                if (keys[i].hash == keys[j].hash && compare_keys(&keys[i], &keys[j]) == 0) {
                    return keys[i].text;
                }
            }
        }
        return NULL;
    }
    sort_keys(keys, n);
    for (size_t i = 1; i < n; i++) {
        if (compare_keys(&keys[i - 1], &keys[i]) == 0) {
            return later_of(keys[i - 1].text, keys[i].text);
        }
    }
    return NULL;
}
