/* tokenizer: the second stage of the pipeline, from shards to a tokenizer.
 *
 * Trained is on the training shards; what is measured is measured on the held-out ones, which the
 * tokenizer has not seen. Every text of all shards is encoded and decoded again and must come back
 * byte for byte, or the stage fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_train.h"
#include "../train/config_table.h"
#include "shards.h"
#include "stage.h"

static const char USAGE[] =
    "usage: tokenizer --config FILE --shards DIR [--out DIR]\n"
    "  --config FILE   settings; see examples/pipeline/tokenizer.yaml\n"
    "  --shards DIR    what the data stage made\n"
    "  --out DIR       where tokenizer.json goes (default: tokenizer/ of the run)\n";

enum { CONFIG, SHARDS, OUT, N_OPTIONS };

static const stage_option OPTIONS[N_OPTIONS] = {
    [CONFIG] = {"config", true}, [SHARDS] = {"shards", true}, [OUT] = {"out", false}};

typedef struct {
    int config_version;
    uint64_t seed;
    int vocab_size;
    int min_pairs;
} tokenizer_settings;

#define AT(field) offsetof(tokenizer_settings, field)

static const config_key KEYS[] = {
    {"config_version", CONFIG_WHOLE, AT(config_version), 1, 1},
    {"seed", CONFIG_SEED, AT(seed), 0, 0},
    {"vocab_size", CONFIG_WHOLE, AT(vocab_size), BPE_BYTES, BPE_MAX_VOCAB},
    {"min_pairs", CONFIG_WHOLE, AT(min_pairs), 1, 1 << 30},
};

static bool decodes_to(const bpe *b, const bytes *tokens, const bytes *text)
{
    size_t at = 0;
    for (size_t i = 0; i < tokens->size; i += 2) {
        uint16_t token;
        size_t size;
        memcpy(&token, tokens->data + i, sizeof token);
        const uint8_t *spelled = bpe_token(b, token, &size);
        if (size > text->size - at || memcmp(text->data + at, spelled, size) != 0) {
            return false;
        }
        at += size;
    }
    return at == text->size;
}

static uint64_t lines_of(const uint8_t *at, size_t size)
{
    uint64_t n = 0;
    for (size_t i = 0; i < size; i++) {
        n += at[i] == '\n';
    }
    return n;
}

/* Encodes a text word by word, and all of it once more to see that it comes back. */
static bool measure(bpe *b, const bytes *text, m31r_token_counts *out, fault *error)
{
    bytes tokens = {0};
    bool ok = bpe_encode(b, text->data, text->size, &tokens, error);
    if (ok && !decodes_to(b, &tokens, text)) {
        ok = fault_set(error, FAULT_RUNTIME, "round_trip",
                       "a text of %zu bytes does not come back as it was", text->size);
    }
    *out = (m31r_token_counts){0};
    const uint8_t *end = text->data + text->size;
    size_t size;
    for (const uint8_t *at = text->data; ok && at < end; at += size) {
        size = bpe_word_size(at, end);
        tokens.size = 0;
        ok = bpe_encode(b, at, size, &tokens, error);
        /* Every byte is a token of its own at least, so that all bytes are known. */
        m31r_token_counts_add(out, size, tokens.size / 2, size);
        out->lines += lines_of(at, size);
    }
    bytes_release(&tokens);
    return ok;
}

static void results_record(m31r_run *run, const bpe *b, const m31r_token_counts *counts,
                           size_t n_merges, double duration_s)
{
    const m31r_token_measures m = m31r_token_counts_measure(counts);
    m31r_tokenizer_summary(
        run, .vocab_size = bpe_vocab(b), .coverage = m.coverage, .fragmentation = m.fragmentation,
        .split_words = m.split_words, .tokens_per_line = m.tokens_per_line,
        .bytes_per_token = m.bytes_per_token, .merges = n_merges, .duration_s = duration_s);
}

