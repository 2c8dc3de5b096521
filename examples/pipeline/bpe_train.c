#include "bpe_train.h"

#include <stdlib.h>
#include <string.h>

#include "stage.h"

/* A different word: where its tokens are, how many are left of them, how often it stands in the
 * text. */
typedef struct {
    const uint8_t *spelled;
    uint32_t size;
    uint32_t n_tokens;
    size_t tokens; /* offset in trainer.tokens */
    uint64_t count;
} word;

/* A pair: how often it stands in the text, and the words that hold it or once did. */
typedef struct {
    uint32_t key; /* left << 16 | right; 0 is free, because token 0 is in no pair */
    uint32_t n_words;
    uint32_t capacity;
    bool is_touched;
    uint32_t *words;
    uint64_t count;
} pair;

typedef struct {
    uint64_t count;
    uint32_t key;
} candidate;

typedef struct {
    word *words;
    size_t n_words, words_capacity;
    size_t *word_table; /* number of the word + 1; 0 is free */
    size_t word_slots;
    uint16_t *tokens;
    pair *pairs;
    size_t pair_slots, n_pairs;
    candidate *heap;
    size_t n_heap, heap_capacity;
    uint32_t *touched;
    size_t n_touched, touched_capacity;
    bool out_of_memory;
} trainer;

/* Makes room for one more element; remembers the failure, so that inner loops stay short. */
static void *grown(trainer *t, void *array, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity) {
        return array;
    }
    size_t more = *capacity == 0 ? 1024 : 2 * *capacity;
    void *bigger = realloc(array, more * size);
    if (bigger == NULL) {
        t->out_of_memory = true;
        return array;
    }
    *capacity = more;
    return bigger;
}

static size_t word_slot(const trainer *t, const uint8_t *spelled, size_t size)
{
    size_t at = bytes_hash(spelled, size, 0) & (t->word_slots - 1);
    while (t->word_table[at] != 0) {
        const word *w = &t->words[t->word_table[at] - 1];
        if (w->size == size && memcmp(w->spelled, spelled, size) == 0) {
            break;
        }
        at = (at + 1) & (t->word_slots - 1);
    }
    return at;
}

static void word_table_grow(trainer *t)
{
    free(t->word_table);
    t->word_slots = t->word_slots == 0 ? 1 << 16 : 2 * t->word_slots;
    t->word_table = calloc(t->word_slots, sizeof *t->word_table);
    t->out_of_memory = t->out_of_memory || t->word_table == NULL;
    for (size_t i = 0; !t->out_of_memory && i < t->n_words; i++) {
        t->word_table[word_slot(t, t->words[i].spelled, t->words[i].size)] = i + 1;
    }
}

static void words_count(trainer *t, const bytes *text)
{
    const uint8_t *end = text->data + text->size;
    size_t size;
    for (const uint8_t *at = text->data; at < end && !t->out_of_memory; at += size) {
        size = bpe_word_size(at, end);
        if (2 * t->n_words >= t->word_slots) {
            word_table_grow(t);
        }
        t->words = grown(t, t->words, t->n_words, &t->words_capacity, sizeof *t->words);
        if (t->out_of_memory) {
            return;
        }
        size_t slot = word_slot(t, at, size);
        if (t->word_table[slot] == 0) {
            t->words[t->n_words] = (word){.spelled = at, .size = (uint32_t)size};
            t->word_table[slot] = ++t->n_words;
        }
        t->words[t->word_table[slot] - 1].count++;
    }
}

/* The pair of this key, which is made when it is new. NULL when memory is short. */
static pair *pair_of(trainer *t, uint32_t key);

static void pairs_grow(trainer *t)
{
    pair *old = t->pairs;
    size_t old_slots = t->pair_slots;
    t->pair_slots = old_slots == 0 ? 1 << 15 : 2 * old_slots;
    t->pairs = calloc(t->pair_slots, sizeof *t->pairs);
    if (t->pairs == NULL) {
        t->pairs = old;
        t->pair_slots = old_slots;
        t->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < old_slots; i++) {
        size_t at = bytes_mix(old[i].key) & (t->pair_slots - 1);
        while (old[i].key != 0 && t->pairs[at].key != 0) {
            at = (at + 1) & (t->pair_slots - 1);
        }
        if (old[i].key != 0) {
            t->pairs[at] = old[i];
        }
    }
    free(old);
}

