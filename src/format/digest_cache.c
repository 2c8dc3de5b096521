/* digest_cache.c - content digests remembered by device, inode, size, mtime and ctime.
 *
 * One file for each fingerprinted path, so that reading it costs what that path costs:
 *     "M31RFP1\n"  entries, sorted by device and inode, in this machine's byte order  SHA-256 of
 * all before it A file with a wrong checksum is no file. It is replaced atomically under a lock of
 * its directory; who does not get the lock does not write. A file that changed within 2 seconds
 * before it was looked at is not remembered: a second change within the clock's grain would leave
 * the same times (git calls such an entry racy).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/digest_cache.h"
#include "base/os_remote.h"

#define MAGIC "M31RFP1\n"
#define MAGIC_BYTES 8
#define ENTRIES_MAX 1000000
#define RACY_NS 2000000000LL
#define LOCK_WAIT_MS 20
#define SHARED "files"
#define SHARED_ENTRIES_MAX 16384 /* more: it begins anew */
#define SHARED_LEAST_BYTES (1024 * 1024)
#define GRAIN_NS 10000000LL /* two writes within it may leave one time, on a local disk */

typedef struct cache_entry {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
    uint8_t digest[32];
} cache_entry;

struct m31ri_digest_cache {
    int dir;
    char file[M31RI_SHA256_HEX];
    m31ri_buf bytes; /* the file as it was read; `old` points into it */
    cache_entry *old;
    size_t n_old;
    cache_entry *added;
    size_t n_added, capacity;
    bool has_news;
};

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int by_inode(const void *a, const void *b)
{
    const cache_entry *x = a;
    const cache_entry *y = b;
    if (x->device != y->device) {
        return x->device < y->device ? -1 : 1;
    }
    return (x->inode > y->inode) - (x->inode < y->inode);
}

/* Directory of the cache, made when missing; -1 when there is no place for one. */
static int open_directory(void)
{
    const char *off = getenv("M31R_NO_CACHE");
    const char *base = getenv("XDG_CACHE_HOME");
    if (off != NULL && off[0] != '\0') {
        return -1;
    }
    const char *below = "/m31r/fingerprints";
    if (base == NULL ||
        base[0] != '/') { /* the XDG rules say that a relative one is to be ignored */
        base = getenv("HOME");
        below = "/.cache/m31r/fingerprints";
    }
    if (base == NULL || base[0] != '/') {
        return -1;
    }
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_buf_add_str(&path, base);
    m31ri_buf_add_str(&path, below);
    int dir = -1;
    if (m31ri_buf_ok(&path) && m31ri_make_dirs(path.data, NULL) == M31R_OK) {
        dir = m31ri_open_dir(AT_FDCWD, path.data, true);
    }
    m31ri_buf_release(&path);
    return dir;
}

static bool is_whole(const m31ri_buf *b)
{
    if (b->length < MAGIC_BYTES + 32 || memcmp(b->data, MAGIC, MAGIC_BYTES) != 0 ||
        (b->length - MAGIC_BYTES - 32) % sizeof(cache_entry) != 0) {
        return false;
    }
    uint8_t digest[32];
    m31ri_sha256_of(b->data, b->length - 32, digest);
    return memcmp(digest, b->data + b->length - 32, 32) == 0;
}

static m31ri_digest_cache *open_file(const char *file)
{
    m31ri_digest_cache *c = m31ri_calloc(1, sizeof *c);
    if (c == NULL || (c->dir = open_directory()) < 0) {
        m31ri_free(c);
        return NULL;
    }
    snprintf(c->file, sizeof c->file, "%s", file);
    size_t limit = MAGIC_BYTES + 32 + ENTRIES_MAX * sizeof(cache_entry);
    m31ri_read_file(c->dir, c->file, limit, &c->bytes, NULL);
    if (m31ri_buf_ok(&c->bytes) && is_whole(&c->bytes)) {
        /* MAGIC has 8 bytes and malloc aligns to 16, so the entries are aligned. */
        c->old = (cache_entry *)(void *)(c->bytes.data + MAGIC_BYTES);
        c->n_old = (c->bytes.length - MAGIC_BYTES - 32) / sizeof(cache_entry);
    }
    return c;
}

m31ri_digest_cache *m31ri_digest_cache_open(const char *path)
{
    uint8_t digest[32];
    char file[M31RI_SHA256_HEX];
    char *real = realpath(path, NULL);
    if (real == NULL) {
        return NULL;
    }
    m31ri_sha256_of(real, strlen(real), digest);
    m31ri_sha256_hex(digest, file);
    free(real);
    return open_file(file);
}

