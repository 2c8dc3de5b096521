/* ed25519.c - see ed25519.h. */
#include "base/ed25519.h"

#include <nettle/eddsa.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"

#define PEM_BEGIN "-----BEGIN PRIVATE KEY-----"
#define PEM_END "-----END PRIVATE KEY-----"

/* What stands before the 32 bytes of a key in PKCS #8 (RFC 8410 section 7): a sequence of version
 * 0, the name 1.3.101.112 of Ed25519, and an octet string in an octet string. */
static const uint8_t pkcs8[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
#define PKCS8_LENGTH_AT 1  /* larger when the public key follows (version 1) */
#define PKCS8_VERSION_AT 4 /* 0, or 1 (RFC 5958) */

bool m31ri_ed25519_new(uint8_t secret[M31RI_KEY_BYTES])
{
    return getentropy(secret, M31RI_KEY_BYTES) == 0;
}

void m31ri_ed25519_public(const uint8_t secret[M31RI_KEY_BYTES], uint8_t out[M31RI_KEY_BYTES])
{
    ed25519_sha512_public_key(out, secret);
}

void m31ri_ed25519_sign(const uint8_t secret[M31RI_KEY_BYTES], const void *text, size_t length,
                        uint8_t out[M31RI_SIGNATURE_BYTES])
{
    uint8_t public[M31RI_KEY_BYTES];
    ed25519_sha512_public_key(public, secret);
    ed25519_sha512_sign(public, secret, length, text, out);
}

bool m31ri_ed25519_holds(const uint8_t key[M31RI_KEY_BYTES], const void *text, size_t length,
                         const uint8_t signature[M31RI_SIGNATURE_BYTES])
{
    return ed25519_sha512_verify(key, length, text, signature) == 1;
}

bool m31ri_ed25519_pem_write(const uint8_t secret[M31RI_KEY_BYTES], m31ri_buf *out)
{
    uint8_t der[sizeof pkcs8 + M31RI_KEY_BYTES];
    memcpy(der, pkcs8, sizeof pkcs8);
    memcpy(der + sizeof pkcs8, secret, M31RI_KEY_BYTES);
    m31ri_buf_add_str(out, PEM_BEGIN "\n");
    m31ri_base64_write(out, (const char *)der, sizeof der);
    m31ri_buf_add_str(out, "\n" PEM_END "\n");
    m31ri_wipe(der, sizeof der);
    return m31ri_buf_ok(out);
}

/* The digits between the two lines of a PEM text, without blanks and line ends. */
static bool pem_digits(const char *text, size_t length, m31ri_buf *out)
{
    const char *begin = memmem(text, length, PEM_BEGIN, strlen(PEM_BEGIN));
    if (begin == NULL) {
        return false;
    }
    begin += strlen(PEM_BEGIN);
    const char *end = memmem(begin, length - (size_t)(begin - text), PEM_END, strlen(PEM_END));
    if (end == NULL || !m31ri_buf_reserve(out, (size_t)(end - begin))) {
        return false; /* reserved at once: a buffer that moves leaves a copy of the key behind */
    }
    for (const char *at = begin; at < end; at++) {
        if (*at != '\0' && strchr(" \t\r\n", *at) == NULL) {
            m31ri_buf_add_char(out, *at);
        }
    }
    return true;
}

static bool is_pkcs8(const uint8_t *der, size_t length)
{
    uint8_t head[sizeof pkcs8];
    if (length < sizeof pkcs8 + M31RI_KEY_BYTES || der[PKCS8_LENGTH_AT] != length - 2 ||
        der[PKCS8_VERSION_AT] > 1) {
        return false;
    }
    memcpy(head, der, sizeof head);
    head[PKCS8_LENGTH_AT] = pkcs8[PKCS8_LENGTH_AT];
    head[PKCS8_VERSION_AT] = pkcs8[PKCS8_VERSION_AT];
    return memcmp(head, pkcs8, sizeof head) == 0;
}

bool m31ri_ed25519_pem_read(const char *text, size_t length, uint8_t secret[M31RI_KEY_BYTES])
{
    m31ri_buf digits = {0};
    m31ri_buf der = {0};
    bool is_key = pem_digits(text, length, &digits) &&
                  m31ri_base64_read(&der, m31ri_buf_str(&digits)) &&
                  is_pkcs8((const uint8_t *)der.data, der.length);
    if (is_key) {
        memcpy(secret, der.data + sizeof pkcs8, M31RI_KEY_BYTES);
    }
    m31ri_wipe(digits.data, digits.length);
    m31ri_wipe(der.data, der.length);
    m31ri_buf_release(&digits);
    m31ri_buf_release(&der);
    return is_key;
}

void m31ri_wipe(void *bytes, size_t length)
{
    if (length > 0) {
        explicit_bzero(bytes, length);
    }
}
