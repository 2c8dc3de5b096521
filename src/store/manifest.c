/* manifest.c - what every file of the run was; manifest.h has the form.
 *
 * The tree is listed first and sorted, then each file is read once: its whole digest and, for logs
 * and points, the digests of its blocks are taken from the same bytes. A record file is made
 * read-only before it is read, so that nobody opens it for writing between the two.
 */
#include "store/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/seekable.h"
#include "format/json_text.h"
#include "format/timestamp.h"
#include "store/merkle.h"

#define DEPTH_LIMIT 64
#define READ_BYTES (256 * 1024)
#define BLOCK_LEAST_BYTES 65536

typedef struct file {
    char *path; /* below the run directory */
    bool is_link;
} file;

typedef struct file_list {
    file *files;
    size_t n, capacity;
} file_list;

/* Digests of one file, taken together. */
typedef struct digests {
    m31ri_sha256 *whole;
    m31ri_sha256 *block; /* NULL: no tree */
    uint64_t block_length;
    uint64_t n_bytes;
    bool has_tree;
    m31ri_merkle tree;
} digests;

static m31r_err fail_nomem(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* What is left out at the top of a run. */
static bool is_left_out(const char *path)
{
    static const char *const names[] = {"manifest.json",   "notes.jsonl",       ".live",
                                        ".live.ending",    "manifest.json.tmp", "metadata.json.tmp",
                                        "metrics.json.tmp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(path, names[i]) == 0) {
            return true;
        }
    }
    return ends_in(path, ".log.zst.tmp") && strchr(path, '/') == NULL;
}

/* A file of lines that has a tree. */
static bool is_lines(const char *path)
{
    if (strchr(path, '/') != NULL) {
        return false;
    }
    return ends_in(path, ".log") || ends_in(path, ".log.zst") ||
           (strncmp(path, "metrics.", 8) == 0 && ends_in(path, ".csv"));
}

static bool is_record(const char *path)
{
    static const char *const names[] = {"metadata.json", "metrics.json", "config_snapshot.yaml",
                                        "code.diff"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(path, names[i]) == 0) {
            return true;
        }
    }
    return is_lines(path) || strncmp(path, "untracked/", 10) == 0 ||
           (strchr(path, '/') == NULL && strncmp(path, "config_original.", 16) == 0);
}

static void release_list(file_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free(l->files[i].path);
    }
    m31ri_free(l->files);
}

/* Takes over `path`. */
static m31r_err add_file(file_list *l, char *path, bool is_link, m31r_error *e)
{
    if (l->n == l->capacity) {
        size_t capacity = l->capacity != 0 ? l->capacity * 2 : 32;
        file *files = m31ri_realloc(l->files, capacity * sizeof *files);
        if (files == NULL) {
            m31ri_free(path);
            return fail_nomem(e);
        }
        l->files = files;
        l->capacity = capacity;
    }
    l->files[l->n++] = (file){.path = path, .is_link = is_link};
    return M31R_OK;
}

static m31r_err list_files(int dir, const char *prefix, int depth, file_list *l, m31r_error *e);

static m31r_err list_entry(int dir, const char *prefix, int depth, const m31ri_dir_entry *entry,
                           file_list *l, m31r_error *e)
{
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_buf_add_format(&path, "%s%s%s", prefix, prefix[0] != '\0' ? "/" : "", entry->name);
    if (!m31ri_buf_ok(&path)) {
        m31ri_buf_release(&path);
        return fail_nomem(e);
    }
    if (entry->type == 'o' || is_left_out(path.data)) {
        m31ri_buf_release(&path);
        return M31R_OK;
    }
    if (entry->type != 'd') {
        return add_file(l, path.data, entry->type == 'l', e);
    }
    m31r_err err;
    int fd = m31ri_open_dir(dir, entry->name, false);
    if (fd >= 0) {
        err = list_files(fd, path.data, depth + 1, l, e);
        close(fd);
    } else {
        err = m31ri_fail_sys(e, errno, path.data, "opening directory %s", path.data);
    }
    m31ri_buf_release(&path);
    return err;
}

static m31r_err list_files(int dir, const char *prefix, int depth, file_list *l, m31r_error *e)
{
    if (depth > DEPTH_LIMIT) {
        return m31ri_fail(e, M31R_E_LIMIT, "%s is nested deeper than %d directories", prefix,
                          DEPTH_LIMIT);
    }
    m31ri_dir_list list;
    m31r_err err = m31ri_dir_list_fd(dir, &list, e);
    if (err != M31R_OK) {
        return err;
    }
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        err = list_entry(dir, prefix, depth, &list.entries[i], l, e);
    }
    m31ri_dir_list_release(&list);
    return err;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const file *)a)->path, ((const file *)b)->path);
}

