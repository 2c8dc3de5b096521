/* identity_digest.c - one number for what a run is; identity.h lists what goes in.
 *
 * Each text is preceded by its length, so that no two lists give the same bytes. The arguments go
 * in redacted: a digest of a secret would be one that can be guessed at.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "identity/identity_int.h"

static void add(m31ri_sha256 *h, const void *bytes, size_t length)
{
    uint8_t prefix[8];
    for (int i = 0; i < 8; i++) {
        prefix[i] = (uint8_t)((uint64_t)length >> (8 * i));
    }
    m31ri_sha256_add(h, prefix, sizeof prefix);
    m31ri_sha256_add(h, bytes, length);
}

static void add_text(m31ri_sha256 *h, const char *text)
{
    add(h, text, strlen(text));
}

/* Length of `top` when `path` is it or below it, else 0. */
static size_t inside(const char *top, const char *path)
{
    size_t length = top != NULL ? strlen(top) : 0;
    return length > 1 && strncmp(path, top, length) == 0 &&
                   (path[length] == '/' || path[length] == '\0')
               ? length
               : 0;
}

void m31ri_identity_relative(const m31ri_identity *id, const char *path, m31ri_buf *out)
{
    char *real = realpath(path, NULL);
    const char *full = real != NULL ? real : path;
    size_t length = inside(id->git.top, full);
    if (length > 0) {
        m31ri_buf_add_str(out, full[length] == '\0' ? "." : full + length + 1);
    } else {
        m31ri_buf_add_str(out, full);
    }
    free(real);
}

static void add_path_or_version(m31ri_sha256 *h, const m31ri_identity *id, const char *version,
                                const char *path, m31ri_buf *scratch)
{
    m31ri_buf_clear(scratch);
    if (path != NULL) {
        m31ri_identity_relative(id, path, scratch);
        add_text(h, m31ri_buf_str(scratch));
    } else {
        add_text(h, version);
    }
}

/* Adds the arguments: paths inside the work tree made relative, then redacted, then without what is
 * only output. */
static bool add_command(m31ri_sha256 *h, const m31ri_identity *id)
{
    size_t argc = id->given.n;
    m31ri_buf text = M31RI_BUF_INIT;
    const char **argv = m31ri_calloc(argc + 1, sizeof *argv);
    for (size_t i = 0; argv != NULL && i < argc; i++) {
        const char *given = id->given.items[i];
        size_t length = inside(id->git.top, given);
        argv[i] = length > 0 && given[length] == '/' ? given + length + 1 : given;
    }
    if (argv != NULL) {
        m31ri_privacy_scrub_argv(id->privacy, argv, argc, &text);
    }
    bool ok = argv != NULL && m31ri_buf_ok(&text);
    const char *at = m31ri_buf_str(&text);
    for (size_t i = 0; ok && i < argc; i++) {
        argv[i] = at;
        at += strlen(at) + 1;
    }
    for (size_t i = 0; ok && i < argc; i++) {
        size_t n = 1;
        if (i > 0 && m31ri_argv_is_volatile(argv, argc, i, &n)) {
            i += n - 1;
        } else {
            add_text(h, argv[i]);
        }
    }
    m31ri_free(argv);
    m31ri_buf_release(&text);
    return ok;
}

m31r_err m31ri_identity_make_digest(m31ri_identity *id, m31r_error *e)
{
    m31ri_sha256 *h = m31ri_sha256_new();
    m31ri_buf scratch = M31RI_BUF_INIT;
    if (h == NULL) {
        return m31ri_identity_no_memory(e);
    }
    add_text(h, "m31r-identity-1");
    add(h, id->config_digest, sizeof id->config_digest);
    add_path_or_version(h, id, id->dataset, id->dataset_path, &scratch);
    add_path_or_version(h, id, id->tokenizer, id->tokenizer_path, &scratch);
    add_text(h, id->git.commit);
    add(h, id->git.changes_digest, sizeof id->git.changes_digest);
    add_text(h, id->seed);
    add_text(h, id->stage);
    bool ok = add_command(h, id);
    m31ri_sha256_end(h, id->digest);
    m31ri_sha256_free(h);
    ok = ok && m31ri_buf_ok(&scratch);
    m31ri_buf_release(&scratch);
    return ok ? M31R_OK : m31ri_identity_no_memory(e);
}
