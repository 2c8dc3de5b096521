/* manifest_read.c - see manifest_read.h.
 *
 * The root binds the lines; what is around them is written anew from the seal and compared byte by
 * byte. So there is no byte in the file that may be another one.
 */
#include "verify/manifest_read.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/json_text.h"
#include "format/merkle.h"

#define MANIFEST_BYTES ((size_t)1024 * 1024 * 1024)
#define TAIL_BEGIN "],\"root\":\""

__attribute__((format(printf, 3, 4))) static void fault(m31ri_manifest *m, uint64_t line,
                                                        const char *format, ...)
{
    va_list arguments;
    if (m->fault[0] != '\0') {
        return;
    }
    va_start(arguments, format);
    vsnprintf(m->fault, sizeof m->fault, format, arguments);
    va_end(arguments);
    m->fault_line = line;
}

static uint64_t number_of(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));
    return n > 0 ? (uint64_t)n : 0;
}

static bool take_hex(const json_t *o, const char *key, char out[M31RI_SHA256_HEX])
{
    uint8_t digest[M31RI_SHA256_BYTES];
    const char *hex = json_string_value(json_object_get(o, key));
    out[0] = '\0';
    if (hex != NULL && m31ri_sha256_unhex(hex, digest)) {
        memcpy(out, hex, M31RI_SHA256_HEX);
    }
    return out[0] != '\0';
}

/* The bytes of a name: as they are written, or from the hexadecimal beside it. NULL when there is
 * none, or memory is out. */
static char *take_name(const json_t *o, const char *key)
{
    static const char digits[] = "0123456789abcdef";
    char hex_key[16];
    snprintf(hex_key, sizeof hex_key, "%s_hex", key);
    const char *text = json_string_value(json_object_get(o, key));
    const char *hex = json_string_value(json_object_get(o, hex_key));
    char *name = text != NULL ? m31ri_strdup(hex != NULL ? hex : text) : NULL;
    size_t n = name != NULL && hex != NULL ? strlen(hex) : 0;
    for (size_t i = 0; i + 1 < n; i += 2) {
        const char *high = memchr(digits, hex[i], 16), *low = memchr(digits, hex[i + 1], 16);
        int byte = high != NULL && low != NULL ? (int)((high - digits) * 16 + (low - digits)) : 0;
        name[i / 2] = (char)byte; /* no digit ends the name: then it is the wrong one */
    }
    if (n > 0) {
        name[n / 2] = '\0';
    }
    return name;
}

/* A path that leads out of the run is none. */
static bool is_below(const char *path)
{
    for (const char *part = path; part != NULL && *part != '\0';) {
        size_t n = strcspn(part, "/");
        if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && memcmp(part, "..", 2) == 0)) {
            return false;
        }
        part += part[n] == '/' ? n + 1 : n;
    }
    return path != NULL && path[0] != '\0';
}

/* False when memory is out. */
static bool take_file(m31ri_manifest *m, const char *line, size_t length)
{
    m31ri_manifest_file *f = &m->files[m->n];
    uint64_t number = m->n + 2;
    json_t *o = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    const char *shown = json_string_value(json_object_get(o, "path"));
    const char *class = json_string_value(json_object_get(o, "class"));
    bool has_target = json_is_string(json_object_get(o, "target"));
    *f = (m31ri_manifest_file){.line = line, .length = length, .path = take_name(o, "path")};
    if (!is_below(f->path) || class == NULL || !take_hex(o, "sha256", f->sha256)) {
        m31ri_free(f->path);
        json_decref(o);
        fault(m, number, "the line names no file and digest");
        m->is_readable = false;
        return true;
    }
    take_hex(o, "merkle", f->merkle);
    f->is_record = strcmp(class, "record") == 0;
    f->bytes = number_of(o, "bytes");
    f->n_blocks = number_of(o, "blocks");
    f->n_changed = number_of(o, "changed_while_live");
    f->shown = m31ri_strdup(shown);
    f->target = has_target ? take_name(o, "target") : NULL;
    json_decref(o);
    m->n++;
    return f->shown != NULL && (!has_target || f->target != NULL) &&
           m31ri_merkle_leaf(line, length, m->leaves[m->n - 1]);
}

static size_t count_lines(const char *text, size_t length)
{
    size_t n = 0;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(text + length - at))) != NULL;
         at++) {
        n++;
    }
    return n;
}

/* The lines between the first and the last. False when memory is out. */
static bool take_files(m31ri_manifest *m, const char *at, const char *end)
{
    bool is_fine = true;
    while (at < end && is_fine) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)(lf - at);
        bool is_last = lf + 1 == end;
        if ((length > 0 && at[length - 1] == ',') == is_last) {
            fault(m, m->n + 2, "the line does not end as lines of the list do");
        }
        length -= length > 0 && at[length - 1] == ',';
        is_fine = take_file(m, at, length);
        if (!m->is_readable) {
            return is_fine;
        }
        at = lf + 1;
    }
    return is_fine;
}

