/* sha256.c - SHA-256 by nettle, which uses the machine's SHA instructions. */
#include "base/sha256.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"

#define READ_BYTES (256 * 1024)

struct m31ri_sha256 {
    struct sha256_ctx context;
};

m31ri_sha256 *m31ri_sha256_new(void)
{
    m31ri_sha256 *h = m31ri_alloc(sizeof *h);
    if (h != NULL) {
        sha256_init(&h->context);
    }
    return h;
}

void m31ri_sha256_free(m31ri_sha256 *h)
{
    m31ri_free(h);
}

void m31ri_sha256_add(m31ri_sha256 *h, const void *bytes, size_t length)
{
    sha256_update(&h->context, length, bytes);
}

void m31ri_sha256_end(m31ri_sha256 *h, uint8_t out[M31RI_SHA256_BYTES])
{
    sha256_digest(&h->context, M31RI_SHA256_BYTES, out);
}

void m31ri_sha256_of(const void *bytes, size_t length, uint8_t out[M31RI_SHA256_BYTES])
{
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, length, bytes);
    sha256_digest(&context, M31RI_SHA256_BYTES, out);
}

void m31ri_sha256_hex(const uint8_t digest[M31RI_SHA256_BYTES], char out[M31RI_SHA256_HEX])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < M31RI_SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * M31RI_SHA256_BYTES] = '\0';
}

static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool m31ri_sha256_unhex(const char *hex, uint8_t out[M31RI_SHA256_BYTES])
{
    for (int i = 0; i < M31RI_SHA256_BYTES; i++) {
        int high = digit(hex[2 * i]);
        int low = high >= 0 ? digit(hex[2 * i + 1]) : -1;
        if (low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return hex[2 * M31RI_SHA256_BYTES] == '\0';
}

static m31r_err add_file(m31ri_sha256 *h, int fd, char *chunk, uint64_t *size, m31r_error *e)
{
    for (;;) {
        ssize_t n = pread(fd, chunk, READ_BYTES, (off_t)*size);
        if (n == 0) {
            return M31R_OK;
        }
        if (n < 0 && errno != EINTR) {
            return m31ri_fail_sys(e, errno, NULL, "reading at byte %llu",
                                  (unsigned long long)*size);
        }
        if (n > 0) {
            m31ri_sha256_add(h, chunk, (size_t)n);
            *size += (uint64_t)n;
        }
    }
}

m31r_err m31ri_sha256_fd(int fd, uint8_t out[M31RI_SHA256_BYTES], uint64_t *out_size, m31r_error *e)
{
    m31ri_sha256 *h = m31ri_sha256_new();
    char *chunk = m31ri_alloc(READ_BYTES);
    uint64_t size = 0;
    m31r_err err = M31R_E_NOMEM;
    if (h == NULL || chunk == NULL) {
        m31ri_fail(e, M31R_E_NOMEM, "out of memory while hashing");
    } else {
        err = add_file(h, fd, chunk, &size, e);
    }
    if (err == M31R_OK) {
        m31ri_sha256_end(h, out);
        if (out_size != NULL) {
            *out_size = size;
        }
    }
    m31ri_free(chunk);
    m31ri_sha256_free(h);
    return err;
}
