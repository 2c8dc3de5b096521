#include "bpe.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "m31r-bpe-1"

enum {
    CACHE_SLOTS = 1 << 15,
    CACHE_WORD_BYTES = 24, /* longer words are rare and encoded anew */
    WORD_MAX_BYTES = 256,  /* longer runs are cut, so that merging stays linear in the text */
    FILE_MAX_BYTES = 16 * 1024 * 1024,
};

/* A word that was met, and its tokens. */
typedef struct {
    uint8_t size; /* 0: free */
    uint8_t n_tokens;
    uint8_t word[CACHE_WORD_BYTES];
    uint16_t tokens[CACHE_WORD_BYTES];
} cached;

struct bpe {
    size_t n_merges;
    bpe_pair *merges;
    uint32_t *table; /* open-addressed: number of the merge + 1; 0 is free */
    size_t n_slots;
    uint8_t *spelled; /* the bytes of all tokens, one after the other */
    size_t *start;    /* vocab + 1 offsets in it */
    cached *cache;
};

static size_t pair_slot(const bpe *b, bpe_pair pair)
{
    uint64_t hash = bytes_mix((uint64_t)pair.left << 16 | pair.right);
    size_t at = hash & (b->n_slots - 1);
    while (b->table[at] != 0 && (b->merges[b->table[at] - 1].left != pair.left ||
                                 b->merges[b->table[at] - 1].right != pair.right)) {
        at = (at + 1) & (b->n_slots - 1);
    }
    return at;
}

