/* manifest.c - what every file of the run was; manifest.h has the form.
 *
 * The tree is listed first and sorted, then each file is read once: its whole digest and, for logs
 * and points, the digests of its blocks are taken from the same bytes. A record file is made
 * read-only before it is read, so that nobody opens it for writing between the two.
 */
#include "store/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/blocks.h"
#include "format/digest_cache.h"
#include "format/json_text.h"
#include "format/merkle.h"
#include "format/run_files.h"
#include "format/seal.h"
#include "format/seal_key.h"
#include "format/seekable.h"
#include "format/segments.h"
#include "format/timestamp.h"
#include "store/artifact_fate.h"
#include "store/checkpoints.h"
#include "store/seal_chain.h"

#define READ_BYTES (256 * 1024)
#define METADATA_BYTES (16 * 1024 * 1024)

/* Digests of one file, taken together. */
typedef struct digests {
    uint8_t sha256[M31RI_SHA256_BYTES];
    uint64_t n_bytes;
    bool has_tree;
    m31ri_merkle tree;
    uint64_t n_changed; /* blocks that are not what their checkpoint said */
} digests;

typedef struct sealing {
    const m31ri_run_dir *dir;
    m31ri_checkpoints *checkpoints;
    m31ri_part *part; /* of the file that is read */
    digests *now;
    char *bytes;      /* READ_BYTES */
    json_t *metadata; /* for what was hashed before; NULL when it cannot be read */
} sealing;

static m31r_err fail_nomem(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

static bool take_block(void *context, const m31ri_block *b, const char *checks)
{
    sealing *s = context;
    m31ri_merkle_add_digest(&s->now->tree, b->leaf);
    s->now->n_changed += !m31ri_checkpoints_add(s->checkpoints, s->part, b, checks);
    return true;
}

/* Reads the file once: its digest, and (`cutter` not NULL) the blocks of its bytes. 0 or errno. */
static int read_all(sealing *s, int fd, m31ri_cutter *cutter)
{
    m31ri_sha256 *whole = m31ri_sha256_new();
    int err = whole != NULL ? 0 : ENOMEM;
    for (ssize_t n = 1; err == 0 && n != 0;) {
        n = read(fd, s->bytes, READ_BYTES);
        err = n < 0 && errno != EINTR ? errno : 0;
        size_t length = n > 0 ? (size_t)n : 0;
        if (err == 0) {
            m31ri_sha256_add(whole, s->bytes, length);
            s->now->n_bytes += length;
        }
        if (err == 0 && cutter != NULL && !m31ri_cutter_add(cutter, s->bytes, length)) {
            err = ENOMEM;
        }
    }
    if (err == 0) {
        m31ri_sha256_end(whole, s->now->sha256);
    }
    m31ri_sha256_free(whole);
    return err;
}

static bool cut_more(void *cutter, const char *bytes, size_t length)
{
    return m31ri_cutter_add(cutter, bytes, length);
}

/* The tree of a compressed segment is over its plain bytes; where they cannot be read there is
 * none. */
static int read_plain(sealing *s, int fd, m31ri_cutter *cutter)
{
    m31r_err err = m31ri_seekable_walk(fd, cut_more, cutter, NULL);
    s->now->has_tree = err == M31R_OK;
    return err == M31R_E_NOMEM ? ENOMEM : 0;
}

/* The part of a file of records that is no segment: one behind the last segment. 0 or errno. */
static int find_part(sealing *s, const char *path)
{
    char file[128];
    uint32_t part;
    m31ri_run_file_part(path, file, sizeof file, &part);
    if (part == 0) {
        m31ri_segment_list segments;
        if (m31ri_segment_list_read(s->dir->fd, file, &segments, NULL) != M31R_OK) {
            return ENOMEM;
        }
        part = segments.n > 0 ? segments.segments[segments.n - 1].ordinal + 1 : 1;
        m31ri_segment_list_release(&segments);
    }
    s->part = m31ri_checkpoints_part(s->checkpoints, file, part);
    return s->part != NULL ? 0 : ENOMEM;
}

static int read_lines(sealing *s, const char *path, int fd)
{
    m31ri_cutter cutter;
    size_t n = strlen(path);
    bool is_packed = n > 4 && strcmp(path + n - 4, ".zst") == 0;
    int err = find_part(s, path);
    if (err != 0 || !m31ri_cutter_init(&cutter, 0, 0)) {
        return ENOMEM;
    }
    cutter.with_checks = true;
    cutter.each = take_block;
    cutter.context = s;
    s->now->has_tree = true;
    err = read_all(s, fd, is_packed ? NULL : &cutter);
    if (err == 0 && is_packed) {
        err = read_plain(s, fd, &cutter);
    }
    if (err == 0 && s->now->has_tree && !m31ri_cutter_end(&cutter)) {
        err = ENOMEM;
    }
    m31ri_cutter_release(&cutter);
    /* Less than was there when it was last looked at: what followed is gone. */
    if (s->now->tree.n_leaves < s->part->n_blocks && s->now->has_tree) {
        s->now->n_changed += s->part->n_blocks - s->now->tree.n_leaves;
    }
    m31ri_checkpoints_flush(s->checkpoints);
    return err;
}

static void make_read_only(int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0) {
        fchmod(fd, st.st_mode & 0444); /* another's file stays as it is */
    }
}

