#include "near.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = NEAR_PLACES / NEAR_BANDS, N_BUCKETS = 1 << 16 };

/* A text in one bucket of one band; buckets are lists of them. */
typedef struct {
    uint64_t band_hash;
    size_t text;
    size_t next; /* number of the next node + 1; 0 ends the list */
} node;

struct near_index {
    near_signature *signatures;
    size_t n_texts;
    size_t capacity;
    node *nodes; /* NEAR_BANDS a text */
    size_t buckets[N_BUCKETS];
};

near_index *near_index_new(void)
{
    return calloc(1, sizeof(near_index));
}

void near_index_free(near_index *index)
{
    if (index != NULL) {
        free(index->signatures);
        free(index->nodes);
        free(index);
    }
}

/* The next word (letters, digits, underscores) or single sign; NULL at the end. */
static const uint8_t *word_next(const uint8_t *at, const uint8_t *end, size_t *length)
{
    while (at < end && isspace(*at)) {
        at++;
    }
    if (at == end) {
        return NULL;
    }
    const uint8_t *stop = at;
    while (stop < end && (isalnum(*stop) || *stop == '_' || *stop >= 0x80)) {
        stop++;
    }
    *length = stop == at ? 1 : (size_t)(stop - at);
    return at;
}

/* Takes one shingle into every place: its 128 orders come from two hashes, h1 + i * h2. */
static void shingle_take(near_signature *s, uint64_t shingle)
{
    const uint32_t first = (uint32_t)shingle;
    const uint32_t second = (uint32_t)(shingle >> 32) | 1;
    for (uint32_t i = 0; i < NEAR_PLACES; i++) {
        uint32_t value = (first + i * second) * 0x9e3779b1u;
        value ^= value >> 15;
        s->place[i] = value < s->place[i] ? value : s->place[i];
    }
}

bool near_signature_set(near_signature *out, const bytes *text)
{
    uint64_t window[NEAR_SHINGLE_WORDS];
    size_t n_words = 0;
    size_t length = 0;
    const uint8_t *end = text->data + text->size;
    memset(out->place, 0xff, sizeof out->place);
    for (const uint8_t *at = word_next(text->data, end, &length); at != NULL;
         at = word_next(at + length, end, &length)) {
        window[n_words++ % NEAR_SHINGLE_WORDS] = bytes_hash(at, length, 1);
        if (n_words < NEAR_SHINGLE_WORDS) {
            continue;
        }
        uint64_t shingle = 0;
        for (size_t i = 0; i < NEAR_SHINGLE_WORDS; i++) {
            shingle = bytes_mix(shingle * 31 + window[(n_words + i) % NEAR_SHINGLE_WORDS]);
        }
        shingle_take(out, shingle);
    }
    return n_words >= NEAR_SHINGLE_WORDS;
}

double near_similarity(const near_signature *a, const near_signature *b)
{
    int equal = 0;
    for (int i = 0; i < NEAR_PLACES; i++) {
        equal += a->place[i] == b->place[i];
    }
    return (double)equal / NEAR_PLACES;
}

static uint64_t band_hash(const near_signature *s, size_t band)
{
    return bytes_hash(s->place + band * ROWS, ROWS * sizeof s->place[0], band + 2);
}

bool near_index_find(const near_index *index, const near_signature *signature, double threshold,
                     size_t *number, double *similarity)
{
    bool is_found = false;
    for (size_t band = 0; band < NEAR_BANDS; band++) {
        const uint64_t hash = band_hash(signature, band);
        for (size_t at = index->buckets[hash % N_BUCKETS]; at != 0;
             at = index->nodes[at - 1].next) {
            const node *n = &index->nodes[at - 1];
            if (n->band_hash != hash) {
                continue;
            }
            double found = near_similarity(signature, &index->signatures[n->text]);
            /* Of equally similar ones the first: the answer does not depend on the bands. */
            if (found >= threshold &&
                (!is_found || found > *similarity || (found >= *similarity && n->text < *number))) {
                is_found = true;
                *similarity = found;
                *number = n->text;
            }
        }
    }
    return is_found;
}

static bool index_grow(near_index *index, fault *error)
{
    size_t capacity = index->capacity == 0 ? 256 : 2 * index->capacity;
    near_signature *signatures = realloc(index->signatures, capacity * sizeof *signatures);
    if (signatures != NULL) {
        index->signatures = signatures;
    }
    node *nodes = realloc(index->nodes, capacity * NEAR_BANDS * sizeof *nodes);
    if (nodes != NULL) {
        index->nodes = nodes;
    }
    if (signatures == NULL || nodes == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for signatures");
    }
    index->capacity = capacity;
    return true;
}

bool near_index_add(near_index *index, const near_signature *signature, fault *error)
{
    if (index->n_texts == index->capacity && !index_grow(index, error)) {
        return false;
    }
    const size_t text = index->n_texts++;
    index->signatures[text] = *signature;
    for (size_t band = 0; band < NEAR_BANDS; band++) {
        const size_t at = text * NEAR_BANDS + band;
        const uint64_t hash = band_hash(signature, band);
        index->nodes[at] = (node){hash, text, index->buckets[hash % N_BUCKETS]};
        index->buckets[hash % N_BUCKETS] = at + 1;
    }
    return true;
}
