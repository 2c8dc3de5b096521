/* Bytes in memory, whole files as bytes, and the SHA-256 of bytes. */
#ifndef PIPELINE_BYTES_H
#define PIPELINE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "../train/fault.h"

enum { BYTES_SHA256_HEX = 65 };

typedef struct {
    uint8_t *data;
    size_t size;
    size_t capacity;
} bytes;

/* Makes room for `more` bytes behind those that are there.
 * Errors: FAULT_RUNTIME when memory is short. */
bool bytes_reserve(bytes *b, size_t more, fault *error);
bool bytes_append(bytes *b, const void *data, size_t size, fault *error);
void bytes_release(bytes *b);

/* Reads a regular file of at most `limit` bytes in place of what `out` held.
 * Errors: FAULT_USER, with reason "unreadable", "not_a_file" or "too_large". */
bool bytes_read_file(bytes *out, const char *path, size_t limit, fault *error);

/* Writes a file beside its place, makes it durable and moves it there.
 * Errors: FAULT_RUNTIME, reason "not_written". */
bool bytes_write_file(const char *path, const void *data, size_t size, fault *error);

void bytes_sha256(const void *data, size_t size, uint8_t digest[32]);
void bytes_hex(const uint8_t digest[32], char out[BYTES_SHA256_HEX]);

/* A well-mixed number of 64 bits for bytes and a seed. */
uint64_t bytes_hash(const void *data, size_t size, uint64_t seed);

/* Mixes all bits of a number; no two numbers give the same. */
uint64_t bytes_mix(uint64_t x);

#endif