static pair *pair_of(trainer *t, uint32_t key)
{
    if (2 * t->n_pairs >= t->pair_slots) {
        pairs_grow(t);
    }
    if (t->out_of_memory) {
        return NULL;
    }
    size_t at = bytes_mix(key) & (t->pair_slots - 1);
    while (t->pairs[at].key != 0 && t->pairs[at].key != key) {
        at = (at + 1) & (t->pair_slots - 1);
    }
    if (t->pairs[at].key == 0) {
        t->pairs[at].key = key;
        t->n_pairs++;
    }
    return &t->pairs[at];
}

/* A word was found to hold the pair; it is listed once, however often the pair is in it. */
static void pair_add_word(trainer *t, pair *p, uint32_t number)
{
    if (p->n_words > 0 && p->words[p->n_words - 1] == number) {
        return;
    }
    size_t capacity = p->capacity;
    p->words = grown(t, p->words, p->n_words, &capacity, sizeof *p->words);
    p->capacity = (uint32_t)capacity;
    if (!t->out_of_memory) {
        p->words[p->n_words++] = number;
    }
}

static bool is_before(candidate a, candidate b)
{
    return a.count != b.count ? a.count > b.count : a.key < b.key;
}

static void heap_push(trainer *t, candidate c)
{
    t->heap = grown(t, t->heap, t->n_heap, &t->heap_capacity, sizeof *t->heap);
    if (t->out_of_memory) {
        return;
    }
    size_t at = t->n_heap++;
    for (; at > 0 && is_before(c, t->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        t->heap[at] = t->heap[(at - 1) / 2];
    }
    t->heap[at] = c;
}

static candidate heap_pop(trainer *t)
{
    const candidate top = t->heap[0];
    const candidate last = t->heap[--t->n_heap];
    size_t at = 0;
    for (size_t child = 1; child < t->n_heap; child = 2 * at + 1) {
        child += child + 1 < t->n_heap && is_before(t->heap[child + 1], t->heap[child]);
        if (!is_before(t->heap[child], last)) {
            break;
        }
        t->heap[at] = t->heap[child];
        at = child;
    }
    t->heap[at] = last;
    return top;
}

/* Adds (sign 1) or takes away (sign -1) all pairs of a word; those with `made` get the word. */
static void word_count_pairs(trainer *t, uint32_t number, int sign, uint16_t made)
{
    const word *w = &t->words[number];
    const uint16_t *tokens = t->tokens + w->tokens;
    for (uint32_t i = 0; i + 1 < w->n_tokens; i++) {
        pair *p = pair_of(t, (uint32_t)tokens[i] << 16 | tokens[i + 1]);
        if (p == NULL) {
            return;
        }
        p->count = sign > 0 ? p->count + w->count : p->count - w->count;
        if (sign > 0 && (made == 0 || tokens[i] == made || tokens[i + 1] == made)) {
            pair_add_word(t, p, number);
        }
        t->touched = grown(t, t->touched, t->n_touched, &t->touched_capacity, sizeof *t->touched);
        if (!p->is_touched && !t->out_of_memory) {
            p->is_touched = true;
            t->touched[t->n_touched++] = p->key;
        }
    }
}

/* Puts the pairs whose count changed on the heap. Older entries of theirs are told by the count. */
static void touched_push(trainer *t)
{
    for (size_t i = 0; i < t->n_touched && !t->out_of_memory; i++) {
        pair *p = pair_of(t, t->touched[i]);
        if (p != NULL) {
            p->is_touched = false;
            heap_push(t, (candidate){p->count, p->key});
        }
    }
    t->n_touched = 0;
}

static bool words_spell(trainer *t)
{
    size_t total = 0;
    for (size_t i = 0; i < t->n_words; i++) {
        t->words[i].tokens = total;
        total += t->words[i].size;
    }
    t->tokens = malloc((total + 1) * sizeof *t->tokens);
    if (t->tokens == NULL) {
        t->out_of_memory = true;
        return false;
    }
    for (size_t i = 0; i < t->n_words; i++) {
        word *w = &t->words[i];
        w->n_tokens = w->size;
        for (uint32_t j = 0; j < w->size; j++) {
            t->tokens[w->tokens + j] = w->spelled[j];
        }
        word_count_pairs(t, (uint32_t)i, 1, 0);
    }
    touched_push(t);
    return !t->out_of_memory;
}

static void word_merge(trainer *t, uint32_t number, uint32_t key, uint16_t made)
{
    word *w = &t->words[number];
    uint16_t *tokens = t->tokens + w->tokens;
    bool holds = false;
    for (uint32_t i = 0; i + 1 < w->n_tokens; i++) {
        holds = holds || ((uint32_t)tokens[i] << 16 | tokens[i + 1]) == key;
    }
    if (!holds) {
        return;
    }
    word_count_pairs(t, number, -1, made);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->n_tokens; kept++) {
        bool is_pair = i + 1 < w->n_tokens && ((uint32_t)tokens[i] << 16 | tokens[i + 1]) == key;
        tokens[kept] = is_pair ? made : tokens[i];
        i += is_pair ? 2 : 1;
    }
    w->n_tokens = kept;
    word_count_pairs(t, number, 1, made);
}

