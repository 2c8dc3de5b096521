/* proof.c - m31r/proof.h: a proof is made from the list of blocks and one block of the file.
 *
 * Nothing is believed on the way: the leaves of the list must make the tree that the manifest
 * names, and the block that is read must be its leaf. Making a proof reads the list and one block.
 */
#include "m31r/proof.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verify/manifest_read.h"
#include "verify/seal_locate.h"
#include "base/alloc.h"
#include "base/base64.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/merkle.h"
#include "format/redactions.h"
#include "format/run_files.h"
#include "format/seekable.h"
#include "format/segments.h"
#include "m31r/json.h"
#include "read/reader_int.h"

#define BLOCKS_BYTES ((size_t)1024 * 1024 * 1024)

typedef struct proving {
    int run;
    m31ri_manifest manifest;
    m31ri_block_list list;
    const m31ri_manifest_file *file;
    m31ri_block_row row;
    uint64_t block;      /* in the row */
    uint64_t line_below; /* in the block, from 0 */
    m31ri_buf bytes;     /* of the block */
} proving;

static m31r_err load(proving *p, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31ri_manifest_read(p->run, &p->manifest, e);
    if (err == M31R_E_NOTFOUND || (err == M31R_OK && !p->manifest.has_seal)) {
        return m31ri_fail(e, M31R_E_NOTFOUND, "the run is not sealed: nothing can be proved of it");
    }
    if (err == M31R_OK && p->manifest.fault[0] != '\0') {
        return m31ri_fail(e, M31R_E_INVALID, "manifest.json: %s", p->manifest.fault);
    }
    err = err == M31R_OK ? m31ri_read_file(p->run, M31RI_BLOCKS_FILE, BLOCKS_BYTES, &text, e) : err;
    if (err == M31R_OK) {
        err = m31ri_block_list_read(&p->list, m31ri_buf_str(&text), text.length, e);
    }
    m31ri_buf_release(&text);
    return err;
}

static uint64_t lines_of(const m31ri_block_row *row)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < row->n; i++) {
        n += row->blocks[i]->block.lines;
    }
    return n;
}

/* The manifest's line of a part: the segment of that ordinal, else the lane's file. */
static const m31ri_manifest_file *file_of_part(const proving *p, const char *file, uint32_t part)
{
    const m31ri_manifest_file *whole = NULL;
    for (size_t i = 0; i < p->manifest.n; i++) {
        char name[128];
        uint32_t ordinal;
        const m31ri_manifest_file *f = &p->manifest.files[i];
        if (f->merkle[0] == '\0') {
            continue;
        }
        m31ri_run_file_part(f->path, name, sizeof name, &ordinal);
        if (strcmp(name, file) == 0 && ordinal == part) {
            return f;
        }
        whole = strcmp(name, file) == 0 && ordinal == 0 ? f : whole;
    }
    return whole;
}

static uint32_t last_part(const proving *p, const char *file)
{
    uint32_t last = 0;
    for (size_t i = 0; i < p->list.n; i++) {
        bool is_of = strcmp(p->list.blocks[i].file, file) == 0;
        last = is_of && p->list.blocks[i].part > last ? p->list.blocks[i].part : last;
    }
    return last;
}

/* Finds file, block and place of a line; `line` from 1, counted through the parts. */
static m31r_err find_line(proving *p, const char *file, uint64_t line, m31r_error *e)
{
    char name[128];
    uint32_t only;
    uint64_t left = line - 1;
    m31ri_run_file_part(file, name, sizeof name, &only);
    uint32_t last = only != 0 ? only : last_part(p, name);
    for (uint32_t part = only != 0 ? only : 1; part <= last && line > 0; part++) {
        m31r_err err = m31ri_block_row_of(&p->list, name, part, &p->row, e);
        if (err != M31R_OK) {
            return err;
        }
        uint64_t n = lines_of(&p->row);
        if (left < n) {
            p->file = file_of_part(p, name, part);
            while (left >= p->row.blocks[p->block]->block.lines) {
                left -= p->row.blocks[p->block++]->block.lines;
            }
            p->line_below = left;
            break;
        }
        left -= n;
        m31ri_free(p->row.blocks);
        p->row = (m31ri_block_row){.n = 0};
    }
    return p->file != NULL ? M31R_OK
                           : m31ri_fail(e, M31R_E_NOTFOUND, "%s has no line %llu", file,
                                        (unsigned long long)line);
}

