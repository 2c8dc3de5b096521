/* chain_changed.c - what was changed between two attempts: config, code, data and seed. */
#include <string.h>

#include "analyse/chain_int.h"
#include "analyse/compare_int.h"
#include "base/fail.h"

#define TOLD 6         /* changes told by name */
#define VALUE_BYTES 40 /* of a value; a digest needs no more to be known again */

static bool is_told(const m31r_compare_row *row)
{
    static const char *const groups[] = {"config", "code", "data"};
    bool is_of_group = false;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        is_of_group = is_of_group || strcmp(row->group, groups[i]) == 0;
    }
    return row->differs &&
           (is_of_group || (strcmp(row->group, "run") == 0 && strcmp(row->key, "seed") == 0));
}

/* A digest is cut to what a person compares. */
static void add_value(m31ri_buf *out, const m31r_compare_cell *cell)
{
    const char *text = cell->text != NULL ? cell->text : "(none)";
    size_t length = strlen(text);
    bool is_digest = length >= 40 && strspn(text, "0123456789abcdef") == length;
    int limit = is_digest ? 7 : VALUE_BYTES;
    m31ri_buf_add_format(out, "%.*s%s", limit, text,
                         !is_digest && length > (size_t)limit ? "..." : "");
}

m31r_err m31ri_chain_find_changes(m31r_chain *c, size_t i, m31r_error *e)
{
    const m31r_reader *readers[] = {c->attempts[i - 1].said.reader, c->attempts[i].said.reader};
    m31r_comparison *comparison = NULL;
    m31r_compare_row row;
    m31ri_buf text = M31RI_BUF_INIT;
    size_t n = 0;
    m31r_err err = m31ri_comparison_open_given(&comparison, readers, 2, e);
    for (size_t k = 0; err == M31R_OK && m31r_comparison_row(comparison, k, &row) == M31R_OK; k++) {
        if (!is_told(&row) || n++ >= TOLD) {
            continue;
        }
        m31ri_buf_add_format(&text, "%s%s ", n > 1 ? "; " : "", row.key);
        add_value(&text, &row.cells[0]);
        m31ri_buf_add_str(&text, " -> ");
        add_value(&text, &row.cells[1]);
    }
    if (n > TOLD) {
        m31ri_buf_add_format(&text, "; and %zu more", n - TOLD);
    }
    m31r_comparison_close(comparison);
    c->attempts[i].changed = m31ri_kept_text(&c->kept, m31ri_buf_str(&text), text.length);
    if (err == M31R_OK && (!m31ri_buf_ok(&text) || c->kept.failed)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for the attempts of a run");
    }
    m31ri_buf_release(&text);
    return err;
}