/* A checkpoint that was hashed when it was registered, and is what it was then. */
static bool was_hashed(sealing *s, const char *path, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return false;
    }
    const char *hex = m31ri_artifact_digest(s->metadata, path, &st);
    if ((hex == NULL || !m31ri_sha256_unhex(hex, s->now->sha256)) &&
        !m31ri_digest_find(&st, s->now->sha256)) {
        return false;
    }
    s->now->n_bytes = (uint64_t)st.st_size;
    return true;
}

static json_t *load_metadata(int run)
{
    m31ri_buf text = M31RI_BUF_INIT;
    json_t *root = NULL;
    if (m31ri_read_file(run, "metadata.json", METADATA_BYTES, &text, NULL) == M31R_OK) {
        root = json_loadb(m31ri_buf_str(&text), text.length, 0, NULL);
    }
    m31ri_buf_release(&text);
    return root;
}

static int digest_file(sealing *s, const m31ri_run_file *f)
{
    if (f->is_link) {
        ssize_t n = readlinkat(s->dir->fd, f->path, s->bytes, PATH_MAX);
        s->now->n_bytes = n > 0 ? (uint64_t)n : 0;
        m31ri_sha256_of(s->bytes, s->now->n_bytes, s->now->sha256);
        return n < 0 ? errno : 0;
    }
    int fd = m31ri_run_file_open(s->dir->fd, f->path);
    if (fd < 0) {
        return errno;
    }
    if (m31ri_run_file_is_record(f->path)) {
        make_read_only(fd);
    }
    if (!m31ri_run_file_is_record(f->path) && was_hashed(s, f->path, fd)) {
        close(fd);
        return 0;
    }
    int err =
        m31ri_run_file_has_lines(f->path) ? read_lines(s, f->path, fd) : read_all(s, fd, NULL);
    close(fd);
    return err;
}

static void write_hex(m31ri_buf *line, const char *key, const uint8_t digest[M31RI_SHA256_BYTES])
{
    char hex[M31RI_SHA256_HEX];
    m31ri_sha256_hex(digest, hex);
    m31ri_buf_add_format(line, ",\"%s\":\"%s\"", key, hex);
}

/* A name of the file system is bytes; where they are no UTF-8, which JSON cannot hold, they stand
 * beside it in hexadecimal. */
static void write_name(m31ri_buf *line, const char *key, const char *name, size_t length)
{
    m31ri_buf_add_format(line, "\"%s\":", key);
    m31ri_json_string(line, name, length);
    if (!m31ri_utf8_is_valid(name, length)) {
        m31ri_buf_add_format(line, ",\"%s_hex\":\"", key);
        for (size_t i = 0; i < length; i++) {
            m31ri_buf_add_format(line, "%02x", (unsigned)(unsigned char)name[i]);
        }
        m31ri_buf_add_char(line, '"');
    }
}

