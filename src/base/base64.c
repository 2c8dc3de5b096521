/* base64.c - see base64.h. */
#include "base/base64.h"

#include <openssl/evp.h>
#include <string.h>

#define MOST_BYTES ((size_t)1024 * 1024 * 1024)

bool m31ri_base64_write(m31ri_buf *out, const char *bytes, size_t length)
{
    if (length > MOST_BYTES || !m31ri_buf_reserve(out, (length + 2) / 3 * 4 + 1)) {
        return false;
    }
    int n = EVP_EncodeBlock((unsigned char *)out->data + out->length, (const unsigned char *)bytes,
                            (int)length);
    out->length += (size_t)n;
    return true;
}

bool m31ri_base64_read(m31ri_buf *out, const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text);
    size_t n_digits = strspn(text, alphabet);
    size_t padding = length - n_digits;
    if (length % 4 != 0 || padding > 2 || length > MOST_BYTES ||
        strspn(text + n_digits, "=") != padding || !m31ri_buf_reserve(out, length / 4 * 3 + 1)) {
        return false;
    }
    int n = EVP_DecodeBlock((unsigned char *)out->data + out->length, (const unsigned char *)text,
                            (int)length);
    if (n < 0) {
        return false;
    }
    out->length += (size_t)n - padding;
    out->data[out->length] = '\0';
    return true;
}
