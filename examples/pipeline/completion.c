#include "completion.h"

bool completion_make(lm *l, generator *g, const task *t, const completion_plan *plan, bytes *out,
                     int *n_tokens, fault *error)
{
    bytes prompt = {0};
    xoshiro rng;
    size_t end = 0;
    out->size = 0;
    *n_tokens = 0;
    if (!bpe_encode(l->tokenizer, t->prompt.data, t->prompt.size, &prompt, error)) {
        bytes_release(&prompt);
        return false;
    }
    (void)generator_begin(g, (const uint16_t *)(const void *)prompt.data, prompt.size / 2);
    bytes_release(&prompt);
    xoshiro_init(&rng, plan->seed);
    while (*n_tokens < plan->max_tokens) {
        const uint16_t token = generator_next(g, plan->temperature, &rng);
        size_t size;
        const uint8_t *spelled = bpe_token(l->tokenizer, token, &size);
        ++*n_tokens;
        if (token == BPE_END_OF_TEXT) {
            break;
        }
        if (!bytes_append(out, spelled, size, error)) {
            return false;
        }
        if (task_has_ended(t, out->data, out->size, &end)) {
            out->size = end;
            break;
        }
    }
    return true;
}
