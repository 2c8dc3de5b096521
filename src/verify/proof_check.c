/* proof_check.c - m31r/proof.h: from the record up to the seal, each step computed here. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/fail.h"
#include "format/merkle.h"
#include "format/seal_key.h"
#include "m31r/proof.h"

typedef uint8_t digest[M31RI_SHA256_BYTES];

static m31r_err fails(m31r_error *e, const char *what)
{
    return m31ri_fail(e, M31R_E_INVALID, "the proof does not hold: %s", what);
}

static bool take_index(const json_t *o, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(o, key);
    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* The root that a leaf and the path called `key` lead to. */
static bool climb(const json_t *o, const char *key, const digest leaf, uint64_t n, uint64_t index,
                  digest out)
{
    digest path[M31RI_MERKLE_PATH];
    const json_t *list = json_object_get(o, key);
    size_t length = json_array_size(list);
    if (!json_is_array(list) || length > M31RI_MERKLE_PATH) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const char *hex = json_string_value(json_array_get(list, i));
        if (hex == NULL || !m31ri_sha256_unhex(hex, path[i])) {
            return false;
        }
    }
    return m31ri_merkle_climb(leaf, n, index, (const digest *)path, length, out);
}

/* The record is that line of the block, whole. */
static bool holds_record(const m31ri_buf *block, const json_t *o, m31r_proof *out)
{
    const json_t *value = json_object_get(o, "record");
    const char *record = json_string_value(value);
    size_t length = json_string_length(value);
    uint64_t line;
    if (record == NULL || !take_index(o, "line_in_block", &line)) {
        return false;
    }
    const char *at = block->data, *end = block->data + block->length;
    for (uint64_t i = 1; i < line && at < end; i++) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        at = lf != NULL ? lf + 1 : end;
    }
    const char *lf = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
    size_t have = (size_t)((lf != NULL ? lf : end) - at);
    if (at >= end || have != length || memcmp(at, record, length) != 0) {
        return false;
    }
    out->record = m31ri_strndup(record, length);
    out->length = length;
    return true;
}

static m31r_err check_seal(const json_t *o, m31ri_seal *seal, m31r_error *e)
{
    char *dumped = json_dumps(json_object_get(o, "seal"), JSON_COMPACT | JSON_PRESERVE_ORDER);
    bool is_one =
        dumped != NULL && m31ri_seal_read(dumped, strlen(dumped), seal) && m31ri_seal_holds(seal);
    free(dumped);
    if (is_one && m31ri_seal_signature(seal) == M31RI_BAD_SIGNATURE) {
        return fails(e, "its signature is not of its key");
    }
    return is_one ? M31R_OK : fails(e, "its seal is none");
}

/* From the line of the manifest to the sealed root. */
static m31r_err check_file(const json_t *o, const m31ri_seal *seal, json_t **out, m31r_error *e)
{
    digest leaf, top;
    uint64_t index;
    char hex[M31RI_SHA256_HEX];
    const json_t *value = json_object_get(o, "file_line");
    const char *line = json_string_value(value);
    if (line == NULL || !take_index(o, "file_index", &index) ||
        !m31ri_merkle_leaf(line, json_string_length(value), leaf) ||
        !climb(o, "file_path", leaf, seal->n_files, index, top)) {
        return fails(e, "no path leads from the file to the root");
    }
    m31ri_sha256_hex(top, hex);
    if (strcmp(hex, seal->root) != 0) {
        return fails(e, "the file is not below the sealed root");
    }
    *out = json_loadb(line, json_string_length(value), 0, NULL);
    return *out != NULL ? M31R_OK : fails(e, "the manifest's line is none");
}

static m31r_err check_block(const json_t *o, const json_t *file, m31r_proof *out, m31r_error *e)
{
    digest leaf, top;
    char hex[M31RI_SHA256_HEX] = "";
    uint64_t index, n;
    m31ri_buf block = M31RI_BUF_INIT;
    const char *bytes = json_string_value(json_object_get(o, "bytes"));
    const char *tree = json_string_value(json_object_get(file, "merkle"));
    bool is_below = bytes != NULL && tree != NULL && m31ri_base64_read(&block, bytes) &&
                    take_index(o, "block", &index) && take_index(file, "blocks", &n) &&
                    m31ri_merkle_leaf(m31ri_buf_str(&block), block.length, leaf) &&
                    climb(o, "path", leaf, n, index, top);
    if (is_below) {
        m31ri_sha256_hex(top, hex);
    }
    m31r_err err = M31R_OK;
    if (!is_below || strcmp(hex, tree) != 0) {
        err = fails(e, "the block is not below the file's tree");
    } else if (!holds_record(&block, o, out)) {
        err = fails(e, "the record is not that line of the block");
    }
    m31ri_buf_release(&block);
    return err;
}

/* What it says of the place besides, which nothing but itself vouches for, must fit. */
static m31r_err take_place(const json_t *o, const json_t *file, const m31ri_seal *seal,
                           m31r_proof *out, m31r_error *e)
{
    const char *path = json_string_value(json_object_get(file, "path"));
    const char *said = json_string_value(json_object_get(o, "file"));
    const char *run = json_string_value(json_object_get(o, "run_id"));
    if (path == NULL || said == NULL || run == NULL || strcmp(path, said) != 0 ||
        strcmp(run, seal->run_id) != 0 || !take_index(o, "line", &out->line) ||
        !take_index(o, "byte", &out->byte)) {
        return fails(e, "it names another run or file than it is of");
    }
    snprintf(out->run_id, sizeof out->run_id, "%s", seal->run_id);
    snprintf(out->file, sizeof out->file, "%s", path);
    snprintf(out->root, sizeof out->root, "%s", seal->root);
    snprintf(out->seal, sizeof out->seal, "%s", seal->digest);
    snprintf(out->made, sizeof out->made, "%s", seal->made);
    snprintf(out->key, sizeof out->key, "%s", seal->key);
    return M31R_OK;
}

m31r_err m31r_proof_check(const char *text, size_t length, m31r_proof *out, m31r_error *e)
{
    m31ri_seal seal;
    m31r_proof p = {.line = 0};
    json_t *file = NULL;
    json_t *o = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    m31r_err err = o != NULL ? check_seal(o, &seal, e) : fails(e, "it is no JSON object");
    err = err == M31R_OK ? check_file(o, &seal, &file, e) : err;
    err = err == M31R_OK ? take_place(o, file, &seal, &p, e) : err;
    err = err == M31R_OK ? check_block(o, file, &p, e) : err;
    json_decref(file);
    json_decref(o);
    if (err == M31R_OK && p.record == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a proof");
    }
    if (err == M31R_OK) {
        *out = p;
    } else {
        m31ri_free(p.record);
    }
    return err;
}

void m31r_proof_release(m31r_proof *p)
{
    m31ri_free(p->record);
    p->record = NULL;
}
