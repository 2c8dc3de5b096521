/* seal.c - see seal.h. */
#include "format/seal.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "format/json_text.h"

static const char *or_dash(const char *text)
{
    return text[0] != '\0' ? text : "-";
}

void m31ri_seal_statement(const m31ri_seal *s, m31ri_buf *out)
{
    m31ri_buf_add_format(out, "m31r-seal-v1\n%s\n%s %llu\n%s\n%s %s\n%s\n", s->run_id, s->root,
                         (unsigned long long)s->n_files, s->made, or_dash(s->previous),
                         or_dash(s->previous_seal), or_dash(s->key));
}

static bool digest_of(const m31ri_seal *s, char out[M31RI_SHA256_HEX])
{
    uint8_t digest[M31RI_SHA256_BYTES];
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_seal_statement(s, &text);
    bool is_fine = m31ri_buf_ok(&text);
    if (is_fine) {
        m31ri_sha256_of(text.data, text.length, digest);
        m31ri_sha256_hex(digest, out);
    }
    m31ri_buf_release(&text);
    return is_fine;
}

bool m31ri_seal_set_digest(m31ri_seal *s)
{
    return digest_of(s, s->digest);
}

bool m31ri_seal_holds(const m31ri_seal *s)
{
    char digest[M31RI_SHA256_HEX];
    return digest_of(s, digest) && strcmp(digest, s->digest) == 0;
}

static void write_text(m31ri_buf *out, const char *key, const char *text)
{
    m31ri_buf_add_format(out, ",\"%s\":", key);
    if (text[0] != '\0') {
        m31ri_json_string(out, text, strlen(text));
    } else {
        m31ri_buf_add_str(out, "null");
    }
}

void m31ri_seal_write(const m31ri_seal *s, m31ri_buf *out)
{
    m31ri_buf_add_str(out, "{\"v\":1");
    write_text(out, "run_id", s->run_id);
    write_text(out, "root", s->root);
    m31ri_buf_add_format(out, ",\"files\":%llu", (unsigned long long)s->n_files);
    write_text(out, "made", s->made);
    write_text(out, "previous", s->previous);
    write_text(out, "previous_seal", s->previous_seal);
    write_text(out, "key", s->key);
    write_text(out, "signature", s->signature);
    write_text(out, "seal", s->digest);
    m31ri_buf_add_char(out, '}');
}

static bool take_text(const json_t *o, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, key));
    out[0] = '\0';
    return text == NULL || (size_t)snprintf(out, size, "%s", text) < size;
}

bool m31ri_seal_read(const char *text, size_t length, m31ri_seal *out)
{
    m31ri_seal s = {.n_files = 0};
    m31ri_buf again = M31RI_BUF_INIT;
    json_t *o = length <= M31RI_SEAL_LINE_BYTES ? json_loadb(text, length, 0, NULL) : NULL;
    bool is_one = json_is_object(o) && take_text(o, "run_id", s.run_id, sizeof s.run_id) &&
                  take_text(o, "root", s.root, sizeof s.root) &&
                  take_text(o, "made", s.made, sizeof s.made) &&
                  take_text(o, "previous", s.previous, sizeof s.previous) &&
                  take_text(o, "previous_seal", s.previous_seal, sizeof s.previous_seal) &&
                  take_text(o, "key", s.key, sizeof s.key) &&
                  take_text(o, "signature", s.signature, sizeof s.signature) &&
                  take_text(o, "seal", s.digest, sizeof s.digest);
    if (is_one) {
        s.n_files = (uint64_t)json_integer_value(json_object_get(o, "files"));
        m31ri_seal_write(&s, &again);
        is_one =
            m31ri_buf_ok(&again) && again.length == length && memcmp(again.data, text, length) == 0;
    }
    json_decref(o);
    m31ri_buf_release(&again);
    if (is_one) {
        *out = s;
    }
    return is_one;
}