/* Plain bytes of a compressed segment from `offset` on. */
static m31r_err read_packed(int fd, uint64_t offset, uint64_t length, m31ri_buf *out, m31r_error *e)
{
    m31ri_seekable s;
    m31ri_buf plain = M31RI_BUF_INIT;
    uint64_t at = 0;
    m31r_err err = m31ri_seekable_init(&s, fd, e);
    for (size_t i = 0; err == M31R_OK && i < s.list.n && out->length < length; i++) {
        uint64_t end = at + s.list.frames[i].plain_bytes;
        if (end > offset) {
            err = m31ri_seekable_read(&s, i, &plain, e);
            uint64_t skip = offset + out->length - at;
            uint64_t want = length - out->length;
            if (err == M31R_OK && skip < plain.length) {
                uint64_t have = plain.length - skip;
                m31ri_buf_add(out, plain.data + skip, have < want ? have : want);
            }
        }
        at = end;
    }
    m31ri_seekable_release(&s);
    m31ri_buf_release(&plain);
    return err;
}

/* The block was replaced, and what stands there is what was put there. */
static bool is_redacted(const proving *p, const uint8_t now[M31RI_SHA256_BYTES])
{
    m31ri_redactions l;
    const m31ri_listed_block *b = p->row.blocks[p->block];
    if (m31ri_redactions_read(p->run, &l, NULL) != M31R_OK) {
        return false;
    }
    const m31ri_redaction *r = m31ri_redactions_find(&l, b->file, b->part, b->block.index);
    bool is_it = r != NULL && memcmp(r->now, now, M31RI_SHA256_BYTES) == 0;
    m31ri_redactions_release(&l);
    return is_it;
}