/* Spells every token as bytes. */
static bool spell(bpe *b, fault *error)
{
    size_t total = BPE_BYTES;
    const size_t vocab = bpe_vocab(b);
    b->start = calloc(vocab + 1, sizeof *b->start);
    if (b->start == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for a tokenizer");
    }
    for (size_t i = 0; i <= BPE_BYTES; i++) {
        b->start[i] = i;
    }
    for (size_t i = 0; i < b->n_merges; i++) {
        const bpe_pair m = b->merges[i];
        total +=
            b->start[m.left + 1] - b->start[m.left] + b->start[m.right + 1] - b->start[m.right];
        b->start[BPE_BYTES + i + 1] = total;
    }
    b->spelled = malloc(total);
    if (b->spelled == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for a tokenizer");
    }
    for (size_t i = 0; i < BPE_BYTES; i++) {
        b->spelled[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < b->n_merges; i++) {
        const bpe_pair m = b->merges[i];
        uint8_t *at = b->spelled + b->start[BPE_BYTES + i];
        size_t left = b->start[m.left + 1] - b->start[m.left];
        memcpy(at, b->spelled + b->start[m.left], left);
        memcpy(at + left, b->spelled + b->start[m.right],
               b->start[m.right + 1] - b->start[m.right]);
    }
    return true;
}

static bool merges_check(const bpe_pair *merges, size_t n_merges, fault *error)
{
    if (n_merges > BPE_MAX_VOCAB - BPE_BYTES) {
        return fault_set(error, FAULT_USER, "tokenizer_wrong", "%zu merges, at most %d", n_merges,
                         BPE_MAX_VOCAB - BPE_BYTES);
    }
    for (size_t i = 0; i < n_merges; i++) {
        if (merges[i].left >= BPE_BYTES + i || merges[i].right >= BPE_BYTES + i ||
            merges[i].left == BPE_END_OF_TEXT || merges[i].right == BPE_END_OF_TEXT) {
            return fault_set(error, FAULT_USER, "tokenizer_wrong",
                             "merge %zu of tokens %u and %u, expected 1 to %zu", i,
                             (unsigned)merges[i].left, (unsigned)merges[i].right,
                             BPE_BYTES + i - 1);
        }
    }
    return true;
}

bpe *bpe_new(const bpe_pair *merges, size_t n_merges, fault *error)
{
    if (!merges_check(merges, n_merges, error)) {
        return NULL;
    }
    bpe *b = calloc(1, sizeof *b);
    if (b == NULL) {
        (void)fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for a tokenizer");
        return NULL;
    }
    b->n_merges = n_merges;
    b->n_slots = 1024;
    while (b->n_slots < 2 * n_merges) {
        b->n_slots *= 2;
    }
    b->merges = malloc((n_merges + 1) * sizeof *b->merges);
    b->table = calloc(b->n_slots, sizeof *b->table);
    b->cache = calloc(CACHE_SLOTS, sizeof *b->cache);
    if (b->merges == NULL || b->table == NULL || b->cache == NULL) {
        (void)fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for a tokenizer");
        bpe_free(b);
        return NULL;
    }
    if (n_merges > 0) {
        memcpy(b->merges, merges, n_merges * sizeof *merges);
    }
    for (size_t i = 0; i < n_merges; i++) {
        size_t slot = pair_slot(b, merges[i]);
        b->table[slot] = b->table[slot] == 0 ? (uint32_t)i + 1 : b->table[slot];
    }
    if (!spell(b, error)) {
        bpe_free(b);
        return NULL;
    }
    return b;
}

void bpe_free(bpe *b)
{
    if (b != NULL) {
        free(b->merges);
        free(b->table);
        free(b->spelled);
        free(b->start);
        free(b->cache);
        free(b);
    }
}

size_t bpe_vocab(const bpe *b)
{
    return BPE_BYTES + b->n_merges;
}

const uint8_t *bpe_token(const bpe *b, uint16_t token, size_t *size)
{
    *size = b->start[token + 1] - b->start[token];
    return b->spelled + b->start[token];
}

typedef enum { END, SPACE, LETTER, DIGIT, SIGN } byte_class;

static byte_class class_of(uint8_t c)
{
    if (c == '\0') {
        return END;
    }
    if (isalpha(c) || c == '_' || c >= 0x80) {
        return LETTER;
    }
    return isdigit(c) ? DIGIT : isspace(c) ? SPACE : SIGN;
}

size_t bpe_word_size(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *stop = at + 1;
    byte_class class = class_of(*at);
    if (end - at > WORD_MAX_BYTES) {
        end = at + WORD_MAX_BYTES;
    }
    if (class == END) {
        return 1;
    }
    if (*at == ' ' && stop < end && class_of(*stop) > SPACE) {
        class = class_of(*stop++);
    }
    while (stop < end && class_of(*stop) == class) {
        stop++;
    }
    /* The last space of a run belongs to the word behind it. */
    if (class == SPACE && stop - at > 1 && stop < end && stop[-1] == ' ' &&
        class_of(*stop) > SPACE) {
        stop--;
    }
    return (size_t)(stop - at);
}

/* Turns a word into tokens: again and again the earliest merge that applies. */
static size_t word_encode(const bpe *b, const uint8_t *word, size_t size, uint16_t *tokens)
{
    size_t n = size;
    for (size_t i = 0; i < size; i++) {
        tokens[i] = word[i];
    }
    for (;;) {
        uint32_t first = UINT32_MAX;
        for (size_t i = 0; i + 1 < n; i++) {
            uint32_t merge = b->table[pair_slot(b, (bpe_pair){tokens[i], tokens[i + 1]})];
            first = merge != 0 && merge < first ? merge : first;
        }
        if (first == UINT32_MAX) {
            return n;
        }
        const bpe_pair m = b->merges[first - 1];
        size_t kept = 0;
        for (size_t i = 0; i < n; kept++) {
            bool is_pair = i + 1 < n && tokens[i] == m.left && tokens[i + 1] == m.right;
            tokens[kept] = is_pair ? (uint16_t)(BPE_BYTES + first - 1) : tokens[i];
            i += is_pair ? 2 : 1;
        }
        n = kept;
    }
}

bool bpe_encode(bpe *b, const uint8_t *text, size_t size, bytes *out, fault *error)
{
    const uint8_t *end = text + size;
    while (text < end) {
        uint16_t tokens[WORD_MAX_BYTES];
        const uint16_t *found = tokens;
        size_t length = bpe_word_size(text, end);
        size_t n;
        cached *slot = &b->cache[bytes_hash(text, length, 0) % CACHE_SLOTS];
        if (length <= CACHE_WORD_BYTES && slot->size == length &&
            memcmp(slot->word, text, length) == 0) {
            found = slot->tokens;
            n = slot->n_tokens;
        } else {
            n = word_encode(b, text, length, tokens);
            if (length <= CACHE_WORD_BYTES) {
                *slot = (cached){.size = (uint8_t)length, .n_tokens = (uint8_t)n};
                memcpy(slot->word, text, length);
                memcpy(slot->tokens, tokens, n * sizeof *tokens);
            }
        }
        if (!bytes_append(out, found, n * sizeof *found, error)) {
            return false;
        }
        text += length;
    }
    return true;
}

bool bpe_save(const bpe *b, const char *path, fault *error)
{
    json_t *merges = json_array();
    for (size_t i = 0; i < b->n_merges; i++) {
        (void)json_array_append_new(merges,
                                    json_pack("[i, i]", b->merges[i].left, b->merges[i].right));
    }
    json_t *root = json_pack("{s:s, s:I, s:o}", "format", FORMAT, "vocab_size",
                             (json_int_t)bpe_vocab(b), "merges", merges);
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    bool ok = text != NULL
                  ? bytes_write_file(path, text, strlen(text), error)
                  : fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for %s", path);
    free(text);
    return ok;
}

/* The merges of a parsed file; NULL when they are not pairs of numbers. */
static bpe_pair *merges_parse(const json_t *list, size_t n)
{
    bpe_pair *merges = calloc(n + 1, sizeof *merges);
    for (size_t i = 0; merges != NULL && i < n; i++) {
        const json_t *pair = json_array_get(list, i);
        json_int_t left = json_integer_value(json_array_get(pair, 0));
        json_int_t right = json_integer_value(json_array_get(pair, 1));
        if (left < 1 || right < 1 || left >= BPE_MAX_VOCAB || right >= BPE_MAX_VOCAB) {
            free(merges);
            return NULL;
        }
        merges[i] = (bpe_pair){(uint16_t)left, (uint16_t)right};
    }
    return merges;
}

bpe *bpe_load(const char *path, fault *error)
{
    bytes text = {0};
    fault cause;
    json_error_t wrong = {.line = 0};
    bpe *b = NULL;
    if (!bytes_read_file(&text, path, FILE_MAX_BYTES, &cause)) {
        bytes_release(&text);
        (void)fault_set(error, cause.exit_code, "tokenizer_unreadable", "%s", cause.text);
        return NULL;
    }
    json_t *root = json_loadb((const char *)text.data, text.size, 0, &wrong);
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *list = json_object_get(root, "merges");
    bpe_pair *merges = format != NULL && strcmp(format, FORMAT) == 0 && json_is_array(list)
                           ? merges_parse(list, json_array_size(list))
                           : NULL;
    if (merges == NULL) {
        (void)fault_set(error, FAULT_USER, "tokenizer_wrong", "%s:%d: %s", path, wrong.line,
                        root == NULL ? wrong.text : "not a tokenizer of format " FORMAT);
    } else {
        b = bpe_new(merges, json_array_size(list), error);
    }
    free(merges);
    json_decref(root);
    bytes_release(&text);
    return b;
}
