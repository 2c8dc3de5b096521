/* stage_state.c - what a process counts for the stages: the object, made at the first typed call,
 * and words with their counts. */
#include "emit/stage_state.h"

#include <string.h>

#include "base/alloc.h"

static struct m31ri_stage_state *new_state(const m31r_run *run)
{
    struct m31ri_stage_state *s = m31ri_calloc(1, sizeof *s);
    if (s != NULL) {
        pthread_mutex_init(&s->lock, NULL);
        s->fork_generation = run->fork_generation;
        s->latency = m31r_quantiles_new();
        s->first_token = m31r_quantiles_new();
    }
    return s;
}

void m31ri_stage_state_free(struct m31ri_stage_state *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < M31RI_STAGE_CALLS * M31RI_STAGE_SITES; i++) {
        m31ri_free(s->sites[i / M31RI_STAGE_SITES][i % M31RI_STAGE_SITES]);
    }
    m31ri_words_release(&s->data.reasons);
    m31ri_words_release(&s->eval.categories);
    m31ri_free(s->eval.tasks);
    m31r_quantiles_free(s->latency);
    m31r_quantiles_free(s->first_token);
    pthread_mutex_destroy(&s->lock);
    m31ri_free(s);
}

struct m31ri_stage_state *m31ri_stage_state_of(m31r_run *run)
{
    pthread_mutex_lock(&run->lock);
    struct m31ri_stage_state *s = run->stages;
    if (s == NULL || s->fork_generation != run->fork_generation) {
        s = new_state(run);
        if (s != NULL) {
            s->parents = run->stages; /* its lock may be held by a thread that is not here */
            run->stages = s;
        }
    }
    pthread_mutex_unlock(&run->lock);
    return s;
}

size_t m31ri_words_count(m31ri_words *words, const char *word, uint64_t n)
{
    for (size_t i = 0; i < words->n; i++) {
        if (strcmp(words->items[i].word, word) == 0) {
            words->items[i].n += n;
            return i;
        }
    }
    if (words->n == words->capacity) {
        size_t capacity = words->capacity == 0 ? 16 : words->capacity * 2;
        m31ri_word_count *items = NULL;
        if (capacity <= M31RI_STAGE_WORDS) {
            items = m31ri_realloc(words->items, capacity * sizeof *items);
        }
        if (items == NULL) {
            return SIZE_MAX;
        }
        words->items = items;
        words->capacity = capacity;
    }
    char *copy = m31ri_strdup(word);
    if (copy == NULL) {
        return SIZE_MAX;
    }
    words->items[words->n] = (m31ri_word_count){copy, n};
    return words->n++;
}

void m31ri_words_release(m31ri_words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        m31ri_free(words->items[i].word);
    }
    m31ri_free(words->items);
    *words = (m31ri_words){0};
}