static m31r_err read_block(proving *p, m31r_error *e)
{
    const m31ri_block *b = &p->row.blocks[p->block]->block;
    const char *path = p->file->path;
    size_t n = strlen(path);
    bool is_packed = n > 4 && strcmp(path + n - 4, ".zst") == 0;
    uint8_t leaf[M31RI_SHA256_BYTES] = {0};
    m31r_err err = M31R_OK;
    int fd = m31ri_run_file_open(p->run, path);
    if (fd >= 0 && is_packed) {
        err = read_packed(fd, b->offset, b->bytes, &p->bytes, e);
    } else if (fd >= 0 && m31ri_buf_reserve(&p->bytes, b->bytes + 1)) {
        ssize_t got = pread(fd, p->bytes.data, b->bytes, (off_t)b->offset);
        p->bytes.length = got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    bool is_leaf = err == M31R_OK && p->bytes.length == b->bytes &&
                   m31ri_merkle_leaf(m31ri_buf_str(&p->bytes), p->bytes.length, leaf) &&
                   memcmp(leaf, b->leaf, sizeof leaf) == 0;
    if (!is_leaf && err != M31R_E_NOMEM && is_redacted(p, leaf)) {
        return m31ri_fail(e, M31R_E_INVALID,
                          "%s: block %llu was redacted: what stood in it cannot be proved", path,
                          (unsigned long long)p->block);
    }
    return is_leaf || err == M31R_E_NOMEM
               ? err
               : m31ri_fail(e, M31R_E_INVALID,
                            "%s: block %llu, at byte %llu, is not what was sealed", path,
                            (unsigned long long)p->block, (unsigned long long)b->offset);
}

static void add_path(m31r_json *j, const char *key, const uint8_t (*leaves)[M31RI_SHA256_BYTES],
                     uint64_t n, uint64_t index)
{
    uint8_t path[M31RI_MERKLE_PATH][M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    size_t length = m31ri_merkle_path(leaves, n, index, path);
    m31r_json_open(j, key, '[');
    for (size_t i = 0; i < length; i++) {
        m31ri_sha256_hex(path[i], hex);
        m31r_json_add_text(j, NULL, hex);
    }
    m31r_json_close(j);
}

/* Where the record's line is in the block. */
static const char *find_record(const m31ri_buf *bytes, uint64_t below, size_t *length)
{
    const char *at = bytes->data, *end = bytes->data + bytes->length;
    for (; below > 0; below--) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        at = lf != NULL ? lf + 1 : end;
    }
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    *length = (size_t)((lf != NULL ? lf : end) - at);
    return at;
}

static m31r_err write_out(proving *p, uint8_t (*leaves)[M31RI_SHA256_BYTES], uint64_t line,
                          FILE *out, m31r_error *e)
{
    const m31ri_manifest *m = &p->manifest;
    const m31ri_block *b = &p->row.blocks[p->block]->block;
    size_t length;
    const char *record = find_record(&p->bytes, p->line_below, &length);
    m31ri_buf text = M31RI_BUF_INIT, seal = M31RI_BUF_INIT;
    m31ri_seal_write(&m->seal, &seal);
    if (!m31ri_base64_write(&text, p->bytes.data, p->bytes.length) || !m31ri_buf_ok(&seal)) {
        m31ri_buf_release(&text);
        m31ri_buf_release(&seal);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a proof");
    }
    m31r_json *j = m31r_json_new("proof");
    m31r_json_add_text(j, "run_id", m->seal.run_id);
    m31r_json_add_text(j, "file", p->file->path);
    m31r_json_add_int(j, "line", (int64_t)line);
    m31r_json_add_int(j, "byte", (int64_t)(b->offset + (uint64_t)(record - p->bytes.data)));
    m31r_json_add_bytes(j, "record", record, length);
    m31r_json_add_int(j, "line_in_block", (int64_t)p->line_below + 1);
    m31r_json_add_int(j, "block", (int64_t)p->block);
    m31r_json_add_int(j, "offset", (int64_t)b->offset);
    m31r_json_add_text(j, "bytes", m31ri_buf_str(&text));
    add_path(j, "path", (const uint8_t(*)[M31RI_SHA256_BYTES])leaves, p->row.n, p->block);
    m31r_json_add_bytes(j, "file_line", p->file->line, p->file->length);
    m31r_json_add_int(j, "file_index", (int64_t)(p->file - m->files));
    add_path(j, "file_path", (const uint8_t(*)[M31RI_SHA256_BYTES])m->leaves, m->n,
             (uint64_t)(p->file - m->files));
    m31r_json_add_raw(j, "seal", m31ri_buf_str(&seal), seal.length);
    m31ri_buf_release(&text);
    m31ri_buf_release(&seal);
    return m31r_json_write(j, out, e);
}

/* The leaves of the row, which must make the tree that was sealed. */
static m31r_err take_leaves(const proving *p, uint8_t (**out)[M31RI_SHA256_BYTES], m31r_error *e)
{
    uint8_t root[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    m31ri_merkle tree = M31RI_MERKLE_INIT;
    uint8_t(*leaves)[M31RI_SHA256_BYTES] = m31ri_alloc(p->row.n * sizeof *leaves);
    if (leaves == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a proof");
    }
    for (uint64_t i = 0; i < p->row.n; i++) {
        memcpy(leaves[i], p->row.blocks[i]->block.leaf, sizeof *leaves);
        m31ri_merkle_add_digest(&tree, leaves[i]);
    }
    m31ri_merkle_root(&tree, root);
    m31ri_sha256_hex(root, hex);
    *out = leaves;
    return strcmp(hex, p->file->merkle) == 0
               ? M31R_OK
               : m31ri_fail(e, M31R_E_INVALID, "%s has other blocks of %s than were sealed",
                            M31RI_BLOCKS_FILE, p->file->path);
}

m31r_err m31r_proof_write(const m31r_reader *reader, const char *file, uint64_t line, FILE *out,
                          m31r_error *e)
{
    proving p = {.run = reader->fd};
    uint8_t(*leaves)[M31RI_SHA256_BYTES] = NULL;
    m31r_err err = load(&p, e);
    err = err == M31R_OK ? find_line(&p, file, line, e) : err;
    err = err == M31R_OK ? take_leaves(&p, &leaves, e) : err;
    err = err == M31R_OK ? read_block(&p, e) : err;
    err = err == M31R_OK ? write_out(&p, leaves, line, out, e) : err;
    m31ri_free(leaves);
    m31ri_free(p.row.blocks);
    m31ri_buf_release(&p.bytes);
    m31ri_block_list_release(&p.list);
    m31ri_manifest_release(&p.manifest);
    return err;
}
