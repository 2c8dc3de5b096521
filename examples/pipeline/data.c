/* data: the first stage of the pipeline, from a directory of .rs files to shards.
 *
 *     walk -> filter -> exact duplicates (SHA-256) -> near duplicates (MinHash) -> split -> shards
 *
 * Files are taken in the order of their paths, one at a time, so that memory holds one text and
 * the signatures of the others. Each file ends in one of four ways, and the sum is checked: kept,
 * rejected, exact duplicate, near duplicate. Why stands per file at DEBUG, as counts at INFO.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../train/config_table.h"
#include "filter.h"
#include "near.h"
#include "shards.h"
#include "stage.h"
#include "walk.h"

static const char USAGE[] = "usage: data --config FILE --source DIR [--out DIR]\n"
                            "  --config FILE   settings; see examples/pipeline/data.yaml\n"
                            "  --source DIR    directory of .rs files\n"
                            "  --out DIR       where shards go (default: shards/ of the run)\n";

enum { CONFIG, SOURCE, OUT, N_OPTIONS };

static const stage_option OPTIONS[N_OPTIONS] = {
    [CONFIG] = {"config", true}, [SOURCE] = {"source", true}, [OUT] = {"out", false}};

typedef struct {
    int config_version;
    uint64_t seed;
    filter_rules rules;
    int only_permissive;
    double similarity;
    int held_out_percent;
    int shard_bytes;
} data_settings;

#define AT(field) offsetof(data_settings, field)

static const config_key KEYS[] = {
    {"config_version", CONFIG_WHOLE, AT(config_version), 1, 1},
    {"seed", CONFIG_SEED, AT(seed), 0, 0},
    {"min_bytes", CONFIG_WHOLE, AT(rules.min_bytes), 1, 1 << 30},
    {"max_bytes", CONFIG_WHOLE, AT(rules.max_bytes), 1, 1 << 30},
    {"max_line_bytes", CONFIG_WHOLE, AT(rules.max_line_bytes), 1, 1 << 30},
    {"only_permissive", CONFIG_WHOLE, AT(only_permissive), 0, 1},
    {"near_duplicate_similarity", CONFIG_DECIMAL, AT(similarity), 0.5, 1},
    {"held_out_percent", CONFIG_WHOLE, AT(held_out_percent), 1, 50},
    {"shard_bytes", CONFIG_WHOLE, AT(shard_bytes), 1024, 1 << 30},
};

/* An open-addressed set of SHA-256 digests with the path that had each one first. */
typedef struct {
    struct digest_slot {
        uint8_t digest[32];
        const char *path; /* NULL: free */
    } * slots;
    size_t n_slots; /* a power of two, at least twice the files */
} digest_set;

typedef struct {
    const data_settings *settings;
    m31r_run *run;
    m31r_log *log;
    size_t skip; /* bytes of the source directory in front of each path */
    walk files;
    digest_set seen;
    near_index *near;
    const char **near_paths; /* of the texts in `near` */
    size_t n_near;
    shards_writer *writer;
    bytes text;
    const char *out;
    size_t n_recorded; /* shards that have their record */
    uint64_t n_kept, n_unreadable;
} data;

static bool held_out(const data *d, const uint8_t digest[32])
{
    uint64_t chosen = bytes_hash(digest, 32, d->settings->seed);
    return chosen % 100 < (uint64_t)d->settings->held_out_percent;
}

/* The path that had this digest before; NULL and remembered when it is new. */
static const char *digest_seen(digest_set *set, const uint8_t digest[32], const char *path)
{
    uint64_t at;
    memcpy(&at, digest, sizeof at);
    for (;; at++) {
        struct digest_slot *slot = &set->slots[at & (set->n_slots - 1)];
        if (slot->path == NULL) {
            memcpy(slot->digest, digest, 32);
            slot->path = path;
            return NULL;
        }
        if (memcmp(slot->digest, digest, 32) == 0) {
            return slot->path;
        }
    }
}

static void reject(data *d, const char *path, const char *reason, uint64_t size)
{
    d->n_unreadable += strcmp(reason, "unreadable") == 0;
    m31r_data_rejected(d->run, .path = path, .reason = reason, .bytes = size);
}

/* Records the shards that were finished since the last call. */
static void shards_record(data *d)
{
    size_t n;
    const shard_facts *written = shards_written(d->writer, &n);
    for (; d->n_recorded < n; d->n_recorded++) {
        char path[STAGE_PATH_BYTES + 64];
        const shard_facts *f = &written[d->n_recorded];
        (void)snprintf(path, sizeof path, "%s/%s", d->out, f->name);
        m31r_data_shard(d->run, .path = path, .documents = f->n_texts, .bytes = f->n_bytes,
                        .split = f->split == SHARDS_HELD_OUT ? "held_out" : "train");
    }
}

/* Whether an earlier text is nearly the same; if not, this one is remembered. */
static bool is_near_duplicate(data *d, const char *path, bool *is_near, fault *error)
{
    near_signature signature;
    size_t number = 0;
    double similarity = 0;
    *is_near = false;
    if (!near_signature_set(&signature, &d->text)) {
        return true;
    }
    if (near_index_find(d->near, &signature, d->settings->similarity, &number, &similarity)) {
        *is_near = true;
        m31r_data_duplicate(d->run, .path = path, .duplicate_of = d->near_paths[number],
                            .similarity = similarity, .bytes = d->text.size);
        return true;
    }
    d->near_paths[d->n_near++] = path;
    return near_index_add(d->near, &signature, error);
}

