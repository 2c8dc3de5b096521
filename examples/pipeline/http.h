/* The server's side of HTTP: answers requests, counts them, and tells of each one when it is over.
 *
 *     GET  /health      {"status":"ok", ...}
 *     POST /generate    {"text":..., "tokens_generated":..., "finish":...}, or, with "stream":
 * true, one such object a line as the text is made
 *
 * A prompt is given to nobody but the model. What happened to a request is told in numbers.
 */
#ifndef PIPELINE_HTTP_H
#define PIPELINE_HTTP_H

#include <m31r/m31r.h>

#include "request.h"

typedef struct {
    int port;
    int connections;
    int slots;
    int queue;
    int queue_seconds;
    int request_seconds;
    int idle_seconds;
    int max_request_bytes;
    request_limits limits;
} http_settings;

typedef struct http http;

/* Listens on 127.0.0.1; `l` and `run` must outlive it. Returns NULL on failure.
 * Errors: FAULT_RUNTIME "not_listening", "out_of_memory". */
http *http_start(const http_settings *settings, lm *l, m31r_run *run, fault *error);

int http_port(const http *h);

/* Records the requests that are over, waiting up to `wait_s` for the first one. For one thread:
 * their order in the log is the order in which they ended. Returns how many have been recorded so
 * far. */
uint64_t http_record(http *h, double wait_s);

/* Takes no further connection, lets requests come to their end for up to `grace_s`, records them
 * and stops. */
void http_stop(http *h, double grace_s);

#endif
