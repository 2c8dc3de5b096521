/* redact.c - m31r_redact(): what must not be in a sealed run, taken out of it and said.
 *
 * First all blocks are looked at and their replacements made in memory; each must be what was
 * sealed, so that a redaction never covers what somebody else changed. Then, under the lock of the
 * chain: redactions.jsonl is replaced, the chain gets its seal, and each file is replaced by a copy
 * that has the new blocks. Killed in between, the run says that blocks are still as they were
 * sealed, and the same command finishes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/manifest_read.h"
#include "verify/seal_locate.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/redactions.h"
#include "format/run_files.h"
#include "format/seal_key.h"
#include "format/timestamp.h"
#include "keep/keep_int.h"
#include "keep/redact_int.h"
#include "rules/privacy_run.h"
#include "store/seal_chain.h"

#define BLOCKS_BYTES ((size_t)1024 * 1024 * 1024)
#define COPY_BYTES (1024 * 1024)

/* A block with its new bytes. */
typedef struct new_block {
    const char *path; /* of the manifest */
    m31ri_redaction said;
    bool is_known; /* it was said before, and not done */
    char *bytes;
} new_block;

typedef struct redacting {
    const m31r_reader *reader;
    const m31r_redaction_options *o;
    char file[160]; /* the one that is meant; "": all */
    m31ri_manifest manifest;
    m31ri_block_list list;
    m31ri_redactions before;
    m31ri_redactor redactor;
    new_block *blocks;
    size_t n, capacity;
    m31ri_seal_chain
        chain; /* locked from before the first look, so that no other one comes between */
    m31r_redaction *out;
    m31r_error *e;
} redacting;

static m31r_err fail_nomem(const redacting *g)
{
    return m31ri_fail(g->e, M31R_E_NOMEM, "out of memory for a redaction");
}

/* ---- the plan ---------------------------------------------------------------------------------
 */

/* Takes over `bytes`. */
static m31r_err add_block(redacting *g, const new_block *b)
{
    if (g->n == g->capacity) {
        size_t capacity = g->capacity * 2 + 16;
        new_block *grown = m31ri_realloc(g->blocks, capacity * sizeof *grown);
        if (grown == NULL) {
            m31ri_free(b->bytes);
            return fail_nomem(g);
        }
        g->blocks = grown;
        g->capacity = capacity;
    }
    g->blocks[g->n++] = *b;
    return M31R_OK;
}

/* What stands in the file is what was sealed, or what an earlier redaction put there. */
static bool is_ours(const redacting *g, const m31ri_listed_block *b,
                    const uint8_t now[M31RI_SHA256_BYTES])
{
    const m31ri_redaction *r = m31ri_redactions_find(&g->before, b->file, b->part, b->block.index);
    return memcmp(now, b->block.leaf, M31RI_SHA256_BYTES) == 0 ||
           (r != NULL && memcmp(now, r->now, M31RI_SHA256_BYTES) == 0);
}

/* The plain bytes of the file that is looked at. */
typedef struct plain_bytes {
    int fd; /* -1: those in `unpacked` */
    m31ri_buf unpacked;
} plain_bytes;

static bool read_block(const plain_bytes *from, const m31ri_block *b, char *out)
{
    if (from->fd >= 0) {
        return pread(from->fd, out, (size_t)b->bytes, (off_t)b->offset) == (ssize_t)b->bytes;
    }
    bool is_there =
        b->offset <= from->unpacked.length && b->bytes <= from->unpacked.length - b->offset;
    if (is_there) {
        memcpy(out, m31ri_buf_str(&from->unpacked) + b->offset, (size_t)b->bytes);
    }
    return is_there;
}

