/* Every typed call, stage by stage: typed_calls STAGE. typed_calls.cpp is this same text compiled
 * as C++; both must record the same, and `m31r verify` must find nothing wrong. */
#ifdef __cplusplus
#include <m31r/m31r.hpp>
#else
#include <m31r/m31r.h>
#endif
#include <stdio.h>

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        fputs(text, file);
        fclose(file);
    }
}

static void train(m31r_run *run)
{
    float loss = 4;
    m31r_input_add(run, "shard.bin");
    m31r_input_add(run, "bpe.bin");
    for (int i = 1; i <= 20; i++) {
        loss *= 0.9f;
        m31r_train_step(run, .step = i, .loss = loss, .lr = i < 5 ? 0.1 : 0.01, .grad_norm = 1,
                        .tokens = 64u, .tokens_total = (size_t)i * 64, .epoch = 0,
                        .data_position = i);
        m31r_progress(run, (uint64_t)i, 20);
    }
    m31r_train_validation(run, .step = 20, .val_loss = loss, .tokens = 128);
    write_file("model.bin", "weights");
    m31r_train_checkpoint(run, .step = 20, .path = "model.bin");
    m31r_train_summary(run, .step = 20, .tokens_total = 1280);
}

static void data(m31r_run *run)
{
    m31r_data_kept(run, .path = "a.rs", .bytes = 100);
    m31r_data_kept(run, .path = "b.rs", .bytes = 50);
    m31r_data_rejected(run, .path = "c.rs", .reason = "too_large", .bytes = 1 << 20);
    m31r_data_duplicate(run, .path = "d.rs", .duplicate_of = "a.rs", .similarity = 0.9f);
    write_file("shard.bin", "text");
    m31r_data_shard(run, .path = "shard.bin", .documents = 2, .split = "train");
    m31r_data_summary(run);
}

static void tokenizer(m31r_run *run)
{
    m31r_input_add(run, "shard.bin");
    for (int merges = 100; merges <= 300; merges += 100) {
        m31r_tokenizer_progress(run, .merges = merges, .vocab_size = 256 + merges);
    }
    m31r_tokenizer_summary(run, .vocab_size = 556, .coverage = 1, .fragmentation = 1.5,
                           .split_words = 0.25, .tokens_per_line = 7.5, .bytes_per_token = 3.5);
    write_file("bpe.bin", "merges");
    m31r_output_add(run, "tokenizer", "bpe.bin");
}

static void eval(m31r_run *run)
{
    m31r_input_add(run, "model.bin");
    m31r_eval_task(run, .task = "add", .category = "functions", .samples = 4, .compiled = 3,
                   .passed = 2, .latency_ms = 12.5);
    m31r_eval_task(run, .task = "fix", .category = "bugs", .samples = 4, .compiled = 4, .passed = 0,
                   .latency_ms = 8);
    m31r_eval_summary(run, .k = 2);
}

static void serve(m31r_run *run)
{
    m31r_input_add(run, "model.bin");
    for (int i = 1; i <= 50; i++) {
        m31r_serve_request(run, .status = i == 7 ? 400 : 200, .latency_ms = i,
                           .first_token_ms = 0.5, .tokens_generated = 3);
    }
    m31r_serve_summary(run);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*work)(m31r_run *run);
    } stages[] = {{"train", train},
                  {"data", data},
                  {"tokenizer", tokenizer},
                  {"eval", eval},
                  {"serve", serve}};
    m31r_run *run = m31r_run_here(NULL);
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        if (argc > 1 && strcmp(argv[1], stages[i].name) == 0) {
            stages[i].work(run);
        }
    }
    return m31r_run_close(run) == M31R_OK ? 0 : 3;
}
