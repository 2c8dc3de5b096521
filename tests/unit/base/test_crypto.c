/* What stands in the RFCs: digests (RFC 4231), base64 (RFC 4648), signatures (RFC 8032 section 7.1)
 * and keys as PEM (RFC 8410 section 10.3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/ed25519.h"
#include "base/hmac.h"
#include "base/sha256.h"

static void assert_hex(const uint8_t bytes[32], const char *hex)
{
    char text[M31RI_SHA256_HEX];
    m31ri_sha256_hex(bytes, text);
    assert_string_equal(text, hex);
}

static void test_sha256__in_one_call_and_in_pieces(void **state)
{
    (void)state;
    static const char *const expected =
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"; /* FIPS 180-2 B.2 */
    const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t digest[M31RI_SHA256_BYTES];
    m31ri_sha256_of(text, strlen(text), digest);
    assert_hex(digest, expected);
    m31ri_sha256 *h = m31ri_sha256_new();
    for (int round = 0; round < 2;
         round++) { /* the end of one digest is the beginning of another */
        for (size_t i = 0; i < strlen(text); i++) {
            m31ri_sha256_add(h, text + i, 1);
        }
        m31ri_sha256_end(h, digest);
        assert_hex(digest, expected);
    }
    m31ri_sha256_free(h);
}

static void test_hmac__of_rfc_4231(void **state)
{
    (void)state;
    uint8_t key[M31RI_HMAC_BYTES] = {
        0}; /* case 2's key is shorter: zeroes behind it are the same */
    uint8_t out[M31RI_HMAC_BYTES];
    memcpy(key, "Jefe", 4);
    m31ri_hmac_of(key, "what do ya want for nothing?", 28, out);
    assert_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_base64__of_rfc_4648(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        m31ri_buf text = M31RI_BUF_INIT, bytes = M31RI_BUF_INIT;
        assert_true(m31ri_base64_write(&text, pairs[i][0], strlen(pairs[i][0])));
        assert_string_equal(m31ri_buf_str(&text), pairs[i][1]);
        assert_true(m31ri_base64_read(&bytes, pairs[i][1]));
        assert_string_equal(m31ri_buf_str(&bytes), pairs[i][0]);
        m31ri_buf_release(&text);
        m31ri_buf_release(&bytes);
    }
    static const char *const wrong[] = {"Zg", "Zg=", "Z===", "Zg==Zg==", "Zm 9v", "Zm-v", "Zh=="};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        m31ri_buf bytes = M31RI_BUF_INIT;
        assert_false(m31ri_base64_read(&bytes, wrong[i]));
        m31ri_buf_release(&bytes);
    }
}

/* Section 7.1, test 3: the message is af 82. */
static const uint8_t SECRET[M31RI_KEY_BYTES] = {
    0xc5, 0xaa, 0x8d, 0xf4, 0x3f, 0x9f, 0x83, 0x7b, 0xed, 0xb7, 0x44, 0x2f, 0x31, 0xdc, 0xb7, 0xb1,
    0x66, 0xd3, 0x85, 0x35, 0x07, 0x6f, 0x09, 0x4b, 0x85, 0xce, 0x3a, 0x2e, 0x0b, 0x44, 0x58, 0xf7};

static void test_ed25519__of_rfc_8032(void **state)
{
    (void)state;
    uint8_t public[M31RI_KEY_BYTES], signature[M31RI_SIGNATURE_BYTES];
    m31ri_ed25519_public(SECRET, public);
    assert_hex(public, "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
    m31ri_ed25519_sign(SECRET, "\xaf\x82", 2, signature);
    assert_hex(signature, "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac");
    assert_hex(signature + 32, "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    assert_true(m31ri_ed25519_holds(public, "\xaf\x82", 2, signature));
    assert_false(m31ri_ed25519_holds(public, "\xaf\x83", 2, signature));
    signature[40] ^= 1;
    assert_false(m31ri_ed25519_holds(public, "\xaf\x82", 2, signature));
}

#define RFC_8410_KEY "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"

static void test_pem__of_rfc_8410_with_and_without_the_public_key(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n",
        "text before it\n-----BEGIN PRIVATE KEY-----\r\n"
        "MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\r\n"
        "oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\r\n"
        "Z9w7lshQhqowtrbLDFw4rXAxZuE=\r\n"
        "-----END PRIVATE KEY-----"};
    uint8_t secret[M31RI_KEY_BYTES];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        memset(secret, 0, sizeof secret);
        assert_true(m31ri_ed25519_pem_read(keys[i], strlen(keys[i]), secret));
        assert_hex(secret, RFC_8410_KEY);
    }
    m31ri_buf text = M31RI_BUF_INIT;
    assert_true(m31ri_ed25519_pem_write(secret, &text));
    assert_string_equal(m31ri_buf_str(&text), keys[0]);
    /* Each prefix, and each changed byte of what is no digit of the key itself. */
    for (size_t length = 0; length < strlen(keys[0]) - 1; length++) {
        assert_false(m31ri_ed25519_pem_read(keys[0], length, secret));
    }
    for (size_t i = 0; i < 28 + 20; i++) {
        text.data[i] ^= 2;
        assert_false(m31ri_ed25519_pem_read(text.data, text.length, secret) && i != 27);
        text.data[i] ^= 2;
    }
    m31ri_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256__in_one_call_and_in_pieces),
        cmocka_unit_test(test_hmac__of_rfc_4231),
        cmocka_unit_test(test_base64__of_rfc_4648),
        cmocka_unit_test(test_ed25519__of_rfc_8032),
        cmocka_unit_test(test_pem__of_rfc_8410_with_and_without_the_public_key),
    };
    return cmocka_run_group_tests_name("crypto", tests, NULL, NULL);
}
