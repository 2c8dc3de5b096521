/* serve: the last stage of the pipeline, a trained model behind HTTP on 127.0.0.1.
 *
 * It serves until SIGTERM or SIGINT, or so many requests as it was told, which is its good end: no
 * further connection is taken, requests come to their end, the counts are recorded. What a request
 * asked and got is in no file.
 */
#include <stdio.h>
#include <string.h>

#include "../train/config_table.h"
#include "http.h"
#include "stage.h"

static const char USAGE[] =
    "usage: serve --config FILE --checkpoint FILE --tokenizer FILE [--sha256 HEX]\n"
    "             [--port-file FILE] [--requests N]\n"
    "  --config FILE       settings; see examples/pipeline/serve.yaml\n"
    "  --checkpoint FILE   what the train stage made\n"
    "  --tokenizer FILE    what the tokenizer stage made\n"
    "  --sha256 HEX        the digest that the checkpoint must have\n"
    "  --port-file FILE    write the port there when requests can come\n"
    "  --requests N        stop after so many\n";

enum { CONFIG, CHECKPOINT, TOKENIZER, SHA256, PORT_FILE, REQUESTS, N_OPTIONS };

static const stage_option OPTIONS[N_OPTIONS] = {
    [CONFIG] = {"config", true},        [CHECKPOINT] = {"checkpoint", true},
    [TOKENIZER] = {"tokenizer", true},  [SHA256] = {"sha256", false},
    [PORT_FILE] = {"port-file", false}, [REQUESTS] = {"requests", false},
};

typedef struct {
    int config_version;
    http_settings http;
} serve_settings;

#define AT(field) offsetof(serve_settings, field)

static const config_key KEYS[] = {
    {"config_version", CONFIG_WHOLE, AT(config_version), 1, 1},
    {"seed", CONFIG_SEED, AT(http.limits.seed), 0, 0},
    {"port", CONFIG_WHOLE, AT(http.port), 0, 65535},
    {"connections", CONFIG_WHOLE, AT(http.connections), 1, 10000},
    {"slots", CONFIG_WHOLE, AT(http.slots), 1, 256},
    {"queue", CONFIG_WHOLE, AT(http.queue), 0, 10000},
    {"queue_seconds", CONFIG_WHOLE, AT(http.queue_seconds), 0, 3600},
    {"request_seconds", CONFIG_WHOLE, AT(http.request_seconds), 1, 3600},
    {"idle_seconds", CONFIG_WHOLE, AT(http.idle_seconds), 1, 3600},
    {"max_request_bytes", CONFIG_WHOLE, AT(http.max_request_bytes), 64, 1 << 30},
    {"max_tokens", CONFIG_WHOLE, AT(http.limits.max_tokens), 1, 1 << 20},
    {"temperature", CONFIG_DECIMAL, AT(http.limits.temperature), 0, 10},
};

static bool port_tell(const http *h, const char *path, fault *error)
{
    char text[16];
    const int length = snprintf(text, sizeof text, "%d\n", http_port(h));
    return path == NULL || bytes_write_file(path, text, (size_t)length, error);
}

static bool serve(const serve_settings *s, const char **values, m31r_run *run, fault *error)
{
    m31r_log *log = m31r_run_logger(run, "server");
    uint64_t n_requests = UINT64_MAX;
    lm l;
    if (values[REQUESTS] != NULL && !config_parse_seed(values[REQUESTS], &n_requests)) {
        return fault_set(error, FAULT_USER, "usage", "--requests '%s', expected a whole number",
                         values[REQUESTS]);
    }
    (void)m31r_input_add(run, values[CHECKPOINT]);
    (void)m31r_input_add(run, values[TOKENIZER]);
    if (!lm_load(&l, values[CHECKPOINT], values[TOKENIZER], values[SHA256], error)) {
        return false;
    }
    m31r_info(log, "model_loaded", "step", l.step, "parameters", l.plan.n_parameters,
              "checkpoint_sha256", (const char *)l.checkpoint_sha256);
    http *h = http_start(&s->http, &l, run, error);
    bool ok = h != NULL && port_tell(h, values[PORT_FILE], error);
    if (ok) {
        /* Not the port: one that the system picks is another one in every run. */
        m31r_info(log, "serving", "host", "127.0.0.1", "slots", s->http.slots, "queue",
                  s->http.queue);
    }
    while (ok && *stage_stop() == 0 && http_record(h, 0.05) < n_requests) {
    }
    if (h != NULL) {
        http_stop(h, s->http.request_seconds);
        m31r_serve_summary(run);
    }
    lm_release(&l);
    return ok;
}

int main(int argc, char **argv)
{
    const char *values[N_OPTIONS];
    serve_settings settings = {0};
    fault error = {0};
    (void)argc;
    if (!stage_options_read(OPTIONS, N_OPTIONS, argv, values, &error)) {
        (void)fprintf(stderr, "serve: %s\n%s", error.text, USAGE);
        return error.exit_code;
    }
    stage_signals_catch();
    if (!config_read(values[CONFIG], KEYS, sizeof KEYS / sizeof *KEYS, &settings, &error)) {
        return stage_end(NULL, "serve", &error);
    }
    m31r_run *run = stage_open(&(stage_identity){.stage = "serve",
                                                 .config = values[CONFIG],
                                                 .dataset = "none",
                                                 .tokenizer = values[TOKENIZER],
                                                 .seed = settings.http.limits.seed,
                                                 .argv = argv},
                               &error);
    if (run == NULL) {
        return stage_end(NULL, "serve", &error);
    }
    bool ok = serve(&settings, values, run, &error);
    return stage_end(run, "serve", ok ? NULL : &error);
}
