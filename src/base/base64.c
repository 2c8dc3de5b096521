/* base64.c - see base64.h. */
#include "base/base64.h"

#include <nettle/base64.h>
#include <string.h>

#define MOST_BYTES ((size_t)1024 * 1024 * 1024)

bool m31ri_base64_write(m31ri_buf *out, const char *bytes, size_t length)
{
    if (length > MOST_BYTES || !m31ri_buf_reserve(out, (length + 2) / 3 * 4 + 1)) {
        return false;
    }
    size_t n = BASE64_ENCODE_RAW_LENGTH(length);
    base64_encode_raw(out->data + out->length, length, (const uint8_t *)bytes);
    out->length += n;
    out->data[out->length] = '\0';
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
    struct base64_decode_ctx context;
    size_t n = 0;
    base64_decode_init(&context);
    if (base64_decode_update(&context, &n, (uint8_t *)out->data + out->length, length, text) != 1 ||
        base64_decode_final(&context) != 1) {
        return false;
    }
    out->length += n;
    out->data[out->length] = '\0';
    return true;
}
