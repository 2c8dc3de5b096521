/* git_index.c - the index, versions 2 to 4, as gitformat-index(5) describes it.
 *
 * "DIRC" version n, then n entries in byte order of name, then extensions, then a hash that is not
 * checked here (git itself may leave it zero). Every length is checked against the end of the file
 * before it is used.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "git/git_facts_int.h"

#define HEADER_BYTES 12
#define STAT_BYTES 40 /* ctime to size */
#define HAS_MORE_FLAGS 0x4000

typedef struct cursor {
    const uint8_t *at, *end;
    size_t oid_bytes;
    uint32_t version;
} cursor;

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static size_t left(const cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* Takes name and padding of versions 2 and 3: NUL-terminated, the entry padded to a multiple of 8.
 */
static bool take_plain_name(cursor *c, const uint8_t *start, m31ri_git_entry *out)
{
    const uint8_t *nul = memchr(c->at, '\0', left(c));
    if (nul == NULL) {
        return false;
    }
    out->name = (const char *)c->at;
    size_t length = (size_t)(nul - start);
    size_t padded = (length + 8) & ~(size_t)7;
    if (padded > (size_t)(c->end - start)) {
        return false;
    }
    c->at = start + padded;
    return true;
}

/* Version 4: how many bytes to drop from the end of the previous name, then the rest of this one.
 * The unpacked name goes to `names`; its offset stands in for the pointer until all are there,
 * since the buffer moves. */
static bool take_packed_name(cursor *c, m31ri_buf *names, size_t previous, size_t *offset)
{
    size_t drop = 0;
    for (int i = 0;; i++) {
        if (left(c) == 0 || i > 8) {
            return false;
        }
        uint8_t byte = *c->at++;
        drop = (drop << 7) + (byte & 0x7f);
        if ((byte & 0x80) == 0) {
            break;
        }
        drop++; /* each continued byte counts one more: git's offset encoding has no two forms of a
                   number */
    }
    const uint8_t *nul = memchr(c->at, '\0', left(c));
    size_t previous_length = previous == SIZE_MAX ? 0 : strlen(names->data + previous);
    if (nul == NULL || drop > previous_length) {
        return false;
    }
    size_t keep = previous_length - drop;
    *offset = names->length;
    if (!m31ri_buf_reserve(names, keep + (size_t)(nul - c->at) + 1)) {
        return true; /* memory: the caller asks the buffer */
    }
    if (keep > 0) {
        m31ri_buf_add(names, names->data + previous, keep);
    }
    m31ri_buf_add(names, c->at, (size_t)(nul - c->at) + 1);
    c->at = nul + 1;
    return true;
}

static bool take_stat(cursor *c, m31ri_git_entry *out)
{
    if (left(c) < STAT_BYTES + c->oid_bytes + 2) {
        return false;
    }
    out->ctime_s = be32(c->at);
    out->ctime_ns = be32(c->at + 4);
    out->mtime_s = be32(c->at + 8);
    out->mtime_ns = be32(c->at + 12);
    out->inode = be32(c->at + 20);
    out->mode = be32(c->at + 24);
    out->size = be32(c->at + 36);
    out->oid = c->at + STAT_BYTES;
    c->at += STAT_BYTES + c->oid_bytes;
    out->flags = be16(c->at);
    c->at += 2;
    if ((out->flags & HAS_MORE_FLAGS) != 0) {
        if (c->version < 3 || left(c) < 2) {
            return false;
        }
        out->more_flags = be16(c->at);
        c->at += 2;
    }
    return true;
}

static bool take_entries(cursor *c, m31ri_git_index *x, size_t n)
{
    size_t previous = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *start = c->at;
        m31ri_git_entry *entry = &x->entries[i];
        if (!take_stat(c, entry)) {
            return false;
        }
        size_t offset = 0;
        bool taken = c->version < 4 ? take_plain_name(c, start, entry)
                                    : take_packed_name(c, &x->names, previous, &offset);
        if (!taken || !m31ri_buf_ok(&x->names)) {
            return taken;
        }
        if (c->version == 4) {
            entry->name = (const char *)(uintptr_t)offset;
            previous = offset;
        }
    }
    for (size_t i = 0; c->version == 4 && i < n; i++) {
        x->entries[i].name = x->names.data + (uintptr_t)x->entries[i].name;
    }
    x->n = n;
    return true;
}

