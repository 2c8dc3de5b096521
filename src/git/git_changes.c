/* git_changes.c - the changed and untracked files, and one digest over them. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/sha256.h"
#include "git/git_facts_int.h"

static m31r_err no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory reading git facts");
}

m31r_err m31ri_git_changes_add(m31ri_git_changes *c, const char *path, const uint8_t digest[32],
                               m31r_error *e)
{
    if (c->n == c->capacity) {
        size_t capacity = c->capacity == 0 ? 64 : c->capacity * 2;
        m31ri_git_change *items = m31ri_realloc(c->items, capacity * sizeof *items);
        if (items == NULL) {
            return no_memory(e);
        }
        c->items = items;
        c->capacity = capacity;
    }
    char *copy = m31ri_strdup(path);
    if (copy == NULL) {
        return no_memory(e);
    }
    c->items[c->n].path = copy;
    memcpy(c->items[c->n].digest, digest, 32);
    c->n++;
    return M31R_OK;
}

void m31ri_git_changes_release(m31ri_git_changes *c)
{
    for (size_t i = 0; i < c->n; i++) {
        m31ri_free(c->items[i].path);
    }
    m31ri_free(c->items);
}

/* By path; a file that was taken out of the index and left lying is there twice, so then by digest.
 */
static int by_path(const void *a, const void *b)
{
    const m31ri_git_change *x = a;
    const m31ri_git_change *y = b;
    int order = strcmp(x->path, y->path);
    return order != 0 ? order : memcmp(x->digest, y->digest, sizeof x->digest);
}

m31r_err m31ri_git_changes_digest(m31ri_git_changes *c, uint8_t out[32], m31r_error *e)
{
    memset(out, 0, 32);
    if (c->n == 0) {
        return M31R_OK;
    }
    m31ri_sha256 *h = m31ri_sha256_new();
    if (h == NULL) {
        return no_memory(e);
    }
    qsort(c->items, c->n, sizeof *c->items, by_path);
    for (size_t i = 0; i < c->n; i++) {
        m31ri_sha256_add(h, c->items[i].path, strlen(c->items[i].path) + 1);
        m31ri_sha256_add(h, c->items[i].digest, 32);
    }
    m31ri_sha256_end(h, out);
    m31ri_sha256_free(h);
    return M31R_OK;
}