static m31r_err plan_block(redacting *g, const plain_bytes *from, const char *path,
                           const m31ri_listed_block *b, uint64_t first_line)
{
    uint8_t now[M31RI_SHA256_BYTES];
    size_t length = (size_t)b->block.bytes;
    new_block block = {.path = path, .bytes = m31ri_alloc(length + 1)};
    if (block.bytes == NULL) {
        return fail_nomem(g);
    }
    if (!read_block(from, &b->block, block.bytes) || !m31ri_merkle_leaf(block.bytes, length, now) ||
        !is_ours(g, b, now)) {
        m31ri_free(block.bytes);
        return m31ri_fail(g->e, M31R_E_INVALID,
                          "%s: block %llu, at byte %llu, is not what was sealed: m31r verify says "
                          "more",
                          path, (unsigned long long)b->block.index,
                          (unsigned long long)b->block.offset);
    }
    m31ri_redaction *said = &block.said;
    *said = (m31ri_redaction){.part = b->part,
                              .block = b->block.index,
                              .offset = b->block.offset,
                              .bytes = b->block.bytes};
    said->n_records = m31ri_redact_block(&g->redactor, block.bytes, length, first_line);
    if (said->n_records == 0) {
        m31ri_free(block.bytes);
        return M31R_OK;
    }
    snprintf(said->file, sizeof said->file, "%s", b->file);
    memcpy(said->leaf, b->block.leaf, M31RI_SHA256_BYTES);
    const m31ri_redaction *r = m31ri_redactions_find(&g->before, b->file, b->part, b->block.index);
    if (!m31ri_merkle_leaf(block.bytes, length, said->now)) {
        m31ri_free(block.bytes);
        return fail_nomem(g);
    }
    block.is_known = r != NULL && memcmp(r->now, said->now, M31RI_SHA256_BYTES) == 0;
    g->out->n_records += said->n_records;
    return add_block(g, &block);
}

static m31r_err open_plain(const redacting *g, const char *path, plain_bytes *out)
{
    if (m31ri_redact_is_packed(path)) {
        return m31ri_redact_unpack(g->reader->fd, path, &out->unpacked, g->e);
    }
    out->fd = m31ri_run_file_open(g->reader->fd, path);
    return out->fd >= 0 ? M31R_OK : m31ri_fail_sys(g->e, errno, path, "reading %s", path);
}

static m31r_err plan_file(redacting *g, const m31ri_manifest_file *f)
{
    char file[128];
    uint32_t part;
    uint64_t line = 1;
    m31ri_block_row row = {.n = 0};
    m31r_err err = m31ri_block_part_of(g->reader->fd, f->path, file, &part, g->e);
    err = err == M31R_OK ? m31ri_block_row_of(&g->list, file, part, &row, g->e) : err;
    plain_bytes from = {.fd = -1, .unpacked = M31RI_BUF_INIT};
    err = err == M31R_OK ? open_plain(g, f->path, &from) : err;
    size_t n_before = g->n;
    g->redactor.cleaner.in_key = false;
    for (uint64_t i = 0; i < row.n && err == M31R_OK; i++) {
        err = plan_block(g, &from, f->path, row.blocks[i], line);
        line += row.blocks[i]->block.lines;
    }
    g->out->n_files += g->n > n_before;
    if (err == M31R_OK && g->redactor.line >= line) {
        err = m31ri_fail(g->e, M31R_E_NOTFOUND, "%s has no line %llu", f->path,
                         (unsigned long long)g->redactor.line);
    }
    if (from.fd >= 0) {
        close(from.fd);
    }
    m31ri_buf_release(&from.unpacked);
    m31ri_free(row.blocks);
    return err;
}

static m31r_err plan(redacting *g)
{
    m31r_err err = M31R_OK;
    bool is_found = g->file[0] == '\0';
    for (size_t i = 0; i < g->manifest.n && err == M31R_OK; i++) {
        const m31ri_manifest_file *f = &g->manifest.files[i];
        bool is_lane = f->merkle[0] != '\0' && strncmp(f->path, "metrics.", 8) != 0;
        bool is_unreadable =
            f->merkle[0] == '\0' && f->is_record && m31ri_redact_is_packed(f->path);
        bool is_meant = g->file[0] == '\0' || strcmp(g->file, f->path) == 0;
        g->out->n_unreadable += is_unreadable;
        if (is_lane && is_meant) {
            is_found = true;
            err = plan_file(g, f);
        }
    }
    if (err == M31R_OK && !is_found) {
        err = m31ri_fail(g->e, M31R_E_NOTFOUND, "the run has no lane %s", g->file);
    } else if (err == M31R_OK && g->redactor.lacks_key) {
        err = m31ri_fail(g->e, M31R_E_NOTFOUND, "that record has no key \"%s\"", g->o->key);
    }
    g->out->n_blocks = g->n;
    return err;
}

