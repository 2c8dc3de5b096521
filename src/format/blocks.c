/* blocks.c - see blocks.h. */
#include "format/blocks.h"

#include <jansson.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/json_text.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void write_check(uint32_t crc, char out[M31RI_CHECK_CHARS])
{
    out[0] = alphabet[crc >> 6 & 63];
    out[1] = alphabet[crc & 63];
}

void m31ri_line_check(const char *line, size_t length, char out[M31RI_CHECK_CHARS])
{
    write_check((uint32_t)crc32_z(0, (const Bytef *)line, length), out);
}

static void start_block(m31ri_cutter *c)
{
    static const uint8_t leaf_prefix = 0;
    m31ri_sha256_add(c->hash, &leaf_prefix, 1);
    c->block.bytes = 0;
    c->block.lines = 0;
    m31ri_buf_clear(&c->checks);
}

bool m31ri_cutter_init(m31ri_cutter *c, uint64_t index, uint64_t offset)
{
    *c = (m31ri_cutter){.block = {.index = index, .offset = offset}, .hash = m31ri_sha256_new()};
    if (c->hash != NULL) {
        start_block(c);
    }
    return c->hash != NULL;
}

void m31ri_cutter_release(m31ri_cutter *c)
{
    m31ri_sha256_free(c->hash);
    m31ri_buf_release(&c->checks);
    c->hash = NULL;
}

static void end_line(m31ri_cutter *c)
{
    char check[M31RI_CHECK_CHARS];
    write_check(c->crc, check);
    m31ri_buf_add(&c->checks, check, sizeof check);
    c->block.lines++;
    c->crc = 0;
    c->is_in_line = false;
}

static void add_lines(m31ri_cutter *c, const char *bytes, size_t length)
{
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t taken = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
        c->crc = (uint32_t)crc32_z(c->crc, (const Bytef *)bytes, taken);
        c->is_in_line = true;
        if (newline != NULL) {
            end_line(c);
        }
        bytes += taken;
        length -= taken;
    }
}

static bool end_block(m31ri_cutter *c)
{
    m31ri_sha256_end(c->hash, c->block.leaf);
    bool goes_on =
        m31ri_buf_ok(&c->checks) && c->each(c->context, &c->block, m31ri_buf_str(&c->checks));
    c->block.index++;
    c->block.offset += c->block.bytes;
    start_block(c);
    return goes_on;
}

bool m31ri_cutter_add(m31ri_cutter *c, const char *bytes, size_t length)
{
    bool goes_on = true;
    while (length > 0 && goes_on) {
        /* Bytes that cannot end the block are skipped over when looking for the newline. */
        uint64_t have = c->block.bytes;
        uint64_t skip = have < M31RI_BLOCK_LEAST_BYTES ? M31RI_BLOCK_LEAST_BYTES - have : 0;
        const char *newline =
            skip < length ? memchr(bytes + skip, '\n', length - (size_t)skip) : NULL;
        size_t taken = newline != NULL ? (size_t)(newline - bytes) + 1 : length;
        m31ri_sha256_add(c->hash, bytes, taken);
        c->block.bytes += taken;
        if (c->with_checks) {
            add_lines(c, bytes, taken);
        }
        if (newline != NULL) {
            goes_on = end_block(c);
        }
        bytes += taken;
        length -= taken;
    }
    return goes_on;
}

bool m31ri_cutter_end(m31ri_cutter *c)
{
    if (c->block.bytes == 0) {
        return true;
    }
    if (c->is_in_line) {
        end_line(c);
    }
    return end_block(c);
}

void m31ri_block_line_write(m31ri_buf *out, const char *file, uint32_t part, const m31ri_block *b,
                            const char *checks)
{
    char hex[M31RI_SHA256_HEX];
    m31ri_sha256_hex(b->leaf, hex);
    m31ri_buf_add_str(out, "{\"file\":");
    m31ri_json_string(out, file, strlen(file));
    m31ri_buf_add_format(out,
                         ",\"part\":%u,\"block\":%llu,\"offset\":%llu,\"bytes\":%llu,"
                         "\"lines\":%llu,\"leaf\":\"%s\",\"checks\":\"",
                         part, (unsigned long long)b->index, (unsigned long long)b->offset,
                         (unsigned long long)b->bytes, (unsigned long long)b->lines, hex);
    m31ri_buf_add_str(out, checks);
    m31ri_buf_add_str(out, "\"}\n");
}

static const char *enter_file(m31ri_block_list *l, const char *name)
{
    for (size_t i = l->n_files; i-- > 0;) {
        if (strcmp(l->files[i], name) == 0) {
            return l->files[i];
        }
    }
    char **files = m31ri_realloc(l->files, (l->n_files + 1) * sizeof *files);
    if (files == NULL) {
        return NULL;
    }
    l->files = files;
    char *copy = m31ri_strdup(name);
    if (copy != NULL) {
        l->files[l->n_files++] = copy;
    }
    return copy;
}

static bool take_number(const json_t *object, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(object, key);
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool take_block(const json_t *o, m31ri_block *b, uint32_t *part)
{
    uint64_t number = 0;
    const char *leaf = json_string_value(json_object_get(o, "leaf"));
    const char *checks = json_string_value(json_object_get(o, "checks"));
    bool is_one = leaf != NULL && m31ri_sha256_unhex(leaf, b->leaf) && checks != NULL &&
                  take_number(o, "part", &number) && number > 0 && number <= UINT32_MAX &&
                  take_number(o, "block", &b->index) && take_number(o, "offset", &b->offset) &&
                  take_number(o, "bytes", &b->bytes) && take_number(o, "lines", &b->lines) &&
                  strlen(checks) == b->lines * M31RI_CHECK_CHARS;
    *part = (uint32_t)number;
    return is_one;
}

/* False when memory is out. */
static bool take_line(m31ri_block_list *l, const char *line, size_t length)
{
    m31ri_listed_block b = {.part = 0};
    json_t *o = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    const char *file = json_string_value(json_object_get(o, "file"));
    if (file == NULL || !take_block(o, &b.block, &b.part)) {
        json_decref(o);
        l->n_bad++;
        return true;
    }
    if (l->n == l->capacity) {
        size_t capacity = l->capacity * 2 + 64;
        m31ri_listed_block *grown = m31ri_realloc(l->blocks, capacity * sizeof *grown);
        l->blocks = grown != NULL ? grown : l->blocks;
        l->capacity = grown != NULL ? capacity : l->capacity;
    }
    b.file = enter_file(l, file);
    b.checks =
        l->with_checks ? m31ri_strdup(json_string_value(json_object_get(o, "checks"))) : NULL;
    json_decref(o);
    if (l->n == l->capacity || b.file == NULL || (l->with_checks && b.checks == NULL)) {
        m31ri_free(b.checks);
        return false;
    }
    l->blocks[l->n++] = b;
    return true;
}

m31r_err m31ri_block_list_read(m31ri_block_list *l, const char *text, size_t length, m31r_error *e)
{
    const char *at = text, *end = text + length;
    const char *newline;
    while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (!take_line(l, at, (size_t)(newline - at))) {
            m31ri_block_list_release(l);
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for %s", M31RI_BLOCKS_FILE);
        }
        at = newline + 1;
    }
    l->n_whole = (size_t)(at - text);
    return M31R_OK;
}

void m31ri_block_list_release(m31ri_block_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free(l->blocks[i].checks);
    }
    for (size_t i = 0; i < l->n_files; i++) {
        m31ri_free(l->files[i]);
    }
    m31ri_free(l->blocks);
    m31ri_free(l->files);
    *l = (m31ri_block_list){0};
}
