/* git_clean.c - a file of the work tree as git would store it: CRLF made LF where git is told so, a
 * pointer for a file of Git LFS.
 *
 * With `text` every CRLF becomes LF. With `auto` (or core.autocrlf) only in a file that looks like
 * text and whose version in the index has no CRLF, as gitattributes(5) says.
 */
#include <string.h>

#include "base/fail.h"
#include "base/sha256.h"
#include "git/git_facts_int.h"

#define LFS_POINTER_BYTES 1024 /* a larger file is none */

typedef struct counts {
    size_t crlf, lone_cr, nul, odd, plain;
} counts;

static counts count_bytes(const m31ri_buf *b)
{
    counts c = {0};
    for (size_t i = 0; i < b->length; i++) {
        unsigned char byte = (unsigned char)b->data[i];
        if (byte == '\r') {
            bool is_pair = i + 1 < b->length && b->data[i + 1] == '\n';
            c.crlf += is_pair;
            c.lone_cr += !is_pair;
        } else if (byte == '\n') {
            continue;
        } else if (byte == 0x7f || (byte < 0x20 && memchr("\b\t\033\014", byte, 4) == NULL)) {
            c.nul += byte == 0;
            c.odd++;
        } else {
            c.plain++;
        }
    }
    bool ends_with_eof = b->length > 0 && b->data[b->length - 1] == '\032';
    c.odd -= ends_with_eof && c.odd > 0;
    return c;
}

/* Git's own guess: one odd byte in 128 is too much for a text. */
static bool looks_binary(const counts *c)
{
    return c->lone_cr > 0 || c->nul > 0 || (c->plain >> 7) < c->odd;
}

static void drop_cr(m31ri_buf *b)
{
    size_t out = 0;
    for (size_t i = 0; i < b->length; i++) {
        if (b->data[i] != '\r' || i + 1 == b->length || b->data[i + 1] != '\n') {
            b->data[out++] = b->data[i];
        }
    }
    b->length = out;
    b->data[out] = '\0';
}

m31r_err m31ri_git_clean(const m31ri_git_repo *r, const m31ri_git_manner *manner,
                         const uint8_t *index_oid, m31ri_buf *bytes, m31r_error *e)
{
    if (manner->text == M31RI_GIT_TEXT_NO || bytes->length == 0) {
        return M31R_OK;
    }
    counts c = count_bytes(bytes);
    if (c.crlf == 0) {
        return M31R_OK;
    }
    if (manner->text == M31RI_GIT_TEXT_AUTO) {
        m31ri_buf stored = M31RI_BUF_INIT;
        m31r_error why;
        if (looks_binary(&c)) {
            return M31R_OK;
        }
        m31r_err err =
            index_oid != NULL ? m31ri_git_object_read(r, index_oid, &stored, &why) : M31R_OK;
        counts of_stored = count_bytes(&stored);
        m31ri_buf_release(&stored);
        if (err == M31R_E_NOMEM) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory comparing the work tree");
        }
        if (of_stored.crlf > 0 && !looks_binary(&of_stored)) {
            return M31R_OK;
        }
    }
    drop_cr(bytes);
    return M31R_OK;
}

bool m31ri_git_lfs_pointer(int top, const char *path, m31ri_buf *out)
{
    static const char version[] = "version https://git-lfs.github.com/spec/v1\n";
    char hex[M31RI_SHA256_HEX];
    uint8_t digest[32];
    uint64_t n_bytes = 0;
    if (m31ri_git_work_read(top, path, LFS_POINTER_BYTES, out) &&
        strncmp(m31ri_buf_str(out), version, sizeof version - 1) == 0) {
        return true;
    }
    m31ri_buf_clear(out);
    if (!m31ri_git_content_digest(top, path, digest, &n_bytes)) {
        return false;
    }
    if (n_bytes == 0) { /* an empty file is stored as it is */
        return true;
    }
    m31ri_sha256_hex(digest, hex);
    m31ri_buf_add_format(out, "%soid sha256:%s\nsize %llu\n", version, hex,
                         (unsigned long long)n_bytes);
    return true;
}