static cache_entry entry_of(const struct stat *st)
{
    cache_entry key;
    memset(&key, 0, sizeof key);
    key.device = (uint64_t)st->st_dev;
    key.inode = (uint64_t)st->st_ino;
    key.size = (uint64_t)st->st_size;
    key.mtime_ns = ns_of(st->st_mtim);
    key.ctime_ns = ns_of(st->st_ctim);
    return key;
}

static void remember(m31ri_digest_cache *c, const cache_entry *entry)
{
    if (c->n_added >= ENTRIES_MAX) {
        return;
    }
    if (c->n_added == c->capacity) {
        size_t capacity = c->capacity == 0 ? 64 : c->capacity * 2;
        cache_entry *added = m31ri_realloc(c->added, capacity * sizeof *added);
        if (added == NULL) {
            return;
        }
        c->added = added;
        c->capacity = capacity;
    }
    c->added[c->n_added++] = *entry;
}

bool m31ri_digest_cache_get(m31ri_digest_cache *c, const struct stat *st, uint8_t out[32])
{
    if (c == NULL || c->n_old == 0) {
        return false;
    }
    cache_entry key = entry_of(st);
    const cache_entry *found = bsearch(&key, c->old, c->n_old, sizeof *c->old, by_inode);
    if (found == NULL || found->size != key.size || found->mtime_ns != key.mtime_ns ||
        found->ctime_ns != key.ctime_ns) {
        return false;
    }
    memcpy(out, found->digest, 32);
    remember(c, found);
    return true;
}

void m31ri_digest_cache_add(m31ri_digest_cache *c, const struct stat *st, const uint8_t digest[32])
{
    if (c == NULL) {
        return;
    }
    cache_entry entry = entry_of(st);
    int64_t latest = entry.mtime_ns > entry.ctime_ns ? entry.mtime_ns : entry.ctime_ns;
    if (latest > m31ri_wall_ns() - RACY_NS) {
        return;
    }
    memcpy(entry.digest, digest, 32);
    remember(c, &entry);
    c->has_news = true;
}

static void write_file(m31ri_digest_cache *c)
{
    m31ri_buf b = M31RI_BUF_INIT;
    qsort(c->added, c->n_added, sizeof *c->added, by_inode);
    m31ri_buf_add(&b, MAGIC, MAGIC_BYTES);
    m31ri_buf_add(&b, c->added, c->n_added * sizeof *c->added);
    if (m31ri_buf_ok(&b)) {
        uint8_t digest[32];
        m31ri_sha256_of(b.data, b.length, digest);
        m31ri_buf_add(&b, digest, sizeof digest);
    }
    if (m31ri_buf_ok(&b) && m31ri_lock(c->dir, LOCK_WAIT_MS)) {
        m31ri_replace_file(c->dir, c->file, b.data, b.length, false, NULL);
        m31ri_unlock(c->dir);
    }
    m31ri_buf_release(&b);
}

void m31ri_digest_cache_close(m31ri_digest_cache *c, bool keep)
{
    if (c == NULL) {
        return;
    }
    if (keep && c->has_news) {
        write_file(c);
    }
    close(c->dir);
    m31ri_buf_release(&c->bytes);
    m31ri_free(c->added);
    m31ri_free(c);
}

/* ---- single files -----------------------------------------------------------------------------
 */

bool m31ri_digest_find(const struct stat *st, uint8_t out[32])
{
    if (st->st_size < SHARED_LEAST_BYTES) {
        return false;
    }
    m31ri_digest_cache *c = open_file(SHARED);
    bool is_found = m31ri_digest_cache_get(c, st, out);
    m31ri_digest_cache_close(c, false);
    return is_found;
}

static bool is_racy(int fd, const cache_entry *entry, int64_t hashed_ns)
{
    bool is_coarse = entry->mtime_ns % 1000000 == 0 || m31ri_remote_kind(fd) != NULL;
    int64_t latest = entry->mtime_ns > entry->ctime_ns ? entry->mtime_ns : entry->ctime_ns;
    return latest > hashed_ns - (is_coarse ? RACY_NS : GRAIN_NS);
}

void m31ri_digest_keep(int fd, const struct stat *st, const uint8_t digest[32], int64_t hashed_ns)
{
    cache_entry entry = entry_of(st);
    if (st->st_size < SHARED_LEAST_BYTES || is_racy(fd, &entry, hashed_ns)) {
        return;
    }
    m31ri_digest_cache *c = open_file(SHARED);
    memcpy(entry.digest, digest, 32);
    for (size_t i = 0; c != NULL && c->n_old < SHARED_ENTRIES_MAX && i < c->n_old; i++) {
        if (by_inode(&c->old[i], &entry) != 0) {
            remember(c, &c->old[i]);
        }
    }
    if (c != NULL) {
        remember(c, &entry);
        c->has_news = true;
    }
    m31ri_digest_cache_close(c, true);
}