static void start_block(digests *g)
{
    static const uint8_t leaf_prefix = 0;
    m31ri_sha256_add(g->block, &leaf_prefix, 1);
    g->block_length = 0;
}

static void end_block(digests *g)
{
    uint8_t leaf[M31RI_SHA256_BYTES];
    m31ri_sha256_end(g->block, leaf);
    m31ri_merkle_add_digest(&g->tree, leaf);
    start_block(g);
}

static void add_to_tree(digests *g, const char *bytes, size_t length)
{
    while (length > 0) {
        /* Bytes that cannot end the block are skipped over when looking for the newline. */
        uint64_t skip =
            g->block_length < BLOCK_LEAST_BYTES ? BLOCK_LEAST_BYTES - g->block_length : 0;
        const char *newline =
            skip < length ? memchr(bytes + skip, '\n', length - (size_t)skip) : NULL;
        size_t taken = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
        m31ri_sha256_add(g->block, bytes, taken);
        g->block_length += taken;
        if (newline != NULL) {
            end_block(g);
        }
        bytes += taken;
        length -= taken;
    }
}

static int read_all(digests *g, int fd, char *bytes)
{
    for (;;) {
        ssize_t n = read(fd, bytes, READ_BYTES);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        size_t length = n > 0 ? (size_t)n : 0;
        m31ri_sha256_add(g->whole, bytes, length);
        if (g->block != NULL) {
            add_to_tree(g, bytes, length);
        }
        g->n_bytes += length;
    }
    if (g->block != NULL && g->block_length != 0) {
        end_block(g);
    }
    return 0;
}

/* The tree of a compressed segment is over its plain bytes; where they cannot be read there is
 * none.
 */
static int read_plain(digests *g, int fd)
{
    m31ri_seekable seekable;
    m31ri_buf plain = M31RI_BUF_INIT;
    m31r_err err = m31ri_seekable_init(&seekable, fd, NULL);
    for (size_t i = 0; err == M31R_OK && i < seekable.list.n; i++) {
        err = m31ri_seekable_read(&seekable, i, &plain, NULL);
        if (err == M31R_OK) {
            add_to_tree(g, m31ri_buf_str(&plain), plain.length);
        }
    }
    if (err == M31R_OK && g->block_length != 0) {
        end_block(g);
    }
    m31ri_seekable_release(&seekable);
    m31ri_buf_release(&plain);
    g->has_tree = err == M31R_OK;
    return err == M31R_E_NOMEM ? ENOMEM : 0;
}

/* Opens `path` part by part, no link followed on the way. */
static int open_below(int dir, const char *path)
{
    int at = dir;
    for (;;) {
        size_t length = strcspn(path, "/");
        char part[NAME_MAX + 1];
        if (length >= sizeof part) {
            errno = ENAMETOOLONG;
            length = 0;
        }
        memcpy(part, path, length);
        part[length] = '\0';
        bool is_last = path[length] == '\0';
        int fd = -1;
        if (length != 0) {
            fd = is_last ? m31ri_open(at, part, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
                         : m31ri_open_dir(at, part, false);
        }
        if (at != dir) {
            int saved = errno;
            close(at);
            errno = saved;
        }
        if (fd < 0 || is_last) {
            return fd;
        }
        at = fd;
        path += length + 1;
    }
}

static void make_read_only(int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0) {
        fchmod(fd, st.st_mode & 0444); /* another's file stays as it is */
    }
}

static int digest_file(const m31ri_run_dir *d, const char *path, digests *g, char *bytes)
{
    int fd = open_below(d->fd, path);
    if (fd < 0) {
        return errno;
    }
    if (is_record(path)) {
        make_read_only(fd);
    }
    bool is_packed = g->block != NULL && ends_in(path, ".zst");
    m31ri_sha256 *block = g->block;
    g->block = is_packed ? NULL : block;
    g->has_tree = g->block != NULL;
    int err = read_all(g, fd, bytes);
    g->block = block;
    if (err == 0 && is_packed) {
        err = read_plain(g, fd);
    }
    close(fd);
    return err;
}

static void write_hex(m31ri_buf *line, const char *key, const uint8_t digest[M31RI_SHA256_BYTES])
{
    char hex[M31RI_SHA256_HEX];
    m31ri_sha256_hex(digest, hex);
    m31ri_buf_add_format(line, ",\"%s\":\"%s\"", key, hex);
}