static void pair_merge(trainer *t, uint32_t key, uint16_t made)
{
    pair *p = pair_of(t, key);
    if (p == NULL) {
        return;
    }
    /* The list is taken out first: counting may move the pairs. */
    uint32_t *words = p->words;
    const uint32_t n_words = p->n_words;
    p->words = NULL;
    p->n_words = p->capacity = 0;
    for (uint32_t i = 0; i < n_words && !t->out_of_memory; i++) {
        word_merge(t, words[i], key, made);
    }
    free(words);
    touched_push(t);
}

static size_t merges_find(trainer *t, const bpe_train_plan *plan, bpe_pair *merges, fault *error)
{
    size_t n = 0;
    while (BPE_BYTES + n < plan->vocab && t->n_heap > 0 && !t->out_of_memory) {
        const candidate best = heap_pop(t);
        const pair *p = pair_of(t, best.key);
        if (p == NULL || p->count != best.count) {
            continue; /* an older entry; the newer one is on the heap as well */
        }
        if (best.count < plan->min_pairs || !stage_goes_on(error)) {
            break;
        }
        merges[n] = (bpe_pair){(uint16_t)(best.key >> 16), (uint16_t)best.key};
        pair_merge(t, best.key, (uint16_t)(BPE_BYTES + n));
        n++;
    }
    return n;
}

static void trainer_release(trainer *t)
{
    for (size_t i = 0; i < t->pair_slots; i++) {
        free(t->pairs[i].words);
    }
    free(t->pairs);
    free(t->words);
    free(t->word_table);
    free(t->tokens);
    free(t->heap);
    free(t->touched);
}

bpe *bpe_train(const bytes *text, const bpe_train_plan *plan, bpe_train_report *report,
               fault *error)
{
    trainer t = {0};
    bpe *b = NULL;
    bpe_pair *merges = calloc(plan->vocab, sizeof *merges);
    error->exit_code = 0;
    words_count(&t, text);
    if (merges != NULL && !t.out_of_memory && words_spell(&t)) {
        report->n_words = t.n_words;
        report->n_merges = merges_find(&t, plan, merges, error);
    }
    if (merges == NULL || t.out_of_memory) {
        (void)fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory to train on %zu bytes",
                        text->size);
    } else if (error->exit_code == 0) {
        b = bpe_new(merges, report->n_merges, error);
    }
    free(merges);
    trainer_release(&t);
    return b;
}
