/* redactions.c - see redactions.h. */
#include "format/redactions.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/json_text.h"
#include "format/timestamp.h"

static void write_text(m31ri_buf *out, const char *key, const char *text)
{
    m31ri_buf_add_format(out, "\"%s\":", key);
    m31ri_json_string(out, text, strlen(text));
}

static void write_item(const m31ri_redaction *r, m31ri_buf *out)
{
    char leaf[M31RI_SHA256_HEX], now[M31RI_SHA256_HEX];
    m31ri_sha256_hex(r->leaf, leaf);
    m31ri_sha256_hex(r->now, now);
    m31ri_buf_add_char(out, '{');
    write_text(out, "redacts", r->file);
    m31ri_buf_add_format(out,
                         ",\"part\":%u,\"block\":%llu,\"offset\":%llu,\"bytes\":%llu,"
                         "\"records\":%llu,\"leaf\":\"%s\",\"now\":\"%s\",",
                         r->part, (unsigned long long)r->block, (unsigned long long)r->offset,
                         (unsigned long long)r->bytes, (unsigned long long)r->n_records, leaf, now);
    if (r->is_packed) {
        m31ri_sha256_hex(r->packed, now);
        m31ri_buf_add_format(out, "\"packed\":\"%s\",", now);
    }
    write_text(out, "reason", r->reason);
    m31ri_buf_add_char(out, ',');
    write_text(out, "at", r->at);
    m31ri_buf_add_char(out, '}');
}

bool m31ri_redaction_write(m31ri_merkle *tree, const m31ri_redaction *r, m31ri_buf *out)
{
    uint8_t leaf[M31RI_SHA256_BYTES];
    size_t start = out->length;
    write_item(r, out);
    bool is_fine =
        m31ri_buf_ok(out) && m31ri_merkle_leaf(out->data + start, out->length - start, leaf);
    if (is_fine) {
        m31ri_merkle_add_digest(tree, leaf);
        m31ri_buf_add_char(out, '\n');
    }
    return is_fine && m31ri_buf_ok(out);
}

bool m31ri_redactions_seal(const m31ri_merkle *tree, const char *run_id, m31ri_seal *out)
{
    uint8_t root[M31RI_SHA256_BYTES];
    *out = (m31ri_seal){.n_files = tree->n_leaves};
    int n = snprintf(out->run_id, sizeof out->run_id, M31RI_REDACTIONS_PREFIX "%s", run_id);
    m31ri_merkle_root(tree, root);
    m31ri_sha256_hex(root, out->root);
    m31ri_timestamp_write(m31ri_wall_ns(), out->made);
    return n > 0 && (size_t)n < sizeof out->run_id;
}