/* The line of a file, from { to }. */
static m31r_err write_line(const m31ri_run_dir *d, const file *f, char *bytes, m31ri_buf *line,
                           m31r_error *e)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    char target[PATH_MAX];
    ssize_t target_length = 0;
    digests g = {.whole = m31ri_sha256_new()};
    g.block = is_lines(f->path) && !f->is_link ? m31ri_sha256_new() : NULL;
    int err = g.whole == NULL || (is_lines(f->path) && !f->is_link && g.block == NULL) ? ENOMEM : 0;
    if (err == 0 && g.block != NULL) {
        start_block(&g);
    }
    if (err == 0 && f->is_link) {
        target_length = readlinkat(d->fd, f->path, target, sizeof target);
        err = target_length < 0 ? errno : 0;
        m31ri_sha256_add(g.whole, target, err == 0 ? (size_t)target_length : 0);
        g.n_bytes = err == 0 ? (uint64_t)target_length : 0;
    } else if (err == 0) {
        err = digest_file(d, f->path, &g, bytes);
    }
    if (err == 0) {
        m31ri_sha256_end(g.whole, digest);
        m31ri_buf_add_str(line, "{\"path\":");
        m31ri_json_string(line, f->path, strlen(f->path));
        m31ri_buf_add_format(line, ",\"class\":\"%s\",\"bytes\":%llu",
                             is_record(f->path) && !f->is_link ? "record" : "payload",
                             (unsigned long long)g.n_bytes);
        write_hex(line, "sha256", digest);
    }
    if (err == 0 && g.has_tree) {
        m31ri_merkle_root(&g.tree, digest);
        write_hex(line, "merkle", digest);
    }
    if (err == 0 && f->is_link) {
        m31ri_buf_add_str(line, ",\"target\":");
        m31ri_json_string(line, target, (size_t)target_length);
    }
    m31ri_buf_add_char(line, '}');
    m31ri_sha256_free(g.whole);
    m31ri_sha256_free(g.block);
    if (err != 0) {
        return m31ri_fail_sys(e, err, f->path, "reading %s", f->path);
    }
    return m31ri_buf_ok(line) ? M31R_OK : fail_nomem(e);
}

/* Appends the lines to `out` and enters each in the tree. */
static m31r_err write_lines(const m31ri_run_dir *d, const file_list *l, m31ri_buf *out,
                            m31ri_merkle *tree, m31r_error *e)
{
    m31ri_buf line = M31RI_BUF_INIT;
    char *bytes = m31ri_alloc(READ_BYTES);
    m31r_err err = bytes != NULL ? M31R_OK : fail_nomem(e);
    bool is_first = true;
    for (size_t i = 0; i < l->n && err == M31R_OK; i++) {
        uint8_t leaf[M31RI_SHA256_BYTES];
        m31ri_buf_clear(&line);
        m31ri_buf_add_char(&line, '\0'); /* the leaf's prefix */
        err = write_line(d, &l->files[i], bytes, &line, e);
        if (err == M31R_E_NOTFOUND) {
            err = M31R_OK; /* removed since it was listed: a checkpoint that made room */
            continue;
        }
        if (err != M31R_OK) {
            break;
        }
        m31ri_sha256_of(line.data, line.length, leaf);
        m31ri_merkle_add_digest(tree, leaf);
        m31ri_buf_add_str(out, is_first ? "" : ",\n");
        m31ri_buf_add(out, line.data + 1, line.length - 1);
        is_first = false;
    }
    m31ri_free(bytes);
    m31ri_buf_release(&line);
    return err;
}

m31r_err m31ri_manifest_write(const m31ri_run_dir *d, m31r_error *e)
{
    char now[M31RI_TIMESTAMP_BYTES + 1];
    char hex[M31RI_SHA256_HEX];
    uint8_t root[M31RI_SHA256_BYTES];
    file_list l = {0};
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_merkle *tree = m31ri_calloc(1, sizeof *tree);
    m31r_err err = tree != NULL ? list_files(d->fd, "", 0, &l, e) : fail_nomem(e);
    if (err == M31R_OK) {
        if (l.n > 1) {
            qsort(l.files, l.n, sizeof *l.files, by_path);
        }
        m31ri_timestamp_write(m31ri_wall_ns(), now);
        m31ri_buf_add_str(&text, "{\"format_version\":1,\"run_id\":");
        m31ri_json_string(&text, d->run_id, strlen(d->run_id));
        m31ri_buf_add_format(&text, ",\"made\":\"%s\",\"files\":[\n", now);
        err = write_lines(d, &l, &text, tree, e);
    }
    if (err == M31R_OK) {
        m31ri_merkle_root(tree, root);
        m31ri_sha256_hex(root, hex);
        m31ri_buf_add_format(&text, "\n],\"root\":\"%s\"}\n", hex);
        err = m31ri_buf_ok(&text)
                  ? m31ri_replace_file(d->fd, "manifest.json", text.data, text.length, true, e)
                  : fail_nomem(e);
    }
    m31ri_free(tree);
    m31ri_buf_release(&text);
    release_list(&l);
    return err;
}
