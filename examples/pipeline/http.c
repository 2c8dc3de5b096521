/* A thread a connection: a handler may wait for a slot or for a slow client without holding up
 * others. A request that is over is handed to the one thread that records. */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "stage.h"

enum { CLIENT_CLOSED = 499, CHUNK_BYTES = 4096, MAX_OVER = 256 };

typedef struct exchange exchange;

struct http {
    const http_settings *settings;
    lm *model;
    m31r_run *run;
    m31r_log *log;
    struct MHD_Daemon *daemon;
    slots *slots;
    pthread_mutex_t tokenizer_lock;
    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t is_over;
    pthread_cond_t has_room;
    exchange *first_over; /* requests that are over, oldest first; at most MAX_OVER */
    exchange *last_over;
    int n_over;
    uint64_t n_recorded;
    int n_active; /* requests that have begun and are not recorded */
};

/* One request from its first header to its record. */
struct exchange {
    exchange *next; /* that was over later */
    http *server;
    double began_s;
    double first_token_s; /* 0: no token was made */
    int status;           /* 0: there is no answer yet */
    int queue_depth;
    const char *error; /* NULL: nothing went wrong */
    bool has_prompt;
    bool has_answer; /* an answer is under way: further calls only wait for it */
    bytes body;
    request_text text;
    bytes line; /* of a stream: what is not sent yet */
    size_t line_sent;
    bytes prompt;
    double latency_s;
};

/* ---- answers ----------------------------------------------------------------------------------
 */

static enum MHD_Result answer_text(exchange *x, struct MHD_Connection *connection, int status,
                                   char *json)
{
    struct MHD_Response *response =
        json == NULL ? NULL
                     : MHD_create_response_from_buffer(strlen(json), json, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(json);
        x->error = "out_of_memory";
        return MHD_NO; /* closes the connection */
    }
    x->status = status;
    x->has_answer = true;
    (void)MHD_add_response_header(response, "Content-Type", "application/json");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE) {
        (void)MHD_add_response_header(response, "Retry-After", "1");
    }
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_json(exchange *x, struct MHD_Connection *connection, int status,
                                   json_t *object)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return answer_text(x, connection, status, text);
}

static enum MHD_Result answer_error(exchange *x, struct MHD_Connection *connection, int status,
                                    const char *reason, const char *text)
{
    x->error = reason;
    return answer_json(x, connection, status,
                       json_pack("{s:s, s:s}", "error", reason, "detail", text));
}

static enum MHD_Result answer_health(exchange *x, struct MHD_Connection *connection)
{
    const lm *l = x->server->model;
    return answer_json(x, connection, MHD_HTTP_OK,
                       json_pack("{s:s, s:s, s:I, s:s}", "status", "ok", "run_id",
                                 m31r_run_id(x->server->run), "step", (json_int_t)l->step,
                                 "checkpoint_sha256", l->checkpoint_sha256));
}

static json_t *progress_object(const exchange *x, const bytes *text)
{
    json_t *object =
        json_pack("{s:s%}", "text", text->size > 0 ? (char *)text->data : "", text->size);
    if (object != NULL && x->text.is_over) {
        (void)json_object_set_new(object, "tokens_generated", json_integer(x->text.n_tokens));
        (void)json_object_set_new(object, "tokens_prompt", json_integer(x->text.n_prompt));
        (void)json_object_set_new(object, "finish", json_string(x->text.finish));
    }
    return object;
}

static bool token_make(exchange *x, bytes *out)
{
    fault error;
    bool ok = request_next(&x->text, out, &error);
    if (x->first_token_s <= 0) {
        x->first_token_s = stage_now_s();
    }
    if (x->text.is_over && strcmp(x->text.finish, "deadline") == 0) {
        x->error = "timeout";
    }
    if (!ok) {
        x->error = error.reason;
    }
    return ok;
}

static enum MHD_Result answer_whole(exchange *x, struct MHD_Connection *connection)
{
    bytes text = {0};
    bool ok = true;
    while (ok && !x->text.is_over) {
        ok = token_make(x, &text);
    }
    json_t *object = ok ? progress_object(x, &text) : NULL;
    bytes_release(&text);
    return answer_json(x, connection, MHD_HTTP_OK, object);
}

/* Makes the next line of a stream. */
static bool line_make(exchange *x)
{
    bytes text = {0};
    fault error;
    bool ok = token_make(x, &text);
    json_t *object = ok ? progress_object(x, &text) : NULL;
    char *line = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    bytes_release(&text);
    x->line.size = x->line_sent = 0;
    ok = line != NULL && bytes_append(&x->line, line, strlen(line), &error) &&
         bytes_append(&x->line, "\n", 1, &error);
    free(line);
    return ok;
}