/* The line of a file, from { to }. Nothing when the file was removed since it was listed: a
 * checkpoint that made room. */
static m31r_err write_line(sealing *s, const m31ri_run_file *f, m31ri_buf *line, m31r_error *e)
{
    uint8_t root[M31RI_SHA256_BYTES];
    memset(s->now, 0, sizeof *s->now);
    int err = digest_file(s, f);
    if (err == ENOENT) {
        return M31R_OK;
    }
    if (err != 0) {
        return m31ri_fail_sys(e, err, f->path, "reading %s", f->path);
    }
    bool is_record = m31ri_run_file_is_record(f->path) && !f->is_link;
    m31ri_buf_add_char(line, '{');
    write_name(line, "path", f->path, strlen(f->path));
    m31ri_buf_add_format(line, ",\"class\":\"%s\",\"bytes\":%llu", is_record ? "record" : "payload",
                         (unsigned long long)s->now->n_bytes);
    write_hex(line, "sha256", s->now->sha256);
    if (s->now->has_tree) {
        m31ri_merkle_root(&s->now->tree, root);
        write_hex(line, "merkle", root);
        m31ri_buf_add_format(line, ",\"blocks\":%llu", (unsigned long long)s->now->tree.n_leaves);
    }
    if (s->now->n_changed > 0) {
        m31ri_buf_add_format(line, ",\"changed_while_live\":%llu",
                             (unsigned long long)s->now->n_changed);
    }
    if (f->is_link) {
        m31ri_buf_add_char(line, ',');
        write_name(line, "target", s->bytes, (size_t)s->now->n_bytes);
    }
    m31ri_buf_add_char(line, '}');
    return m31ri_buf_ok(line) ? M31R_OK : fail_nomem(e);
}

/* The lines of all files. The list of blocks comes last: it grows while the others are read. */
static m31r_err write_file_lines(sealing *s, const m31ri_run_files *l, m31ri_buf *lines,
                                 m31r_error *e)
{
    m31r_err err = M31R_OK;
    size_t list = l->n;
    for (size_t i = 0; i < l->n && err == M31R_OK; i++) {
        if (strcmp(l->files[i].path, M31RI_BLOCKS_FILE) == 0) {
            list = i;
        } else {
            err = write_line(s, &l->files[i], &lines[i], e);
        }
    }
    return err == M31R_OK && list < l->n ? write_line(s, &l->files[list], &lines[list], e) : err;
}

/* Joins the lines and enters each in the tree. */
static bool add_lines(const m31ri_buf *lines, size_t n, m31ri_buf *out, m31ri_merkle *tree)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t leaf[M31RI_SHA256_BYTES];
        if (lines[i].length == 0) {
            continue;
        }
        if (!m31ri_merkle_leaf(lines[i].data, lines[i].length, leaf)) {
            return false;
        }
        m31ri_buf_add_str(out, tree->n_leaves == 0 ? "" : ",\n");
        m31ri_merkle_add_digest(tree, leaf);
        m31ri_buf_add(out, lines[i].data, lines[i].length);
    }
    return true;
}

static void seal_itself(int run)
{
    int fd = m31ri_open(run, "manifest.json", O_RDONLY | O_NONBLOCK, 0);
    if (fd >= 0) {
        make_read_only(fd);
        close(fd);
    }
}