static void take_seal(m31ri_manifest *m, const char *tail, const char *end)
{
    static const char mark[] = ",\"seal\":";
    const char *at = memmem(tail, (size_t)(end - tail), mark, sizeof mark - 1);
    if (at == NULL) {
        return;
    }
    m->has_seal = true;
    at += sizeof mark - 1;
    if (end - at < 3 || !m31ri_seal_read(at, (size_t)(end - at) - 2, &m->seal)) {
        m->seal = (m31ri_seal){.n_files = 0};
        fault(m, m->n + 2, "its seal has not the form of one");
    }
}

/* What is around the lines, written anew. */
static void check_frame(m31ri_manifest *m, const char *first, const char *tail)
{
    m31ri_buf frame = M31RI_BUF_INIT;
    const char *end = m->text.data + m->text.length;
    m31ri_buf_add_str(&frame, "{\"format_version\":1,\"run_id\":");
    m31ri_json_string(&frame, m->seal.run_id, strlen(m->seal.run_id));
    m31ri_buf_add_format(&frame, ",\"made\":\"%s\",\"files\":[\n", m->seal.made);
    if (frame.length != (size_t)(first - m->text.data) ||
        memcmp(frame.data, m->text.data, frame.length) != 0) {
        fault(m, 1, "its first line is not that of what was sealed");
    }
    m31ri_buf_clear(&frame);
    m31ri_buf_add_format(&frame, TAIL_BEGIN "%s\",\"seal\":", m->seal.root);
    m31ri_seal_write(&m->seal, &frame);
    m31ri_buf_add_str(&frame, "}\n");
    if (frame.length != (size_t)(end - tail) || memcmp(frame.data, tail, frame.length) != 0) {
        fault(m, m->n + 2, "its last line is not that of what was sealed");
    }
    m31ri_buf_release(&frame);
}

static void check_root(m31ri_manifest *m, const char *tail)
{
    uint8_t root[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX] = "";
    m31ri_merkle tree = M31RI_MERKLE_INIT;
    for (size_t i = 0; i < m->n; i++) {
        m31ri_merkle_add_digest(&tree, m->leaves[i]);
    }
    m31ri_merkle_root(&tree, root);
    m31ri_sha256_hex(root, m->root);
    snprintf(hex, sizeof hex, "%.64s", tail + sizeof TAIL_BEGIN - 1);
    const char *sealed = m->has_seal ? m->seal.root : hex;
    if (strcmp(sealed, m->root) != 0) {
        fault(m, 0, "its lines have the root %.12s, sealed was %.12s", m->root, sealed);
    }
    if (m->has_seal && m->seal.n_files != m->n) {
        fault(m, 0, "it lists %zu files, sealed were %llu", m->n,
              (unsigned long long)m->seal.n_files);
    }
    if (m->has_seal && !m31ri_seal_holds(&m->seal)) {
        fault(m, m->n + 2, "the seal's digest is not that of what it says");
    }
}

static m31r_err take_text(m31ri_manifest *m, m31r_error *e)
{
    const char *text = m31ri_buf_str(&m->text), *end = text + m->text.length;
    const char *lf = memchr(text, '\n', m->text.length);
    const char *before = m->text.length > 1 ? memrchr(text, '\n', m->text.length - 1) : NULL;
    json_t *o = json_loadb(text, m->text.length, 0, NULL);
    bool is_one = json_is_array(json_object_get(o, "files"));
    json_decref(o);
    if (!is_one || lf == NULL || before == NULL || lf >= end - 1 || end[-1] != '\n' ||
        (size_t)(end - before) < sizeof TAIL_BEGIN + 64 ||
        memcmp(before + 1, TAIL_BEGIN, sizeof TAIL_BEGIN - 1) != 0) {
        fault(m, 0, "it has not the form of a manifest");
        return M31R_OK;
    }
    size_t n = count_lines(text, m->text.length);
    m->is_readable = true;
    m->files = m31ri_calloc(n, sizeof *m->files);
    m->leaves = m31ri_calloc(n, sizeof *m->leaves);
    if (m->files == NULL || m->leaves == NULL || !take_files(m, lf + 1, before + 1)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for manifest.json");
    }
    if (m->is_readable) {
        take_seal(m, before + 1, end);
        check_root(m, before + 1);
        if (m->has_seal) {
            check_frame(m, lf + 1, before + 1);
        }
    }
    return M31R_OK;
}

m31r_err m31ri_manifest_read(int run, m31ri_manifest *out, m31r_error *e)
{
    *out = (m31ri_manifest){.n = 0};
    m31r_err err = m31ri_read_file(run, "manifest.json", MANIFEST_BYTES, &out->text, e);
    err = err == M31R_OK ? take_text(out, e) : err;
    if (err != M31R_OK) {
        m31ri_manifest_release(out);
    }
    return err;
}

void m31ri_manifest_release(m31ri_manifest *m)
{
    for (size_t i = 0; i < m->n; i++) {
        m31ri_free(m->files[i].path);
        m31ri_free(m->files[i].shown);
        m31ri_free(m->files[i].target);
    }
    m31ri_free(m->files);
    m31ri_free(m->leaves);
    m31ri_buf_release(&m->text);
    *m = (m31ri_manifest){.n = 0};
}