/* Called when the client can take more of a stream. */
static ssize_t stream_read(void *argument, uint64_t position, char *out, size_t size)
{
    exchange *x = argument;
    (void)position;
    if (x->line_sent == x->line.size) {
        if (x->text.is_over) {
            return MHD_CONTENT_READER_END_OF_STREAM;
        }
        if (!line_make(x)) {
            return MHD_CONTENT_READER_END_WITH_ERROR;
        }
    }
    const size_t rest = x->line.size - x->line_sent;
    const size_t n = rest < size ? rest : size;
    memcpy(out, x->line.data + x->line_sent, n);
    x->line_sent += n;
    return (ssize_t)n;
}

static enum MHD_Result answer_stream(exchange *x, struct MHD_Connection *connection)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, CHUNK_BYTES, stream_read, x, NULL);
    if (response == NULL) {
        x->error = "out_of_memory";
        return MHD_NO;
    }
    x->status = MHD_HTTP_OK;
    x->has_answer = true;
    (void)MHD_add_response_header(response, "Content-Type", "application/x-ndjson");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_generate(exchange *x, struct MHD_Connection *connection)
{
    http *h = x->server;
    request_wish wish;
    fault error;
    bool ok = request_parse(&wish, &x->body, &h->settings->limits, &error);
    x->prompt = wish.prompt;
    if (!ok) {
        return answer_error(x, connection, MHD_HTTP_BAD_REQUEST, "bad_request", error.text);
    }
    slots_answer answer =
        slots_take(h->slots, h->settings->queue_seconds, &x->text.generator, &x->queue_depth);
    if (answer != SLOTS_TAKEN) {
        return answer_error(x, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                            answer == SLOTS_QUEUE_FULL ? "queue_full" : "queue_timeout",
                            "all slots are taken; try again");
    }
    x->text.model = h->model;
    x->text.tokenizer_lock = &h->tokenizer_lock;
    x->text.deadline_s = stage_now_s() + h->settings->request_seconds;
    if (!request_begin(&x->text, &wish, &error)) {
        return answer_error(x, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, error.reason,
                            "the prompt could not be read");
    }
    x->has_prompt = true;
    return wish.is_stream ? answer_stream(x, connection) : answer_whole(x, connection);
}

/* ---- the calls of the server ------------------------------------------------------------------
 */

static bool is_declared_too_large(const http *h, struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    return length != NULL &&
           strtoull(length, NULL, 10) > (unsigned long long)h->settings->max_request_bytes;
}

static enum MHD_Result exchange_begin(http *h, struct MHD_Connection *connection, void **memory)
{
    exchange *x = calloc(1, sizeof *x);
    if (x == NULL) {
        return MHD_NO;
    }
    x->server = h;
    x->began_s = stage_now_s();
    *memory = x;
    (void)pthread_mutex_lock(&h->lock);
    h->n_active++;
    (void)pthread_mutex_unlock(&h->lock);
    if (is_declared_too_large(h, connection)) {
        return answer_error(x, connection, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
                            "the body is larger than max_request_bytes");
    }
    return MHD_YES;
}