/* ---- the deed ---------------------------------------------------------------------------------
 */

/* All lines of redactions.jsonl: those that were there, then the new ones. */
static bool write_lines(redacting *g, const m31ri_buf *old, m31ri_merkle *tree, m31ri_buf *text)
{
    char now[28];
    bool is_fine = true;
    m31ri_timestamp_write(m31ri_wall_ns(), now);
    *tree = g->before.tree;
    m31ri_buf_add(text, m31ri_buf_str(old), old->length);
    for (size_t i = 0; i < g->n && is_fine; i++) {
        m31ri_redaction said = g->blocks[i].said;
        snprintf(said.at, sizeof said.at, "%s", now);
        said.reason = (char *)(uintptr_t)g->o->reason;
        is_fine = g->blocks[i].is_known || m31ri_redaction_write(tree, &said, text);
    }
    return is_fine && m31ri_buf_ok(text);
}

/* Seals the lines and makes the seal known: first in the run, then in the chain. */
static m31r_err say(redacting *g)
{
    m31ri_buf old = M31RI_BUF_INIT, text = M31RI_BUF_INIT;
    m31ri_merkle tree;
    m31ri_seal seal, last;
    int run = g->reader->fd;
    m31r_err err = m31ri_read_file(run, M31RI_REDACTIONS_FILE, M31RI_REDACTIONS_BYTES, &old, g->e);
    err = err == M31R_E_NOTFOUND ? M31R_OK : err;
    if (err == M31R_OK && !write_lines(g, &old, &tree, &text)) {
        err = fail_nomem(g);
    }
    if (err == M31R_OK && !m31ri_redactions_seal(&tree, g->manifest.seal.run_id, &seal)) {
        err = m31ri_fail(g->e, M31R_E_LIMIT, "the run's id is too long to seal a redaction");
    }
    if (err == M31R_OK) {
        if (m31ri_seal_chain_last(&g->chain, &last)) {
            snprintf(seal.previous, sizeof seal.previous, "%s", last.run_id);
            snprintf(seal.previous_seal, sizeof seal.previous_seal, "%s", last.digest);
        }
        bool is_fine = m31ri_seal_sign(&seal);
        m31ri_seal_write(&seal, &text);
        m31ri_buf_add_char(&text, '\n');
        err = !is_fine || !m31ri_buf_ok(&text) ? fail_nomem(g)
              : text.length > M31RI_REDACTIONS_BYTES
                  ? m31ri_fail(g->e, M31R_E_LIMIT, "%s is full", M31RI_REDACTIONS_FILE)
                  : m31ri_replace_file(run, M31RI_REDACTIONS_FILE, text.data, text.length, true,
                                       g->e);
    }
    if (err == M31R_OK && g->chain.fd >= 0 && !m31ri_seal_chain_add(&g->chain, &seal)) {
        err = m31ri_fail_sys(g->e, errno, M31RI_SEALS_FILE, "writing the chain of seals");
    }
    m31ri_buf_release(&old);
    m31ri_buf_release(&text);
    return err;
}

/* 0 or errno. */
static int copy_bytes(int in, int out, char *room)
{
    int err = 0;
    for (ssize_t n = 1; err == 0 && n != 0;) {
        n = read(in, room, COPY_BYTES);
        if (n < 0) {
            err = errno == EINTR ? 0 : errno;
        } else {
            err = m31ri_write_all(out, room, (size_t)n, NULL);
        }
    }
    return err;
}

/* The copy with the new blocks [first, end), which are all of one file. 0 or errno. */
static int fill(const redacting *g, int out, size_t first, size_t end)
{
    int err = 0;
    for (size_t i = first; i < end && err == 0; i++) {
        const new_block *b = &g->blocks[i];
        err = lseek(out, (off_t)b->said.offset, SEEK_SET) >= 0
                  ? m31ri_write_all(out, b->bytes, (size_t)b->said.bytes, NULL)
                  : errno;
    }
    return err == 0 && fsync(out) != 0 ? errno : err;
}

