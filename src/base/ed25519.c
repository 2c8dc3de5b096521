/* ed25519.c - see ed25519.h. */
#include "base/ed25519.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

bool m31ri_ed25519_new(uint8_t secret[M31RI_KEY_BYTES])
{
    return RAND_priv_bytes(secret, M31RI_KEY_BYTES) == 1;
}

static EVP_PKEY *secret_key(const uint8_t secret[M31RI_KEY_BYTES])
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, M31RI_KEY_BYTES);
}

bool m31ri_ed25519_public(const uint8_t secret[M31RI_KEY_BYTES], uint8_t out[M31RI_KEY_BYTES])
{
    size_t length = M31RI_KEY_BYTES;
    EVP_PKEY *key = secret_key(secret);
    bool is_fine = key != NULL && EVP_PKEY_get_raw_public_key(key, out, &length) == 1;
    EVP_PKEY_free(key);
    return is_fine;
}

bool m31ri_ed25519_sign(const uint8_t secret[M31RI_KEY_BYTES], const void *text, size_t length,
                        uint8_t out[M31RI_SIGNATURE_BYTES])
{
    size_t size = M31RI_SIGNATURE_BYTES;
    EVP_PKEY *key = secret_key(secret);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_fine = key != NULL && context != NULL &&
                   EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                   EVP_DigestSign(context, out, &size, text, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return is_fine;
}

bool m31ri_ed25519_holds(const uint8_t key[M31RI_KEY_BYTES], const void *text, size_t length,
                         const uint8_t signature[M31RI_SIGNATURE_BYTES])
{
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, M31RI_KEY_BYTES);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool holds = public != NULL && context != NULL &&
                 EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
                 EVP_DigestVerify(context, signature, M31RI_SIGNATURE_BYTES, text, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public);
    return holds;
}

bool m31ri_ed25519_pem_write(const uint8_t secret[M31RI_KEY_BYTES], m31ri_buf *out)
{
    char *text = NULL;
    EVP_PKEY *key = secret_key(secret);
    BIO *bio = BIO_new(BIO_s_mem());
    bool is_fine = key != NULL && bio != NULL &&
                   PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    long length = is_fine ? BIO_get_mem_data(bio, &text) : 0;
    if (length > 0) {
        m31ri_buf_add(out, text, (size_t)length);
    }
    BIO_free(bio);
    EVP_PKEY_free(key);
    return is_fine && m31ri_buf_ok(out);
}

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *out, int size, int is_writing, void *context)
{
    (void)out, (void)size, (void)is_writing, (void)context;
    return -1;
}

bool m31ri_ed25519_pem_read(const char *text, size_t length, uint8_t secret[M31RI_KEY_BYTES])
{
    size_t size = M31RI_KEY_BYTES;
    BIO *bio = length <= INT_MAX ? BIO_new_mem_buf(text, (int)length) : NULL;
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    bool is_fine = key != NULL && EVP_PKEY_id(key) == EVP_PKEY_ED25519 &&
                   EVP_PKEY_get_raw_private_key(key, secret, &size) == 1 && size == M31RI_KEY_BYTES;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return is_fine;
}

void m31ri_wipe(void *bytes, size_t length)
{
    OPENSSL_cleanse(bytes, length);
}
