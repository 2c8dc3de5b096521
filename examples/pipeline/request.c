#include "request.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "stage.h"
#include "utf8.h"

static bool wish_wrong(fault *error, const char *what)
{
    return fault_set(error, FAULT_USER, "bad_request", "%s", what);
}

static bool numbers_take(request_wish *out, const json_t *root, const request_limits *limits,
                         fault *error)
{
    const json_t *max_tokens = json_object_get(root, "max_tokens");
    const json_t *temperature = json_object_get(root, "temperature");
    const json_t *seed = json_object_get(root, "seed");
    const json_t *stream = json_object_get(root, "stream");
    out->max_tokens = limits->max_tokens;
    out->temperature = limits->temperature;
    out->seed = limits->seed;
    if (max_tokens != NULL) {
        json_int_t value = json_integer_value(max_tokens);
        if (!json_is_integer(max_tokens) || value < 1 || value > limits->max_tokens) {
            return wish_wrong(error, "max_tokens: expected a whole number from 1 to the limit");
        }
        out->max_tokens = (int)value;
    }
    if (temperature != NULL) {
        out->temperature = json_number_value(temperature);
        if (!json_is_number(temperature) || !(out->temperature >= 0 && out->temperature <= 10)) {
            return wish_wrong(error, "temperature: expected a number from 0 to 10");
        }
    }
    if (seed != NULL) {
        if (!json_is_integer(seed) || json_integer_value(seed) < 0) {
            return wish_wrong(error, "seed: expected a whole number, 0 or more");
        }
        out->seed = (uint64_t)json_integer_value(seed);
    }
    if (stream != NULL && !json_is_boolean(stream)) {
        return wish_wrong(error, "stream: expected true or false");
    }
    out->is_stream = json_is_true(stream);
    return true;
}

bool request_parse(request_wish *out, const bytes *body, const request_limits *limits, fault *error)
{
    *out = (request_wish){0};
    json_t *root = json_loadb((const char *)body->data, body->size, JSON_ALLOW_NUL, NULL);
    const json_t *prompt = json_object_get(root, "prompt");
    bool ok = true;
    if (!json_is_object(root)) {
        ok = wish_wrong(error, "the body is no JSON object");
    } else if (!json_is_string(prompt)) {
        ok = wish_wrong(error, "prompt: expected a text");
    } else {
        ok = numbers_take(out, root, limits, error) &&
             bytes_append(&out->prompt, json_string_value(prompt), json_string_length(prompt),
                          error);
    }
    json_decref(root);
    return ok;
}

bool request_begin(request_text *t, const request_wish *wish, fault *error)
{
    bytes tokens = {0};
    (void)pthread_mutex_lock(t->tokenizer_lock);
    bool ok = bpe_encode(t->model->tokenizer, wish->prompt.data, wish->prompt.size, &tokens, error);
    (void)pthread_mutex_unlock(t->tokenizer_lock);
    if (ok) {
        t->n_prompt = (int)(tokens.size / 2);
        t->max_tokens = wish->max_tokens;
        t->temperature = wish->temperature;
        xoshiro_init(&t->rng, wish->seed);
        (void)generator_begin(t->generator, (const uint16_t *)(const void *)tokens.data,
                              tokens.size / 2);
    }
    bytes_release(&tokens);
    return ok;
}

bool request_next(request_text *t, bytes *out, fault *error)
{
    size_t size = 0;
    const uint16_t token = generator_next(t->generator, t->temperature, &t->rng);
    const uint8_t *spelled = bpe_token(t->model->tokenizer, token, &size);
    t->n_tokens++;
    t->finish = token == BPE_END_OF_TEXT        ? "end_of_text"
                : t->n_tokens >= t->max_tokens  ? "length"
                : stage_now_s() > t->deadline_s ? "deadline"
                                                : NULL;
    t->is_over = t->finish != NULL;
    return (token == BPE_END_OF_TEXT || bytes_append(&t->rest, spelled, size, error)) &&
           utf8_move(&t->rest, out, t->is_over, error);
}
