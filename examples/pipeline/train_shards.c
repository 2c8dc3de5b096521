/* train: the third stage of the pipeline, from shards and a tokenizer to a model.
 *
 * The model and its trainer are those of examples/train; what is different is the text: the shards
 * of the data stage as tokens of the tokenizer stage. Both are checked against their SHA-256 and
 * registered as inputs, so that the run names the runs that made them.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../train/trainer.h"
#include "bpe.h"
#include "shards.h"
#include "stage.h"

static const char USAGE[] =
    "usage: train --config FILE --shards DIR --tokenizer FILE [--resume CHECKPOINT]\n"
    "             [--steps N] [--out DIR] [--losses FILE]\n"
    "  --config FILE      settings; see examples/pipeline/train.yaml\n"
    "  --shards DIR       what the data stage made\n"
    "  --tokenizer FILE   what the tokenizer stage made\n"
    "  --resume FILE      go on from a checkpoint\n"
    "  --steps N          instead of the config's\n"
    "  --out DIR          directory of checkpoints (default: checkpoints/ of the run)\n"
    "  --losses FILE      write the loss of every step as a hexadecimal float\n";

enum { CONFIG, SHARDS, TOKENIZER, RESUME, STEPS, OUT, LOSSES, N_OPTIONS };

static const stage_option OPTIONS[N_OPTIONS] = {
    [CONFIG] = {"config", true},  [SHARDS] = {"shards", true}, [TOKENIZER] = {"tokenizer", true},
    [RESUME] = {"resume", false}, [STEPS] = {"steps", false},  [OUT] = {"out", false},
    [LOSSES] = {"losses", false},
};

/* The texts of one split as tokens. */
static bool part_encode(bpe *b, const bytes *text, corpus_part *out, fault *error)
{
    bytes tokens = {0};
    if (!bpe_encode(b, text->data, text->size, &tokens, error)) {
        bytes_release(&tokens);
        return false;
    }
    *out = (corpus_part){tokens.data, tokens.size, tokens.capacity, 2};
    return true;
}

/* Reads shards and tokenizer; `*vocab` is how many tokens there are. */
static bool text_read(corpus *out, const char **values, int *vocab, m31r_run *run, fault *error)
{
    shards texts;
    *out = (corpus){.digest = CORPUS_DIGEST_START};
    if (!shards_read(&texts, values[SHARDS], error)) {
        return false;
    }
    bpe *b = bpe_load(values[TOKENIZER], error);
    bool ok = b != NULL && part_encode(b, &texts.part[SHARDS_TRAINING], &out->training, error) &&
              part_encode(b, &texts.part[SHARDS_HELD_OUT], &out->validation, error);
    if (ok) {
        char path[STAGE_PATH_BYTES + 64];
        *vocab = (int)bpe_vocab(b);
        out->digest = corpus_digest_add(out->digest, out->training.bytes, out->training.size);
        out->digest = corpus_digest_add(out->digest, out->validation.bytes, out->validation.size);
        (void)snprintf(path, sizeof path, "%s/manifest.json", values[SHARDS]);
        (void)m31r_input_add(run, path);
        (void)m31r_input_add(run, values[TOKENIZER]);
        m31r_info(m31r_run_logger(run, "trainer"), "text_read", "shards", texts.n_shards,
                  "training_tokens", out->training.size / 2, "validation_tokens",
                  out->validation.size / 2, "vocab_size", *vocab);
    }
    bpe_free(b);
    shards_release(&texts);
    return ok;
}

static bool train(const char **values, settings *s, m31r_run *run, fault *error)
{
    char checkpoints[STAGE_PATH_BYTES];
    corpus text = {0};
    bool ok = stage_folder(run, values[OUT], "checkpoints", checkpoints, error) &&
              text_read(&text, values, &s->shape.vocab, run, error);
    if (ok) {
        const trainer_options options = {.settings = s,
                                         .text = &text,
                                         .checkpoints = checkpoints,
                                         .resume = values[RESUME],
                                         .losses = values[LOSSES],
                                         .run = run,
                                         .stop = stage_stop()};
        ok = trainer_run(&options, error);
    }
    corpus_release(&text);
    return ok;
}

static bool settings_get(settings *s, const char **values, fault *error)
{
    if (!settings_read_learning(s, values[CONFIG], error)) {
        return false;
    }
    if (values[STEPS] != NULL && !config_parse_int(values[STEPS], 1, INT_MAX, &s->steps)) {
        return fault_set(error, FAULT_USER, "steps",
                         "--steps '%s', expected a whole number from 1 to %d", values[STEPS],
                         INT_MAX);
    }
    s->optimiser.steps = s->steps;
    return true;
}

int main(int argc, char **argv)
{
    const char *values[N_OPTIONS];
    settings s;
    fault error = {0};
    (void)argc;
    if (!stage_options_read(OPTIONS, N_OPTIONS, argv, values, &error)) {
        (void)fprintf(stderr, "train: %s\n%s", error.text, USAGE);
        return error.exit_code;
    }
    stage_signals_catch();
    if (!settings_get(&s, values, &error)) {
        return stage_end(NULL, "train", &error);
    }
    m31r_run *run = stage_open(&(stage_identity){.stage = "train",
                                                 .config = values[CONFIG],
                                                 .dataset = values[SHARDS],
                                                 .tokenizer = values[TOKENIZER],
                                                 .seed = s.seed,
                                                 .argv = argv},
                               &error);
    if (run == NULL) {
        return stage_end(NULL, "train", &error);
    }
    bool ok = train(values, &s, run, &error);
    return stage_end(run, "train", ok ? NULL : &error);
}
