#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool bytes_reserve(bytes *b, size_t more, fault *error)
{
    if (more <= b->capacity - b->size) {
        return true;
    }
    size_t capacity = 2 * b->capacity > b->size + more ? 2 * b->capacity : b->size + more;
    uint8_t *data = realloc(b->data, capacity);
    if (data == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for %zu bytes",
                         capacity);
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

bool bytes_append(bytes *b, const void *data, size_t size, fault *error)
{
    if (!bytes_reserve(b, size, error)) {
        return false;
    }
    if (size > 0) {
        memcpy(b->data + b->size, data, size);
    }
    b->size += size;
    return true;
}

void bytes_release(bytes *b)
{
    free(b->data);
    *b = (bytes){0};
}

/* Reads to the end of the file, which may have grown or shrunk since it was looked at. */
static bool descriptor_read(bytes *out, int fd, const char *path, size_t limit, fault *error)
{
    for (;;) {
        if (!bytes_reserve(out, 4096, error)) {
            return false;
        }
        ssize_t got = read(fd, out->data + out->size, out->capacity - out->size);
        if (got == 0) {
            return true;
        }
        if (got < 0 && errno != EINTR) {
            return fault_set(error, FAULT_USER, "unreadable", "%s: %s", path, strerror(errno));
        }
        out->size += got > 0 ? (size_t)got : 0;
        if (out->size > limit) {
            return fault_set(error, FAULT_USER, "too_large", "%s: more than %zu bytes", path,
                             limit);
        }
    }
}

bool bytes_read_file(bytes *out, const char *path, size_t limit, fault *error)
{
    struct stat status;
    out->size = 0;
    /* Not blocking: opening a pipe without a writer would wait for ever. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &status) == 0;
    if (!ok) {
        ok = fault_set(error, FAULT_USER, "unreadable", "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        ok = fault_set(error, FAULT_USER, "not_a_file", "%s: not a regular file", path);
    } else if (status.st_size > (off_t)limit) {
        ok = fault_set(error, FAULT_USER, "too_large", "%s: %lld bytes, at most %zu", path,
                       (long long)status.st_size, limit);
    } else {
        ok = bytes_reserve(out, (size_t)status.st_size + 1, error) &&
             descriptor_read(out, fd, path, limit, error);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

bool bytes_write_file(const char *path, const void *data, size_t size, fault *error)
{
    char *temporary;
    if (asprintf(&temporary, "%s.tmp", path) < 0) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for a path");
    }
    FILE *file = fopen(temporary, "wbe");
    bool ok = file != NULL && fwrite(data, 1, size, file) == size && fflush(file) == 0 &&
              fsync(fileno(file)) == 0;
    int failure = errno;
    if (file != NULL && fclose(file) != 0 && ok) {
        ok = false;
        failure = errno;
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        failure = errno;
    }
    if (!ok) {
        (void)unlink(temporary);
        (void)fault_set(error, FAULT_RUNTIME, "not_written", "%s: %s", path, strerror(failure));
    }
    free(temporary);
    return ok;
}

void bytes_sha256(const void *data, size_t size, uint8_t digest[32])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, size, data);
    sha256_digest(&context, sizeof context.state, digest);
}

void bytes_hex(const uint8_t digest[32], char out[BYTES_SHA256_HEX])
{
    for (int i = 0; i < 32; i++) {
        (void)snprintf(out + 2 * (size_t)i, 3, "%02x", digest[i]);
    }
}

uint64_t bytes_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t bytes_hash(const void *data, size_t size, uint64_t seed)
{
    const uint8_t *at = data;
    uint64_t hash = bytes_mix(seed + 0x9e3779b97f4a7c15u) ^ size;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = bytes_mix(hash ^ word);
    }
    uint64_t rest = 0;
    memcpy(&rest, at, size);
    return bytes_mix(hash ^ rest);
}
