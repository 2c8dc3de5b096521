/* The text to learn from: every .rs file below a directory, read in the order of their paths.
 *
 * Files are separated by one NUL byte, which no Rust file contains, so that the model can learn
 * where one ends. Some whole files, evenly spaced in the order of paths, are held out for
 * validation. Symbolic links are not followed. The same tree gives the same bytes on every machine.
 */
#ifndef TRAIN_CORPUS_H
#define TRAIN_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

#define CORPUS_MAX_BYTES ((size_t)1 << 30)
#define CORPUS_MAX_DEPTH 64

typedef struct {
    uint8_t *bytes;
    size_t size; /* in bytes, as is the capacity */
    size_t capacity;
    int token_bytes; /* 1: each byte is a token; 2: tokens are numbers of 16 bits */
} corpus_part;

typedef struct {
    corpus_part training;
    corpus_part validation;
    size_t n_files;
    uint64_t digest; /* of all relative paths and contents; tells texts apart, proves nothing */
} corpus;

/* `held_out_percent` (1 to 50) of the files go to validation, at least one.
 * Errors: FAULT_USER when the directory is missing, unreadable, too large, too deep, or has fewer
 *         than two .rs files; FAULT_RUNTIME when memory is short. `out` is then empty. */
bool corpus_read(corpus *out, const char *directory, int held_out_percent, fault *error);
void corpus_release(corpus *c);

/* FNV-1a, 64 bits: start with CORPUS_DIGEST_START and feed pieces one after the other. */
#define CORPUS_DIGEST_START 0xcbf29ce484222325u
uint64_t corpus_digest_add(uint64_t digest, const void *bytes, size_t size);

#endif