bool m31ri_seal_is_of_redactions(const m31ri_seal *s, const char *run_id)
{
    size_t n = sizeof M31RI_REDACTIONS_PREFIX - 1;
    return strncmp(s->run_id, M31RI_REDACTIONS_PREFIX, n) == 0 &&
           strcmp(s->run_id + n, run_id) == 0;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool take_number(const json_t *o, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(o, key);
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool take_digest(const json_t *o, const char *key, uint8_t out[M31RI_SHA256_BYTES])
{
    const char *hex = json_string_value(json_object_get(o, key));
    return hex != NULL && m31ri_sha256_unhex(hex, out);
}

static bool take_text(const json_t *o, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL && (size_t)snprintf(out, size, "%s", text) < size;
}

/* False unless the line is, byte for byte, what write_item() makes of it. */
static bool read_item(const char *line, size_t length, m31ri_redaction *out)
{
    m31ri_buf again = M31RI_BUF_INIT;
    m31ri_redaction r = {.part = 0};
    uint64_t part = 0;
    json_t *o = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    const char *reason = json_string_value(json_object_get(o, "reason"));
    bool is_one = take_text(o, "redacts", r.file, sizeof r.file) && take_number(o, "part", &part) &&
                  part > 0 && part <= UINT32_MAX && take_number(o, "block", &r.block) &&
                  take_number(o, "offset", &r.offset) && take_number(o, "bytes", &r.bytes) &&
                  take_number(o, "records", &r.n_records) && take_digest(o, "leaf", r.leaf) &&
                  take_digest(o, "now", r.now) && take_text(o, "at", r.at, sizeof r.at) &&
                  reason != NULL;
    r.part = (uint32_t)part;
    r.is_packed = json_object_get(o, "packed") != NULL;
    is_one = is_one && (!r.is_packed || take_digest(o, "packed", r.packed));
    r.reason = is_one ? m31ri_strdup(reason) : NULL;
    json_decref(o);
    if (r.reason != NULL) {
        write_item(&r, &again);
    }
    is_one = r.reason != NULL && m31ri_buf_ok(&again) && again.length == length &&
             memcmp(again.data, line, length) == 0;
    m31ri_buf_release(&again);
    if (is_one) {
        *out = r;
    } else {
        m31ri_free(r.reason);
    }
    return is_one;
}

static void fault(m31ri_redactions *l, uint64_t line, const char *what)
{
    if (l->fault[0] == '\0') {
        snprintf(l->fault, sizeof l->fault, "%s", what);
        l->fault_line = line;
    }
}

static bool add_item(m31ri_redactions *l, const m31ri_redaction *r)
{
    if (l->n == l->capacity) {
        size_t capacity = l->capacity * 2 + 16;
        m31ri_redaction *grown = m31ri_realloc(l->items, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        l->items = grown;
        l->capacity = capacity;
    }
    l->items[l->n++] = *r;
    return true;
}

static bool add_seal(m31ri_redactions *l, const m31ri_seal *s, uint64_t line)
{
    m31ri_seal *grown = m31ri_realloc(l->seals, (l->n_seals + 1) * sizeof *grown);
    uint8_t root[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    if (grown == NULL) {
        return false;
    }
    l->seals = grown;
    l->seals[l->n_seals++] = *s;
    m31ri_merkle_root(&l->tree, root);
    m31ri_sha256_hex(root, hex);
    if (!m31ri_seal_holds(s) || strcmp(hex, s->root) != 0 || s->n_files != l->n) {
        fault(l, line, "the lines are not those that were sealed");
    }
    return true;
}

/* False when memory is out. */
static bool take_line(m31ri_redactions *l, const char *line, size_t length, uint64_t number)
{
    m31ri_seal seal;
    m31ri_redaction r;
    uint8_t leaf[M31RI_SHA256_BYTES];
    if (m31ri_seal_read(line, length, &seal)) {
        return add_seal(l, &seal, number);
    }
    if (!read_item(line, length, &r)) {
        fault(l, number, "the line is neither a redaction nor a seal");
        return true;
    }
    if (!m31ri_merkle_leaf(line, length, leaf) || !add_item(l, &r)) {
        m31ri_free(r.reason);
        return false;
    }
    m31ri_merkle_add_digest(&l->tree, leaf);
    return true;
}

static bool take_text_of_file(m31ri_redactions *l, const m31ri_buf *text)
{
    const char *at = m31ri_buf_str(text), *end = at + text->length;
    uint64_t number = 0;
    bool is_fine = true;
    while (at < end && is_fine) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = lf != NULL ? lf : end;
        is_fine = take_line(l, at, (size_t)(line_end - at), ++number);
        at = line_end + 1;
    }
    if (l->n_seals == 0 || l->seals[l->n_seals - 1].n_files != l->n) {
        fault(l, number, "what it says was not sealed");
    }
    return is_fine;
}

m31r_err m31ri_redactions_read(int run, m31ri_redactions *out, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_redactions l = {.n = 0};
    m31r_err err = m31ri_read_file(run, M31RI_REDACTIONS_FILE, M31RI_REDACTIONS_BYTES, &text, e);
    if (err == M31R_OK && !take_text_of_file(&l, &text)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for %s", M31RI_REDACTIONS_FILE);
    }
    m31ri_buf_release(&text);
    if (err == M31R_OK || err == M31R_E_NOTFOUND) {
        *out = l;
        return M31R_OK;
    }
    m31ri_redactions_release(&l);
    return err;
}

void m31ri_redactions_release(m31ri_redactions *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free(l->items[i].reason);
    }
    m31ri_free(l->items);
    m31ri_free(l->seals);
    *l = (m31ri_redactions){.n = 0};
}

const m31ri_redaction *m31ri_redactions_find(const m31ri_redactions *l, const char *file,
                                             uint32_t part, uint64_t block)
{
    for (size_t i = l->n; i-- > 0;) {
        const m31ri_redaction *r = &l->items[i];
        if (r->part == part && r->block == block && strcmp(r->file, file) == 0) {
            return r;
        }
    }
    return NULL;
}