static enum MHD_Result body_take(exchange *x, const char *data, size_t *size)
{
    const size_t limit = (size_t)x->server->settings->max_request_bytes;
    fault error;
    if (x->body.size + *size > limit) {
        x->body.size = limit + 1; /* the rest is read and thrown away */
        x->error = "too_large";
    } else if (x->error == NULL && !bytes_append(&x->body, data, *size, &error)) {
        x->error = error.reason;
        return MHD_NO;
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result on_request(void *argument, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *data, size_t *size, void **memory)
{
    exchange *x = *memory;
    (void)version;
    if (x == NULL) {
        return exchange_begin(argument, connection, memory);
    }
    if (x->has_answer) {
        *size = 0;
        return MHD_YES;
    }
    if (*size > 0) {
        return body_take(x, data, size);
    }
    if (x->error != NULL) {
        return answer_error(x, connection, MHD_HTTP_CONTENT_TOO_LARGE, "too_large",
                            "the body is larger than max_request_bytes");
    }
    if (strcmp(url, "/health") == 0) {
        return strcmp(method, "GET") == 0
                   ? answer_health(x, connection)
                   : answer_error(x, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "method", "use GET");
    }
    if (strcmp(url, "/generate") == 0) {
        return strcmp(method, "POST") == 0
                   ? answer_generate(x, connection)
                   : answer_error(x, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "method", "use POST");
    }
    return answer_error(x, connection, MHD_HTTP_NOT_FOUND, "not_found",
                        "there are /health and /generate");
}

static void on_completed(void *argument, struct MHD_Connection *connection, void **memory,
                         enum MHD_RequestTerminationCode how)
{
    http *h = argument;
    exchange *x = *memory;
    (void)connection;
    if (x == NULL) {
        return;
    }
    x->latency_s = stage_now_s() - x->began_s;
    if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK && x->error == NULL) {
        x->error = how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED ? "idle" : "disconnected";
    }
    if (x->status == 0) {
        x->status = CLIENT_CLOSED;
    }
    if (x->text.generator != NULL) {
        slots_give(h->slots, x->text.generator);
    }
    *memory = NULL;
    (void)pthread_mutex_lock(&h->lock);
    /* A log that is slower than the clients holds them up, and does not fill the memory. */
    while (h->n_over >= MAX_OVER) {
        (void)pthread_cond_wait(&h->has_room, &h->lock);
    }
    h->n_over++;
    *(h->first_over == NULL ? &h->first_over : &h->last_over->next) = x;
    h->last_over = x;
    (void)pthread_cond_signal(&h->is_over);
    (void)pthread_mutex_unlock(&h->lock);
}

/* ---- the record -------------------------------------------------------------------------------
 */

static void exchange_record(const exchange *x)
{
    m31r_serve_request_fields fields;
    M31R_FIELDS_UNSET(fields);
    fields.status = x->status;
    fields.latency_ms = 1000 * x->latency_s;
    fields.tokens_generated = x->text.n_tokens;
    fields.queue_depth = x->queue_depth;
    if (x->has_prompt) {
        fields.tokens_prompt = x->text.n_prompt;
    }
    if (x->first_token_s > 0) {
        fields.first_token_ms = 1000 * (x->first_token_s - x->began_s);
    }
    if (x->error != NULL) {
        fields.error = x->error;
    }
    if (x->prompt.size > 0) {
        /* Redacted by the library unless `observability: log_prompts` says otherwise. */
        m31r_debug(x->server->log, "prompt_received", "prompt",
                   m31r_text((const char *)x->prompt.data, x->prompt.size));
    }
    m31r_stage_emit(x->server->run, M31R_CALL_SERVE_REQUEST, &fields, sizeof fields);
}

static void exchange_free(exchange *x)
{
    bytes_release(&x->body);
    bytes_release(&x->line);
    bytes_release(&x->prompt);
    bytes_release(&x->text.rest);
    free(x);
}

uint64_t http_record(http *h, double wait_s)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    const double nanoseconds = (double)until.tv_nsec + 1e9 * wait_s;
    until.tv_sec += (time_t)(nanoseconds / 1e9);
    until.tv_nsec = (long)nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&h->lock);
    while (h->first_over == NULL && pthread_cond_timedwait(&h->is_over, &h->lock, &until) == 0) {
    }
    exchange *x = h->first_over;
    h->first_over = NULL;
    h->n_over = 0;
    (void)pthread_cond_broadcast(&h->has_room);
    (void)pthread_mutex_unlock(&h->lock);
    while (x != NULL) {
        exchange *next = x->next;
        exchange_record(x);
        exchange_free(x);
        (void)pthread_mutex_lock(&h->lock);
        h->n_recorded++;
        h->n_active--;
        (void)pthread_mutex_unlock(&h->lock);
        x = next;
    }
    return h->n_recorded; /* written by this thread only */
}

/* ---- start and stop ---------------------------------------------------------------------------
 */

static void http_free(http *h)
{
    slots_free(h->slots);
    (void)pthread_cond_destroy(&h->is_over);
    (void)pthread_cond_destroy(&h->has_room);
    (void)pthread_mutex_destroy(&h->lock);
    (void)pthread_mutex_destroy(&h->tokenizer_lock);
    free(h);
}

http *http_start(const http_settings *settings, lm *l, m31r_run *run, fault *error)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)settings->port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    http *h = calloc(1, sizeof *h);
    if (h == NULL) {
        (void)fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for a server");
        return NULL;
    }
    *h = (http){.settings = settings,
                .model = l,
                .run = run,
                .log = m31r_run_logger(run, "server"),
                .slots = slots_new(&l->plan, l->parameters, settings->slots, settings->queue)};
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&h->is_over, &monotonic);
    (void)pthread_cond_init(&h->has_room, NULL);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&h->lock, NULL);
    (void)pthread_mutex_init(&h->tokenizer_lock, NULL);
    if (h->slots != NULL) {
        h->daemon = MHD_start_daemon(
            MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL,
            NULL, on_request, h, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED,
            on_completed, h, MHD_OPTION_CONNECTION_LIMIT, (unsigned)settings->connections,
            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)settings->idle_seconds,
            MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
    }
    if (h->daemon == NULL) {
        (void)fault_set(error, FAULT_RUNTIME, h->slots == NULL ? "out_of_memory" : "not_listening",
                        "127.0.0.1:%d: %s", settings->port, strerror(errno));
        http_free(h);
        return NULL;
    }
    return h;
}

int http_port(const http *h)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info != NULL ? info->port : 0;
}

static bool is_idle(http *h)
{
    (void)pthread_mutex_lock(&h->lock);
    const bool is_idle = h->n_active == 0;
    (void)pthread_mutex_unlock(&h->lock);
    return is_idle;
}

void http_stop(http *h, double grace_s)
{
    const double until_s = stage_now_s() + grace_s;
    const MHD_socket listener = MHD_quiesce_daemon(h->daemon);
    while (!is_idle(h) && stage_now_s() < until_s) {
        (void)http_record(h, 0.05);
    }
    MHD_stop_daemon(h->daemon);
    (void)http_record(h, 0);
    if (listener != MHD_INVALID_SOCKET) {
        (void)close(listener);
    }
    http_free(h);
}