/* Trains, checks and measures. */
static bpe *tokenizer_make(const tokenizer_settings *s, const shards *texts, m31r_run *run,
                           fault *error)
{
    m31r_log *log = m31r_run_logger(run, "tokenizer");
    const bpe_train_plan plan = {(size_t)s->vocab_size, (size_t)s->min_pairs};
    bpe_train_report report = {0};
    m31r_token_counts all;
    m31r_token_counts held_out;
    const double began_s = stage_now_s();
    bpe *b = bpe_train(&texts->part[SHARDS_TRAINING], &plan, &report, error);
    if (b == NULL) {
        return NULL;
    }
    const double duration_s = stage_now_s() - began_s;
    m31r_info(log, "training_complete", "words", report.n_words, "merges", report.n_merges, "bytes",
              texts->part[SHARDS_TRAINING].size, "duration_s", duration_s);
    if (bpe_vocab(b) < (size_t)s->vocab_size) {
        m31r_warning(log, "vocab_smaller", "vocab_size", bpe_vocab(b), "wanted", s->vocab_size,
                     "hint", "the text has no further pair that is frequent enough");
    }
    if (!measure(b, &texts->part[SHARDS_TRAINING], &all, error) ||
        !measure(b, &texts->part[SHARDS_HELD_OUT], &held_out, error)) {
        bpe_free(b);
        return NULL;
    }
    /* A corpus of a few files may have none held out. */
    results_record(run, b, held_out.bytes > 0 ? &held_out : &all, report.n_merges, duration_s);
    return b;
}

static bool tokenizer_run(const tokenizer_settings *s, const char *directory, const char *out,
                          m31r_run *run, fault *error)
{
    char path[STAGE_PATH_BYTES + 64];
    shards texts;
    if (!shards_read(&texts, directory, error)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/manifest.json", directory);
    (void)m31r_input_add(run, path);
    m31r_info(m31r_run_logger(run, "tokenizer"), "tokenizer_start", "shards", texts.n_shards,
              "training_bytes", texts.part[SHARDS_TRAINING].size, "held_out_bytes",
              texts.part[SHARDS_HELD_OUT].size);
    bpe *b = tokenizer_make(s, &texts, run, error);
    shards_release(&texts);
    (void)snprintf(path, sizeof path, "%s/tokenizer.json", out);
    bool ok = b != NULL && bpe_save(b, path, error);
    bpe_free(b);
    if (ok && m31r_output_add(run, "tokenizer", path) != M31R_OK) {
        ok = fault_set(error, FAULT_RUNTIME, "not_registered", "%s", path);
    }
    return ok;
}

int main(int argc, char **argv)
{
    const char *values[N_OPTIONS];
    char out[STAGE_PATH_BYTES];
    tokenizer_settings settings = {0};
    fault error = {0};
    (void)argc;
    if (!stage_options_read(OPTIONS, N_OPTIONS, argv, values, &error)) {
        (void)fprintf(stderr, "tokenizer: %s\n%s", error.text, USAGE);
        return error.exit_code;
    }
    stage_signals_catch();
    if (!config_read(values[CONFIG], KEYS, sizeof KEYS / sizeof *KEYS, &settings, &error)) {
        return stage_end(NULL, "tokenizer", &error);
    }
    m31r_run *run = stage_open(&(stage_identity){.stage = "tokenizer",
                                                 .config = values[CONFIG],
                                                 .dataset = values[SHARDS],
                                                 .tokenizer = "none",
                                                 .seed = settings.seed,
                                                 .argv = argv},
                               &error);
    if (run == NULL) {
        return stage_end(NULL, "tokenizer", &error);
    }
    bool ok = stage_folder(run, values[OUT], "tokenizer", out, &error) &&
              tokenizer_run(&settings, values[SHARDS], out, run, &error);
    return stage_end(run, "tokenizer", ok ? NULL : &error);
}