/* Names the predecessor, and makes the seal known: first in the run, then in the chain. */
static m31r_err finish(const m31ri_run_dir *d, m31ri_seal *seal, m31ri_buf *text, m31r_error *e)
{
    m31ri_seal_chain chain;
    m31ri_seal last;
    m31ri_seal_chain_open(&chain, d->fd);
    if (m31ri_seal_chain_last(&chain, &last)) {
        snprintf(seal->previous, sizeof seal->previous, "%s", last.run_id);
        snprintf(seal->previous_seal, sizeof seal->previous_seal, "%s", last.digest);
    }
    bool is_fine = m31ri_seal_sign(seal);
    m31ri_buf_add_format(text, "\n],\"root\":\"%s\",\"seal\":", seal->root);
    m31ri_seal_write(seal, text);
    m31ri_buf_add_str(text, "}\n");
    m31r_err err =
        is_fine && m31ri_buf_ok(text)
            ? m31ri_replace_file(d->fd, "manifest.json", text->data, text->length, true, e)
            : fail_nomem(e);
    if (err == M31R_OK) {
        seal_itself(d->fd);
        m31ri_seal_chain_add(&chain, seal);
    }
    m31ri_seal_chain_close(&chain);
    return err;
}

static m31r_err seal_files(sealing *s, const m31ri_run_files *l, m31r_error *e)
{
    m31ri_seal seal = {.n_files = 0};
    uint8_t root[M31RI_SHA256_BYTES];
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_merkle tree = M31RI_MERKLE_INIT;
    m31ri_buf *lines = m31ri_calloc(l->n + 1, sizeof *lines);
    m31r_err err = lines != NULL ? write_file_lines(s, l, lines, e) : fail_nomem(e);
    if (err == M31R_OK) {
        snprintf(seal.run_id, sizeof seal.run_id, "%s", s->dir->run_id);
        m31ri_timestamp_write(m31ri_wall_ns(), seal.made);
        m31ri_buf_add_str(&text, "{\"format_version\":1,\"run_id\":");
        m31ri_json_string(&text, seal.run_id, strlen(seal.run_id));
        m31ri_buf_add_format(&text, ",\"made\":\"%s\",\"files\":[\n", seal.made);
        err = add_lines(lines, l->n, &text, &tree) ? M31R_OK : fail_nomem(e);
    }
    if (err == M31R_OK) {
        m31ri_merkle_root(&tree, root);
        m31ri_sha256_hex(root, seal.root);
        seal.n_files = tree.n_leaves;
        err = finish(s->dir, &seal, &text, e);
    }
    for (size_t i = 0; lines != NULL && i < l->n; i++) {
        m31ri_buf_release(&lines[i]);
    }
    m31ri_free(lines);
    m31ri_buf_release(&text);
    return err;
}

uint64_t m31ri_manifest_cost(const m31ri_run_dir *d, const json_t *metadata)
{
    m31ri_run_files l;
    uint64_t bytes = 0;
    if (m31ri_run_files_read(d->fd, &l, NULL) != M31R_OK) {
        return 0;
    }
    for (size_t i = 0; i < l.n; i++) {
        const char *path = l.files[i].path;
        struct stat st;
        if (!m31ri_run_file_is_record(path) &&
            fstatat(d->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
            m31ri_artifact_digest(metadata, path, &st) == NULL) {
            bytes += (uint64_t)st.st_size;
        }
    }
    m31ri_run_files_release(&l);
    return bytes;
}

m31r_err m31ri_manifest_write(const m31ri_run_dir *d, m31r_error *e)
{
    m31ri_run_files l = {0};
    digests now;
    sealing s = {.dir = d, .now = &now, .bytes = m31ri_alloc(READ_BYTES)};
    m31r_err err =
        s.bytes != NULL ? m31ri_checkpoints_open(d->fd, &s.checkpoints, e) : fail_nomem(e);
    if (err == M31R_OK) {
        m31ri_checkpoints_begin(s.checkpoints); /* so that the list has a place in the manifest */
        err = m31ri_run_files_read(d->fd, &l, e);
    }
    s.metadata = load_metadata(d->fd);
    err = err == M31R_OK ? seal_files(&s, &l, e) : err;
    json_decref(s.metadata);
    m31ri_checkpoints_close(s.checkpoints);
    m31ri_run_files_release(&l);
    m31ri_free(s.bytes);
    return err;
}
