/* Inflate: reads what zlib writes at every level; refuses every cut and survives every flipped bit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/inflate.h"

/* Writes pairs (plain length, plain, packed length, packed), lengths as 4 bytes little end first.
 */
static const char MAKER[] =
    "import zlib,random,struct,sys\n"
    "random.seed(5); out=sys.stdout.buffer\n"
    "texts=[b'',b'a',b'abc'*1000,bytes(range(256))*40,bytes(random.randrange(256) for _ in "
    "range(70000)),\n"
    " ' '.join(random.choice(['fn','let','mut','impl','struct','u64']) for _ in "
    "range(40000)).encode()]\n"
    "for t in texts:\n"
    "  for level in (0,1,6,9):\n"
    "    for strategy in (0,2,4):\n"
    "      c=zlib.compressobj(level,8,15,8,strategy); p=c.compress(t)+c.flush()\n"
    "      out.write(struct.pack('<I',len(t))+t+struct.pack('<I',len(p))+p)\n";

static bool take_block(FILE *f, uint8_t **out, size_t *length)
{
    uint8_t n[4];
    if (fread(n, 1, 4, f) != 4) {
        return false;
    }
    *length = (size_t)n[0] | (size_t)n[1] << 8 | (size_t)n[2] << 16 | (size_t)n[3] << 24;
    *out = malloc(*length + 1);
    assert_non_null(*out);
    assert_int_equal(fread(*out, 1, *length, f), *length);
    return true;
}

static FILE *open_maker(void)
{
    FILE *f = fopen("/tmp/m31r-inflate.py", "w");
    if (f == NULL || system("python3 -c 1 2>/dev/null") != 0) {
        return NULL;
    }
    fputs(MAKER, f);
    fclose(f);
    return popen("python3 /tmp/m31r-inflate.py", "r");
}

static void test_inflate__reads_what_zlib_writes(void **state)
{
    (void)state;
    FILE *f = open_maker();
    uint8_t *plain;
    uint8_t *packed;
    size_t n_plain;
    size_t n_packed;
    int n = 0;
    if (f == NULL) {
        skip();
    }
    while (take_block(f, &plain, &n_plain) && take_block(f, &packed, &n_packed)) {
        m31ri_buf out = M31RI_BUF_INIT;
        m31r_error e;
        if (m31ri_inflate(packed, n_packed, n_plain, &out, &e) != M31R_OK) {
            fail_msg("case %d: %s", n, e.message);
        }
        assert_int_equal(out.length, n_plain);
        assert_memory_equal(m31ri_buf_str(&out), plain, n_plain);
        m31ri_buf_clear(&out);
        if (n_plain > 0) {
            assert_int_equal(m31ri_inflate(packed, n_packed, n_plain - 1, &out, NULL),
                             M31R_E_LIMIT);
        }
        m31ri_buf_clear(&out);
        assert_int_equal(m31ri_inflate(packed, n_packed - 1, n_plain, &out, NULL), M31R_E_CORRUPT);
        for (size_t i = 0; i < n_packed && i < 300;
             i++) { /* flipped: wrong, never more than an error */
            packed[i] ^= (uint8_t)(1u << (i % 8));
            m31ri_buf_clear(&out);
            m31ri_inflate(packed, n_packed, 100000, &out, NULL);
            packed[i] ^= (uint8_t)(1u << (i % 8));
        }
        m31ri_buf_release(&out);
        free(plain);
        free(packed);
        n++;
    }
    pclose(f);
    assert_int_equal(n, 72);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_inflate__reads_what_zlib_writes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