static void look_at_extensions(const cursor *c, m31ri_git_index *x)
{
    const uint8_t *at = c->at;
    while ((size_t)(c->end - at) >= 8 + c->oid_bytes) {
        uint32_t size = be32(at + 4);
        x->is_split = x->is_split || memcmp(at, "link", 4) == 0;
        if (size > (size_t)(c->end - at) - 8) {
            return;
        }
        if (memcmp(at, "TREE", 4) == 0) {
            x->cache_tree = at + 8;
            x->cache_tree_bytes = size;
        }
        at += 8 + size;
    }
}

static m31r_err parse(m31ri_git_index *x, size_t oid_bytes, const char *path, m31r_error *e)
{
    const uint8_t *bytes = (const uint8_t *)x->bytes.data;
    cursor c = {bytes, bytes + x->bytes.length, oid_bytes, 0};
    size_t smallest = STAT_BYTES + oid_bytes + 2;
    m31r_err err = M31R_OK;
    if (x->bytes.length >= HEADER_BYTES && memcmp(bytes, "DIRC", 4) == 0) {
        c.version = be32(bytes + 4);
    }
    if (c.version < 2 || c.version > 4 || be32(bytes + 8) > x->bytes.length / smallest) {
        err = m31ri_fail(e, M31R_E_CORRUPT, "%s is not a git index of version 2 to 4", path);
    } else {
        size_t n = be32(bytes + 8);
        c.at += HEADER_BYTES;
        x->entries = m31ri_calloc(n + 1, sizeof *x->entries);
        if (x->entries == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory reading %s", path);
        }
        if (!take_entries(&c, x, n)) {
            err = m31ri_fail(e, M31R_E_CORRUPT, "%s ends inside an entry", path);
        } else if (!m31ri_buf_ok(&x->names)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory reading %s", path);
        } else {
            look_at_extensions(&c, x);
        }
    }
    if (err != M31R_OK) {
        m31ri_fail_at(e, path, 0, 0);
        m31ri_fail_hint(e, "`git status` makes a damaged index visible; `git reset` makes it anew");
    }
    return err;
}

m31r_err m31ri_git_index_read(const m31ri_git_repo *r, m31ri_git_index *out, m31r_error *e)
{
    m31ri_git_index x = {0};
    m31ri_buf path = M31RI_BUF_INIT;
    struct stat st;
    m31ri_buf_add_format(&path, "%s/index", r->git_dir);
    if (!m31ri_buf_ok(&path)) {
        m31ri_buf_release(&path);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    m31r_err err = M31R_OK;
    int fd = m31ri_open_input(path.data);
    if (fd < 0) {
        if (errno != ENOENT) {
            err = m31ri_fail_sys(e, errno, path.data, "opening %s", path.data);
        }
    } else {
        if (fstat(fd, &st) == 0) {
            x.written_s = st.st_mtim.tv_sec;
            x.written_ns = (uint32_t)st.st_mtim.tv_nsec;
        }
        err = m31ri_read_fd(fd, M31RI_GIT_FILE_BYTES, &x.bytes, e);
        close(fd);
        if (err == M31R_OK) {
            err = parse(&x, r->oid_bytes, path.data, e);
        }
    }
    m31ri_buf_release(&path);
    if (err != M31R_OK) {
        m31ri_git_index_release(&x);
        return err;
    }
    *out = x;
    return M31R_OK;
}

size_t m31ri_git_index_find(const m31ri_git_index *x, const char *name)
{
    size_t low = 0;
    size_t high = x->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(x->entries[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void m31ri_git_index_release(m31ri_git_index *x)
{
    m31ri_free(x->entries);
    m31ri_buf_release(&x->bytes);
    m31ri_buf_release(&x->names);
    *x = (m31ri_git_index){0};
}
