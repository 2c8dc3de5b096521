/* fuzz_privacy.c - any bytes through the privacy rules: nothing is read beyond them, and where
 * nothing was found nothing is changed. The first line is the key.
 */
#include <string.h>

#include "fuzz.h"
#include "rules/privacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static m31ri_privacy *p;
    if (p == NULL) {
        p = m31ri_privacy_new(NULL);
    }
    const char *key = (const char *)data;
    const char *newline = size != 0 ? memchr(key, '\n', size) : NULL;
    size_t key_length = newline != NULL ? (size_t)(newline - key) : 0;
    size_t skip = newline != NULL ? key_length + 1 : 0;
    char *text = malloc(size - skip + 1); /* its own block, so that reading beyond it is seen */
    REQUIRE(text != NULL);
    memcpy(text, key + skip, size - skip);
    text = realloc(text, size - skip != 0 ? size - skip : 1);
    m31ri_buf out = M31RI_BUF_INIT;
    uint32_t n = m31ri_privacy_scrub(p, key, key_length, text, size - skip, &out);
    REQUIRE(n != 0 || (out.length == size - skip &&
                       (out.length == 0 || memcmp(out.data, text, out.length) == 0)));
    REQUIRE(n == 0 || out.length == 0 || m31ri_buf_ok(&out));
    free(text);
    m31ri_buf_release(&out);
    return 0;
}
