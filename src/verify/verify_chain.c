/* verify_chain.c - who signed a seal, and what the chain of seals beside the run says of it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verify/verify_int.h"
#include "base/os_file.h"
#include "format/redactions.h"
#include "format/seal_key.h"

typedef struct chain_look {
    const m31ri_seal *own;
    uint64_t line, bad_line;
    uint64_t n_own, n_own_other_root, other_line;
    bool has_own, knows_previous, has_previous, has_next_other;
    m31ri_chain_says *says;
    char next[160];
} chain_look;

static void look_at_seal(chain_look *c, const m31ri_seal *one)
{
    const m31ri_seal *own = c->own;
    if (m31ri_seal_is_of_redactions(one, own->run_id)) {
        c->says->redactions = *one;
        c->says->has_redactions = true;
    }
    if (strcmp(one->run_id, own->run_id) == 0) {
        bool is_own = strcmp(one->digest, own->digest) == 0;
        c->has_own |= is_own;
        if (!is_own && strcmp(one->root, own->root) != 0) {
            c->n_own_other_root++;
            c->other_line = c->line;
        }
    }
    if (own->previous[0] != '\0' && strcmp(one->run_id, own->previous) == 0) {
        c->knows_previous = true;
        c->has_previous |= strcmp(one->digest, own->previous_seal) == 0;
    }
    if (strcmp(one->previous, own->run_id) == 0 && strcmp(one->previous_seal, own->digest) != 0) {
        c->has_next_other = true;
        snprintf(c->next, sizeof c->next, "%s", one->run_id);
    }
}

static void look_at_chain(chain_look *c, const char *at, const char *end)
{
    while (at < end) {
        m31ri_seal one;
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = lf != NULL ? lf : end;
        c->line++;
        if (!m31ri_seal_read(at, (size_t)(line_end - at), &one) || !m31ri_seal_holds(&one)) {
            c->bad_line = c->bad_line == 0 && line_end > at ? c->line : c->bad_line;
        } else {
            look_at_seal(c, &one);
        }
        at = line_end + 1;
    }
}

/* What the chain beside the run says of it. It is no part of the run: where it says nothing, that
 * is no fault. */
void m31ri_verify_chain(m31r_verification *v, int run, const m31ri_seal *own, m31ri_chain_says *out)
{
    static const char *const id[2] = {"OBS-04", "the chain of seals holds it"};
    m31ri_buf text = M31RI_BUF_INIT;
    chain_look c = {.own = own, .says = out};
    *out = (m31ri_chain_says){.has_own = false};
    m31ri_check_place place = {.path = "../" M31RI_SEALS_FILE, .breaks = M31R_VERDICT_CHANGED};
    int root = m31ri_open_dir(run, "..", false);
    bool is_there = root >= 0 && m31ri_read_file(root, M31RI_SEALS_FILE, M31RI_SEALS_BYTES, &text,
                                                 NULL) == M31R_OK;
    if (root >= 0) {
        close(root);
    }
    look_at_chain(&c, m31ri_buf_str(&text), m31ri_buf_str(&text) + text.length);
    m31ri_buf_release(&text);
    out->has_own = c.has_own;
    place.line = c.other_line;
    const char *previous = c.own->previous[0] == '\0' ? "it is the first"
                           : c.has_previous           ? "its predecessor is there"
                                                      : "its predecessor is absent";
    if (c.n_own_other_root > 0) {
        m31ri_verify_add(v, id, M31R_NO, place, "it was sealed with another root before");
    } else if (c.has_next_other) {
        m31ri_verify_add(v, id, M31R_NO, place, "%s, sealed after it, names another seal of it",
                         c.next);
    } else if (c.knows_previous && !c.has_previous) {
        m31ri_verify_add(v, id, M31R_NO, place, "its predecessor %s has another seal now",
                         c.own->previous);
    } else if (!c.has_own && c.bad_line > 0) {
        place.line = c.bad_line;
        m31ri_verify_add(v, id, M31R_NO, place, "line %llu is no seal, and it is not elsewhere",
                         (unsigned long long)c.bad_line);
    } else if (!c.has_own) {
        m31ri_verify_add(v, id, M31R_NOT_APPLICABLE, place, "absent: %s",
                         is_there ? "moved here, or the chain was not written" : "no chain here");
    } else {
        m31ri_verify_add(v, id, M31R_YES, place, "%s%s", previous,
                         c.bad_line > 0 ? "; other lines of it are no seals" : "");
    }
}

/* Who signed. A key that was made here after the seal cannot have made it: an old run was sealed
 * again with a newer key. */
void m31ri_verify_signature(m31r_verification *v, const m31ri_seal *seal, uint64_t line)
{
    static const char *const id[2] = {"OBS-04", "the seal is signed"};
    m31ri_check_place place = {.path = "manifest.json", .breaks = M31R_VERDICT_CHANGED};
    m31ri_signature signature = m31ri_seal_signature(seal);
    char made[28] = "";
    bool is_known = m31ri_key_made(seal->key, made);
    bool is_wanted = v->key == NULL || strcmp(v->key, seal->key) == 0;
    place.line = line;
    if (signature == M31RI_BAD_SIGNATURE) {
        m31ri_verify_add(v, id, M31R_NO, place, "the signature is not of the key %.16s", seal->key);
    } else if (!is_wanted) {
        m31ri_verify_add(v, id, M31R_NO, place, "signed by %.16s, not by %.16s",
                         signature == M31RI_SIGNED ? seal->key : "nobody", v->key);
    } else if (signature == M31RI_UNSIGNED) {
        m31ri_verify_add(v, id, M31R_NOT_APPLICABLE, place, "unsigned");
    } else if (is_known && strcmp(seal->made, made) < 0) {
        m31ri_verify_add(v, id, M31R_NO, place,
                         "signed with a key of %s, which is later than the seal of %s", made,
                         seal->made);
    } else {
        m31ri_verify_add(v, id, M31R_YES, place, "by %.16s%s%s", seal->key,
                         is_known ? ", a key made here " : ", a key not known here", made);
    }
}
