/* Shards: the texts to learn from, in files of about equal size, and the manifest that names them.
 *
 *     train-00000.shard   texts, each followed by one NUL byte, which no text holds
 *     held-00000.shard    texts held out for validation
 *     manifest.json       for each shard its name, split, bytes, texts and SHA-256
 *
 * The manifest is written last and moved into place: without it a folder is not whole. A reader
 * trusts nothing: a shard whose size or digest is not that of the manifest is refused by name.
 */
#ifndef PIPELINE_SHARDS_H
#define PIPELINE_SHARDS_H

#include "bytes.h"

enum { SHARDS_TRAINING, SHARDS_HELD_OUT, SHARDS_SPLITS };

/* Told of every shard that is whole: its path, and facts about it. */
typedef struct {
    int split;
    size_t n_texts;
    size_t n_bytes;
    char name[32];
    char sha256[BYTES_SHA256_HEX];
} shard_facts;

typedef struct shards_writer shards_writer;

/* `directory` exists. Shards end at the first text that makes them `shard_bytes` long. Returns NULL
 * when memory is short. */
shards_writer *shards_writer_new(const char *directory, size_t shard_bytes, uint64_t seed);

/* Errors: FAULT_RUNTIME. */
bool shards_add(shards_writer *w, int split, const bytes *text, fault *error);

/* Writes what is not yet written, then the manifest. Errors: FAULT_RUNTIME. */
bool shards_finish(shards_writer *w, fault *error);
void shards_writer_free(shards_writer *w);

/* What was written so far, in that order. */
const shard_facts *shards_written(const shards_writer *w, size_t *n);

/* All texts of a folder, each followed by NUL, checked against its manifest. */
typedef struct {
    bytes part[SHARDS_SPLITS];
    size_t n_texts[SHARDS_SPLITS];
    size_t n_shards;
    char manifest_sha256[BYTES_SHA256_HEX];
} shards;

/* Errors: FAULT_USER, with reason "manifest_missing", "manifest_wrong", "shard_missing",
 *         "shard_changed", "corpus_empty"; FAULT_RUNTIME. `out` is then empty. */
bool shards_read(shards *out, const char *directory, fault *error);
void shards_release(shards *s);

#endif