static m31r_err replace_file(const redacting *g, size_t first, size_t end)
{
    const char *path = g->blocks[first].path;
    char temporary[200];
    struct stat st;
    int run = g->reader->fd;
    char *room = m31ri_alloc(COPY_BYTES);
    snprintf(temporary, sizeof temporary, "%.180s.tmp", path);
    (void)unlinkat(run, temporary, 0); /* of a redaction that was killed */
    int in = m31ri_run_file_open(run, path);
    int out = in >= 0 ? m31ri_open(run, temporary, O_RDWR | O_CREAT | O_EXCL, 0600) : -1;
    int err = out < 0 || fstat(in, &st) != 0 ? errno : room == NULL ? ENOMEM : 0;
    err = err == 0 ? copy_bytes(in, out, room) : err;
    err = err == 0 ? fill(g, out, first, end) : err;
    if (err == 0 &&
        (fchmod(out, st.st_mode & 07777) != 0 || renameat(run, temporary, run, path) != 0)) {
        err = errno;
    }
    if (out >= 0 && err != 0) {
        (void)unlinkat(run, temporary, 0);
    }
    if (in >= 0) {
        close(in);
    }
    if (out >= 0) {
        close(out);
    }
    m31ri_free(room);
    return err == 0 ? M31R_OK : m31ri_fail_sys(g->e, err, path, "replacing %s", path);
}

/* One behind the last block of the file of block `first`. */
static size_t end_of_file(const redacting *g, size_t first)
{
    size_t end = first + 1;
    while (end < g->n && g->blocks[end].path == g->blocks[first].path) {
        end++;
    }
    return end;
}

/* Makes the new compressed segment, so that its digest can be said before it takes its place. */
static m31r_err pack(redacting *g, size_t first, size_t end)
{
    m31ri_buf plain = M31RI_BUF_INIT;
    uint8_t digest[M31RI_SHA256_BYTES];
    const char *path = g->blocks[first].path;
    m31r_err err = m31ri_redact_unpack(g->reader->fd, path, &plain, g->e);
    for (size_t i = first; i < end && err == M31R_OK; i++) {
        const m31ri_redaction *said = &g->blocks[i].said;
        memcpy(plain.data + said->offset, g->blocks[i].bytes, (size_t)said->bytes);
    }
    err = err == M31R_OK ? m31ri_redact_pack(g->reader->fd, path, &plain, digest, g->e) : err;
    for (size_t i = first; i < end && err == M31R_OK; i++) {
        m31ri_redaction *said = &g->blocks[i].said;
        const m31ri_redaction *r =
            m31ri_redactions_find(&g->before, said->file, said->part, said->block);
        said->is_packed = true;
        memcpy(said->packed, digest, sizeof digest);
        g->blocks[i].is_known &= r != NULL && memcmp(r->packed, digest, sizeof digest) == 0;
    }
    m31ri_buf_release(&plain);
    return err;
}

static m31r_err redact(redacting *g)
{
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < g->n && err == M31R_OK; i = end_of_file(g, i)) {
        err = m31ri_redact_is_packed(g->blocks[i].path) ? pack(g, i, end_of_file(g, i)) : M31R_OK;
    }
    err = err == M31R_OK ? say(g) : err;
    for (size_t i = 0; i < g->n && err == M31R_OK; i = end_of_file(g, i)) {
        err = m31ri_redact_is_packed(g->blocks[i].path)
                  ? m31ri_redact_put_packed(g->reader->fd, g->blocks[i].path, g->e)
                  : replace_file(g, i, end_of_file(g, i));
    }
    m31ri_redact_leave(g->reader->fd);
    (void)fsync(g->reader->fd);
    g->out->is_done = err == M31R_OK;
    return err;
}

/* ---- what stands against it --------------------------------------------------------------------
 */

