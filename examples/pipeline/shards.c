#include "shards.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "m31r-shards-1"

enum { PATH_BYTES = 4096, MANIFEST_MAX_BYTES = 64 * 1024 * 1024 };

static const size_t SHARD_MAX_BYTES = (size_t)1 << 30;

static const char *const SPLIT_NAMES[SHARDS_SPLITS] = {"train", "held"};

struct shards_writer {
    const char *directory;
    size_t shard_bytes;
    uint64_t seed;
    bytes open[SHARDS_SPLITS]; /* the shard that is being filled */
    size_t n_texts[SHARDS_SPLITS];
    size_t n_shards[SHARDS_SPLITS];
    shard_facts *facts;
    size_t n_facts;
    size_t capacity;
};

shards_writer *shards_writer_new(const char *directory, size_t shard_bytes, uint64_t seed)
{
    shards_writer *w = calloc(1, sizeof *w);
    if (w != NULL) {
        w->directory = directory;
        w->shard_bytes = shard_bytes;
        w->seed = seed;
    }
    return w;
}

void shards_writer_free(shards_writer *w)
{
    if (w != NULL) {
        for (int split = 0; split < SHARDS_SPLITS; split++) {
            bytes_release(&w->open[split]);
        }
        free(w->facts);
        free(w);
    }
}

const shard_facts *shards_written(const shards_writer *w, size_t *n)
{
    *n = w->n_facts;
    return w->facts;
}

static bool path_make(char *out, const char *directory, const char *name, fault *error)
{
    int length = snprintf(out, PATH_BYTES, "%s/%s", directory, name);
    return (length >= 0 && length < PATH_BYTES) ||
           fault_set(error, FAULT_USER, "path_too_long", "%s: more than %d bytes", directory,
                     PATH_BYTES);
}

static bool facts_grow(shards_writer *w, fault *error)
{
    size_t capacity = w->capacity == 0 ? 16 : 2 * w->capacity;
    shard_facts *facts = realloc(w->facts, capacity * sizeof *facts);
    if (facts == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for the manifest");
    }
    w->facts = facts;
    w->capacity = capacity;
    return true;
}

static bool shard_close(shards_writer *w, int split, fault *error)
{
    char path[PATH_BYTES];
    uint8_t digest[32];
    bytes *open = &w->open[split];
    if (w->n_texts[split] == 0) {
        return true;
    }
    if (w->n_facts == w->capacity && !facts_grow(w, error)) {
        return false;
    }
    shard_facts *f = &w->facts[w->n_facts];
    *f = (shard_facts){.split = split, .n_texts = w->n_texts[split], .n_bytes = open->size};
    (void)snprintf(f->name, sizeof f->name, "%s-%05zu.shard", SPLIT_NAMES[split],
                   w->n_shards[split] % 100000);
    bytes_sha256(open->data, open->size, digest);
    bytes_hex(digest, f->sha256);
    if (!path_make(path, w->directory, f->name, error) ||
        !bytes_write_file(path, open->data, open->size, error)) {
        return false;
    }
    w->n_facts++;
    w->n_shards[split]++;
    w->n_texts[split] = 0;
    open->size = 0;
    return true;
}

bool shards_add(shards_writer *w, int split, const bytes *text, fault *error)
{
    bytes *open = &w->open[split];
    if (!bytes_append(open, text->data, text->size, error) || !bytes_append(open, "", 1, error)) {
        return false;
    }
    w->n_texts[split]++;
    return open->size < w->shard_bytes || shard_close(w, split, error);
}

static json_t *manifest_make(const shards_writer *w)
{
    json_t *list = json_array();
    for (size_t i = 0; i < w->n_facts; i++) {
        const shard_facts *f = &w->facts[i];
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:s}", "name", f->name,
                                                    "split", SPLIT_NAMES[f->split], "texts",
                                                    (json_int_t)f->n_texts, "bytes",
                                                    (json_int_t)f->n_bytes, "sha256", f->sha256));
    }
    return json_pack("{s:s, s:I, s:o}", "format", FORMAT, "seed", (json_int_t)w->seed, "shards",
                     list);
}

bool shards_finish(shards_writer *w, fault *error)
{
    char path[PATH_BYTES];
    if (!shard_close(w, SHARDS_TRAINING, error) || !shard_close(w, SHARDS_HELD_OUT, error) ||
        !path_make(path, w->directory, "manifest.json", error)) {
        return false;
    }
    json_t *manifest = manifest_make(w);
    char *text = manifest != NULL ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
    json_decref(manifest);
    if (text == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for the manifest");
    }
    bool ok = bytes_write_file(path, text, strlen(text), error);
    free(text);
    return ok;
}

