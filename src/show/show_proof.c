/* show_proof.c - a proof that held, and a key. */
#include <stdio.h>

#include "m31r/json.h"
#include "m31r/show.h"
#include "show/rows.h"
#include "show/text.h"

static void write_row(const m31r_screen *s, const char *name, const char *value)
{
    fprintf(s->out, "%-9s ", name);
    m31r_show_text(s, value);
    fputc('\n', s->out);
}

m31r_err m31r_show_proof(const m31r_screen *s, const m31r_proof *p, m31r_error *e)
{
    if (s->is_json) {
        m31r_json *j = m31r_json_new("proved");
        m31r_json_add_text(j, "run_id", p->run_id);
        m31r_json_add_text(j, "file", p->file);
        m31r_json_add_int(j, "line", (int64_t)p->line);
        m31r_json_add_int(j, "byte", (int64_t)p->byte);
        m31r_json_add_bytes(j, "record", p->record, p->length);
        m31r_json_add_text(j, "root", p->root);
        m31r_json_add_text(j, "seal", p->seal);
        m31r_json_add_text(j, "made", p->made);
        m31r_json_add_text(j, "key", p->key[0] != '\0' ? p->key : NULL);
        return m31r_json_write(j, s->out, e);
    }
    fputs("the proof holds\n", s->out);
    write_row(s, "run", p->run_id);
    write_row(s, "file", p->file);
    write_row(s, "record", p->record);
    write_row(s, "root", p->root);
    write_row(s, "seal", p->seal);
    write_row(s, "sealed", p->made);
    write_row(s, "signed by", p->key[0] != '\0' ? p->key : "nobody");
    return M31R_OK;
}

m31r_err m31r_show_key(const m31r_screen *s, const m31r_key *key, m31r_error *e)
{
    if (s->is_json) {
        m31r_json *j = m31r_json_new("key");
        m31r_json_add_text(j, "public_key", key->public_key);
        m31r_json_add_text(j, "made", key->made[0] != '\0' ? key->made : NULL);
        m31r_json_add_text(j, "path", key->path);
        m31r_json_add_text(j, "kept", key->kept[0] != '\0' ? key->kept : NULL);
        return m31r_json_write(j, s->out, e);
    }
    write_row(s, "public", key->public_key);
    write_row(s, "made", key->made[0] != '\0' ? key->made : "not known here");
    write_row(s, "secret", key->path);
    if (key->kept[0] != '\0') {
        write_row(s, "before", key->kept);
    }
    return M31R_OK;
}