static bool text_take(data *d, const char *path, fault *error)
{
    uint8_t digest[32];
    bool is_near;
    bytes_sha256(d->text.data, d->text.size, digest);
    const char *first = digest_seen(&d->seen, digest, path);
    if (first != NULL) {
        m31r_data_duplicate(d->run, .path = path, .duplicate_of = first, .similarity = 1,
                            .bytes = d->text.size);
        return true;
    }
    if (!is_near_duplicate(d, path, &is_near, error)) {
        return false;
    }
    if (is_near) {
        return true;
    }
    int split = held_out(d, digest) ? SHARDS_HELD_OUT : SHARDS_TRAINING;
    d->n_kept++;
    m31r_data_kept(d->run, .path = path, .bytes = d->text.size);
    return shards_add(d->writer, split, &d->text, error);
}

static bool file_take(data *d, const walk_entry *entry, fault *error)
{
    fault cause;
    const char *path = entry->path + d->skip;
    const char *reason =
        entry->skipped != NULL ? entry->skipped : filter_size(&d->settings->rules, entry->size);
    if (reason == NULL &&
        !bytes_read_file(&d->text, entry->path, (size_t)d->settings->rules.max_bytes, &cause)) {
        if (cause.exit_code != FAULT_USER) {
            *error = cause;
            return false;
        }
        reason = cause.reason;
    }
    if (reason == NULL) {
        reason = filter_text(&d->settings->rules, &d->text);
    }
    if (reason != NULL) {
        reject(d, path, reason, entry->size);
        return true;
    }
    return text_take(d, path, error);
}

static bool memory_get(data *d, fault *error)
{
    d->seen.n_slots = 1024;
    while (d->seen.n_slots < 2 * d->files.count) {
        d->seen.n_slots *= 2;
    }
    d->seen.slots = calloc(d->seen.n_slots, sizeof *d->seen.slots);
    d->near = near_index_new();
    d->near_paths = calloc(d->files.count + 1, sizeof *d->near_paths);
    return (d->seen.slots != NULL && d->near != NULL && d->near_paths != NULL &&
            d->writer != NULL) ||
           fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for %zu files",
                     d->files.count);
}

static bool data_run(data *d, const char *source, fault *error)
{
    if (!walk_read(&d->files, source, error)) {
        return false;
    }
    m31r_info(d->log, "data_start", "source", source, "entries", d->files.count);
    d->skip = strlen(source) + 1;
    d->writer = shards_writer_new(d->out, (size_t)d->settings->shard_bytes, d->settings->seed);
    bool ok = memory_get(d, error);
    for (size_t i = 0; ok && i < d->files.count; i++) {
        ok = stage_goes_on(error) && file_take(d, &d->files.entries[i], error);
        shards_record(d);
        m31r_progress(d->run, i + 1, d->files.count);
    }
    ok = ok && shards_finish(d->writer, error);
    if (ok) {
        shards_record(d);
        m31r_data_summary(d->run);
    }
    if (d->n_unreadable > 0) {
        m31r_warning(d->log, "files_unreadable", "files", d->n_unreadable, "hint",
                     "level DEBUG names them");
    }
    if (ok && d->n_kept == 0) {
        ok = fault_set(error, FAULT_USER, "corpus_empty", "%s: %zu entries, none was kept", source,
                       d->files.count);
    }
    return ok;
}

static void data_release(data *d)
{
    shards_writer_free(d->writer);
    near_index_free(d->near);
    free(d->near_paths);
    free(d->seen.slots);
    bytes_release(&d->text);
    walk_release(&d->files);
}

static bool manifest_register(data *d, fault *error)
{
    char path[STAGE_PATH_BYTES + 64];
    (void)snprintf(path, sizeof path, "%s/manifest.json", d->out);
    return m31r_output_add(d->run, "manifest", path) == M31R_OK ||
           fault_set(error, FAULT_RUNTIME, "not_registered", "%s", path);
}

int main(int argc, char **argv)
{
    const char *values[N_OPTIONS];
    char out[STAGE_PATH_BYTES];
    data_settings settings = {0};
    fault error = {0};
    (void)argc;
    if (!stage_options_read(OPTIONS, N_OPTIONS, argv, values, &error)) {
        (void)fprintf(stderr, "data: %s\n%s", error.text, USAGE);
        return error.exit_code;
    }
    stage_signals_catch();
    if (!config_read(values[CONFIG], KEYS, sizeof KEYS / sizeof *KEYS, &settings, &error)) {
        return stage_end(NULL, "data", &error);
    }
    settings.rules.only_permissive = settings.only_permissive != 0;
    m31r_run *run = stage_open(&(stage_identity){.stage = "data",
                                                 .config = values[CONFIG],
                                                 .dataset = values[SOURCE],
                                                 .tokenizer = "none",
                                                 .seed = settings.seed,
                                                 .argv = argv},
                               &error);
    if (run == NULL) {
        return stage_end(NULL, "data", &error);
    }
    data d = {.settings = &settings, .run = run, .log = m31r_run_logger(run, "data"), .out = out};
    bool ok = stage_folder(run, values[OUT], "shards", out, &error) &&
              data_run(&d, values[SOURCE], &error) && manifest_register(&d, &error);
    data_release(&d);
    return stage_end(run, "data", ok ? NULL : &error);
}