/* Reads the shard that one entry of a manifest names, behind those that were read. */
static bool shard_read(shards *s, const char *directory, const json_t *entry, fault *error)
{
    char path[PATH_BYTES];
    char sha256[BYTES_SHA256_HEX];
    uint8_t digest[32];
    bytes shard = {0};
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *split = json_string_value(json_object_get(entry, "split"));
    const char *wanted = json_string_value(json_object_get(entry, "sha256"));
    json_int_t n_bytes = json_integer_value(json_object_get(entry, "bytes"));
    json_int_t n_texts = json_integer_value(json_object_get(entry, "texts"));
    if (name == NULL || strchr(name, '/') != NULL || split == NULL || wanted == NULL ||
        n_bytes < 0 || n_texts < 0) {
        return fault_set(error, FAULT_USER, "manifest_wrong",
                         "%s/manifest.json: an entry without name, split, bytes, texts or sha256",
                         directory);
    }
    int into = strcmp(split, SPLIT_NAMES[SHARDS_HELD_OUT]) == 0 ? SHARDS_HELD_OUT : SHARDS_TRAINING;
    fault cause;
    if (!path_make(path, directory, name, error)) {
        return false;
    }
    if (!bytes_read_file(&shard, path, SHARD_MAX_BYTES, &cause)) {
        bytes_release(&shard);
        return fault_set(error, cause.exit_code, "shard_missing", "%s", cause.text);
    }
    bytes_sha256(shard.data, shard.size, digest);
    bytes_hex(digest, sha256);
    bool ok = true;
    if (shard.size != (size_t)n_bytes || strcmp(sha256, wanted) != 0) {
        ok = fault_set(error, FAULT_USER, "shard_changed",
                       "%s: %zu bytes with SHA-256 %.12s, the manifest says %lld with %.12s", path,
                       shard.size, sha256, (long long)n_bytes, wanted);
    }
    ok = ok && bytes_append(&s->part[into], shard.data, shard.size, error);
    s->n_texts[into] += (size_t)n_texts;
    s->n_shards++;
    bytes_release(&shard);
    return ok;
}

/* The list of shards of a manifest, or NULL; the caller releases `*root`. */
static const json_t *manifest_parse(const bytes *text, const char *path, json_t **root,
                                    fault *error)
{
    json_error_t wrong;
    *root = json_loadb((const char *)text->data, text->size, 0, &wrong);
    if (*root == NULL) {
        (void)fault_set(error, FAULT_USER, "manifest_wrong", "%s:%d: %s", path, wrong.line,
                        wrong.text);
        return NULL;
    }
    const char *format = json_string_value(json_object_get(*root, "format"));
    const json_t *list = json_object_get(*root, "shards");
    if (format == NULL || strcmp(format, FORMAT) != 0 || !json_is_array(list)) {
        (void)fault_set(error, FAULT_USER, "manifest_wrong",
                        "%s: format %.40s, expected " FORMAT " with a list of shards", path,
                        format != NULL ? format : "missing");
        return NULL;
    }
    return list;
}

bool shards_read(shards *out, const char *directory, fault *error)
{
    char path[PATH_BYTES];
    uint8_t digest[32];
    bytes text = {0};
    json_t *root = NULL;
    fault cause;
    *out = (shards){0};
    if (!path_make(path, directory, "manifest.json", error)) {
        return false;
    }
    if (!bytes_read_file(&text, path, MANIFEST_MAX_BYTES, &cause)) {
        bytes_release(&text);
        return fault_set(error, cause.exit_code, "manifest_missing",
                         "%s; a folder without it was not finished by the data stage", cause.text);
    }
    bytes_sha256(text.data, text.size, digest);
    bytes_hex(digest, out->manifest_sha256);
    const json_t *list = manifest_parse(&text, path, &root, error);
    bool ok = list != NULL;
    for (size_t i = 0; ok && i < json_array_size(list); i++) {
        ok = shard_read(out, directory, json_array_get(list, i), error);
    }
    if (ok && out->part[SHARDS_TRAINING].size == 0) {
        ok = fault_set(error, FAULT_USER, "corpus_empty", "%s: no text to learn from", path);
    }
    json_decref(root);
    bytes_release(&text);
    if (!ok) {
        shards_release(out);
    }
    return ok;
}

void shards_release(shards *s)
{
    for (int split = 0; split < SHARDS_SPLITS; split++) {
        bytes_release(&s->part[split]);
    }
    *s = (shards){0};
}
