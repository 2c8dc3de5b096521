/* One request to generate: what it asks for, and the text that is made for it.
 *
 *     {"prompt": "fn main() {", "max_tokens": 64, "temperature": 0.8, "seed": 7, "stream": true}
 *
 * All but the prompt may be left out.
 */
#ifndef PIPELINE_REQUEST_H
#define PIPELINE_REQUEST_H

#include <pthread.h>

#include "lm.h"
#include "slots.h"

typedef struct {
    int max_tokens; /* also what a request gets that does not say */
    double temperature;
    uint64_t seed;
} request_limits;

typedef struct {
    bytes prompt;
    int max_tokens;
    double temperature;
    uint64_t seed;
    bool is_stream;
} request_wish;

/* Reads a body. Errors: FAULT_USER, with a text that names what is wrong and quotes nothing. */
bool request_parse(request_wish *out, const bytes *body, const request_limits *limits,
                   fault *error);

/* A text in the making. */
typedef struct {
    lm *model;
    pthread_mutex_t *tokenizer_lock;
    generator *generator;
    xoshiro rng;
    double temperature;
    int max_tokens;
    double deadline_s;
    int n_prompt; /* tokens */
    int n_tokens; /* that were made */
    bool is_over;
    const char *finish; /* "length", "end_of_text" or "deadline" once it is over */
    bytes rest;         /* a character that is not whole yet */
} request_text;

/* Reads the prompt. Errors: FAULT_RUNTIME. */
bool request_begin(request_text *t, const request_wish *wish, fault *error);

/* Makes one token and appends what is whole to `out`; sets `is_over` behind the last one.
 * Errors: FAULT_RUNTIME. */
bool request_next(request_text *t, bytes *out, fault *error);

#endif