static m31r_err load(redacting *g)
{
    m31ri_buf text = M31RI_BUF_INIT;
    int run = g->reader->fd;
    m31r_err err = m31ri_manifest_read(run, &g->manifest, g->e);
    if (err == M31R_E_NOTFOUND || (err == M31R_OK && !g->manifest.has_seal)) {
        return m31ri_fail(g->e, M31R_E_ARG, "%s is not sealed", g->reader->facts.run_id);
    }
    if (err == M31R_OK && g->manifest.fault[0] != '\0') {
        return m31ri_fail(g->e, M31R_E_INVALID, "manifest.json: %s", g->manifest.fault);
    }
    err = err == M31R_OK ? m31ri_read_file(run, M31RI_BLOCKS_FILE, BLOCKS_BYTES, &text, g->e) : err;
    if (err == M31R_OK) {
        err = m31ri_block_list_read(&g->list, m31ri_buf_str(&text), text.length, g->e);
    }
    m31ri_buf_release(&text);
    err = err == M31R_OK ? m31ri_redactions_read(run, &g->before, g->e) : err;
    if (err == M31R_OK && g->before.fault[0] != '\0') {
        err = m31ri_fail(g->e, M31R_E_INVALID, "%s: %s", M31RI_REDACTIONS_FILE, g->before.fault);
    }
    return err;
}

/* FILE:LINE. */
static m31r_err take_place(redacting *g)
{
    const char *text = g->o->line;
    const char *colon = text != NULL ? strrchr(text, ':') : NULL;
    char *end = NULL;
    if (text == NULL) {
        return g->o->key == NULL ? M31R_OK : m31ri_fail(g->e, M31R_E_ARG, "a key of which line?");
    }
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    if (n == 0 || n >= sizeof g->file || colon[1] < '1' || colon[1] > '9') {
        return m31ri_fail(g->e, M31R_E_ARG, "%.200s is not FILE:LINE", text);
    }
    memcpy(g->file, text, n);
    g->redactor.line = strtoull(colon + 1, &end, 10);
    return *end == '\0' ? M31R_OK : m31ri_fail(g->e, M31R_E_ARG, "%.200s is not FILE:LINE", text);
}

static m31r_err check(redacting *g)
{
    char why[320];
    m31r_err err = m31ri_reason_check(g->o->reason, g->e);
    if (err != M31R_OK) {
        return err;
    }
    m31ri_removal_check(g->reader, false, why, sizeof why);
    return why[0] == '\0' ? take_place(g)
                          : m31ri_fail(g->e, M31R_E_ARG, "%s is not redacted: %s",
                                       g->reader->facts.run_id, why);
}

static void release(redacting *g)
{
    for (size_t i = 0; i < g->n; i++) {
        m31ri_free(g->blocks[i].bytes);
    }
    m31ri_free(g->blocks);
    m31ri_line_cleaner_release(&g->redactor.cleaner);
    m31ri_buf_release(&g->redactor.changed);
    m31ri_redactions_release(&g->before);
    m31ri_block_list_release(&g->list);
    m31ri_manifest_release(&g->manifest);
}

m31r_err m31r_redact(const m31r_redaction_options *o, m31r_redaction *out, m31r_error *e)
{
    m31r_reader *r = NULL;
    m31r_redaction done = {.n_blocks = 0};
    redacting g = {.o = o, .chain.fd = -1, .out = &done, .e = e};
    m31ri_privacy *rules = NULL;
    m31r_err err = m31r_reader_open(&r, o->root, o->run, e);
    if (err == M31R_OK) {
        g.reader = r;
        g.redactor.key = o->key;
        g.redactor.whole_block = o->whole_block;
        snprintf(done.run_id, sizeof done.run_id, "%s", r->facts.run_id);
        rules = m31ri_privacy_of_run(r->fd);
        g.redactor.cleaner.privacy = rules;
        err = rules != NULL ? check(&g) : fail_nomem(&g);
    }
    if (err == M31R_OK && !o->is_dry) {
        m31ri_seal_chain_open(&g.chain, r->fd);
    }
    err = err == M31R_OK ? load(&g) : err;
    err = err == M31R_OK ? plan(&g) : err;
    if (err == M31R_OK && !o->is_dry && g.n > 0) {
        err = redact(&g);
    }
    m31ri_seal_chain_close(&g.chain);
    release(&g);
    m31ri_privacy_free(rules);
    m31r_reader_close(r);
    if (err == M31R_OK) {
        *out = done;
    }
    return err;
}
