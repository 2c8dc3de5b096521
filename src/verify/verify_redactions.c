/* verify_redactions.c - what was taken out of a sealed run, said; and that nothing else was.
 *
 * A redacted block is known twice: by the leaf that was sealed, which no other bytes have, and by
 * the leaf of what stands in its place. So the tree holds without the block, and the block cannot
 * be changed once more. Who edits a block and calls it a redaction is not refuted: it is said that
 * there is one, since when, why, and who signed it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verify/seal_locate.h"
#include "verify/verify_int.h"
#include "base/fail.h"
#include "format/blocks.h"
#include "format/run_files.h"
#include "format/seal_key.h"
#include "format/seekable.h"

m31r_err m31ri_redacted_read(m31ri_redacted *r, int run, m31r_error *e)
{
    m31r_err err = m31ri_redactions_read(run, &r->list, e);
    r->is_unreadable = err == M31R_E_IO || err == M31R_E_LIMIT;
    return r->is_unreadable ? M31R_OK : err;
}

m31r_err m31ri_verify_redacted_job(m31ri_redacted *r, int run, m31ri_hash_job *job, m31r_error *e)
{
    char file[128];
    uint32_t part;
    if (r->list.n == 0) {
        return M31R_OK;
    }
    m31r_err err = m31ri_block_part_of(run, job->path, file, &part, e);
    for (size_t i = 0; err == M31R_OK && i < r->list.n; i++) {
        const m31ri_redaction *one = &r->list.items[i];
        if (one->part != part || strcmp(one->file, file) != 0 || one->block >= job->n_blocks) {
            continue;
        }
        r->n_used++;
        if (one != m31ri_redactions_find(&r->list, file, part, one->block)) {
            r->n_records += one->n_records; /* an earlier one of the same block */
            continue;
        }
        uint8_t *leaf = job->leaves[one->block];
        if (memcmp(leaf, one->now, M31RI_SHA256_BYTES) == 0) {
            memcpy(leaf, one->leaf, M31RI_SHA256_BYTES);
            r->n_blocks++;
            r->n_records += one->n_records;
        } else {
            r->n_pending += memcmp(leaf, one->leaf, M31RI_SHA256_BYTES) == 0;
        }
    }
    return err;
}

/* A compressed segment while its plain bytes are cut into blocks. */
typedef struct segment_look {
    m31ri_redacted *r;
    char file[128];
    uint32_t part;
    m31ri_merkle tree; /* with the sealed leaves of the redacted blocks */
    uint64_t n_blocks, n_records;
} segment_look;

static bool add_leaf(void *context, const m31ri_block *b, const char *checks)
{
    segment_look *l = context;
    const m31ri_redaction *one = m31ri_redactions_find(&l->r->list, l->file, l->part, b->index);
    bool is_ours = one != NULL && memcmp(b->leaf, one->now, M31RI_SHA256_BYTES) == 0;
    (void)checks;
    m31ri_merkle_add_digest(&l->tree, is_ours ? one->leaf : b->leaf);
    l->n_blocks += is_ours;
    l->r->n_pending +=
        one != NULL && !is_ours && memcmp(b->leaf, one->leaf, M31RI_SHA256_BYTES) == 0;
    return true;
}

static bool cut_more(void *cutter, const char *bytes, size_t length)
{
    return m31ri_cutter_add(cutter, bytes, length);
}

/* The root over its plain bytes, in hex; "" when they cannot be read. */
static m31r_err root_of_segment(segment_look *l, int run, const char *path,
                                char hex[M31RI_SHA256_HEX], m31r_error *e)
{
    uint8_t root[M31RI_SHA256_BYTES];
    m31ri_cutter cutter;
    hex[0] = '\0';
    if (!m31ri_cutter_init(&cutter, 0, 0)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the blocks of %s", path);
    }
    int fd = m31ri_run_file_open(run, path);
    cutter.each = add_leaf;
    cutter.context = l;
    m31r_err err = fd >= 0 ? m31ri_seekable_walk(fd, cut_more, &cutter, e) : M31R_E_IO;
    if (err == M31R_OK && m31ri_cutter_end(&cutter)) {
        m31ri_merkle_root(&l->tree, root);
        m31ri_sha256_hex(root, hex);
    }
    m31ri_cutter_release(&cutter);
    if (fd >= 0) {
        close(fd);
    }
    return err == M31R_E_NOMEM ? err : M31R_OK;
}

m31r_err m31ri_verify_redacted_segment(m31ri_redacted *r, int run, const m31ri_manifest_file *f,
                                       const uint8_t sha256[M31RI_SHA256_BYTES], bool *out_holds,
                                       m31r_error *e)
{
    segment_look l = {.r = r, .tree = M31RI_MERKLE_INIT};
    const m31ri_redaction *last = NULL;
    char hex[M31RI_SHA256_HEX];
    *out_holds = false;
    m31r_err err = m31ri_block_part_of(run, f->path, l.file, &l.part, e);
    uint64_t n_lines = 0;
    for (size_t i = 0; err == M31R_OK && i < r->list.n; i++) {
        const m31ri_redaction *one = &r->list.items[i];
        if (one->part == l.part && strcmp(one->file, l.file) == 0 && one->is_packed) {
            last = one;
            n_lines++;
            l.n_records += one->n_records;
        }
    }
    if (last == NULL) {
        return err;
    }
    r->n_used += n_lines;
    m31ri_sha256_hex(sha256, hex);
    if (strcmp(hex, f->sha256) == 0) {
        r->n_pending += n_lines;
        *out_holds = true;
    } else if (memcmp(sha256, last->packed, M31RI_SHA256_BYTES) == 0) {
        err = root_of_segment(&l, run, f->path, hex, e);
        *out_holds = strcmp(hex, f->merkle) == 0;
        r->n_blocks += l.n_blocks;
        r->n_records += l.n_records;
    }
    return err;
}

/* True when one of the seals in the run's file is that seal. */
static bool has_seal(const m31ri_redactions *l, const m31ri_seal *s)
{
    for (size_t i = 0; i < l->n_seals; i++) {
        if (strcmp(l->seals[i].digest, s->digest) == 0) {
            return true;
        }
    }
    return false;
}

/* What is wrong with the redactions; NULL when nothing is. */
static const char *fault_of(m31r_verification *v, const m31ri_redacted *r, const m31ri_seal *own,
                            const m31ri_chain_says *says)
{
    const m31ri_redactions *l = &r->list;
    const m31ri_seal *last = l->n_seals > 0 ? &l->seals[l->n_seals - 1] : NULL;
    if (r->is_unreadable) {
        return "it cannot be read";
    }
    if (l->fault[0] != '\0') {
        return l->fault;
    }
    if (says->has_redactions && !has_seal(l, &says->redactions)) {
        return m31ri_verify_text(v, "the chain knows %llu redactions of %.27s, which are not there",
                                 (unsigned long long)says->redactions.n_files,
                                 says->redactions.made);
    }
    if (last == NULL) {
        return NULL;
    }
    if (!m31ri_seal_is_of_redactions(last, own->run_id)) {
        return "its seal is that of another run";
    }
    if (says->has_own &&
        (!says->has_redactions || strcmp(says->redactions.digest, last->digest) != 0)) {
        return "the chain, which holds the run's seal, does not hold that of its redactions: "
               "redact "
               "again";
    }
    if (m31ri_seal_signature(last) == M31RI_BAD_SIGNATURE) {
        return "its signature is not of the key that it names";
    }
    if (v->key != NULL && strcmp(v->key, last->key) != 0) {
        return "it is not signed by the key that is demanded";
    }
    if (r->n_pending > 0) {
        return m31ri_verify_text(v, "%llu blocks are still as they were sealed: redact again",
                                 (unsigned long long)r->n_pending);
    }
    return r->n_used < l->n ? "it names a block that the run does not have" : NULL;
}

void m31ri_verify_redactions(m31r_verification *v, const m31ri_redacted *r, const m31ri_seal *own,
                             const m31ri_chain_says *says)
{
    static const char *const id[2] = {"OBS-04", "what was redacted is said"};
    const m31ri_redactions *l = &r->list;
    m31ri_check_place place = {
        .path = M31RI_REDACTIONS_FILE, .line = l->fault_line, .breaks = M31R_VERDICT_CHANGED};
    const char *fault = fault_of(v, r, own, says);
    if (fault != NULL) {
        m31ri_verify_add(v, id, M31R_NO, place, "%s", fault);
    } else if (l->n > 0) {
        const m31ri_redaction *last = &l->items[l->n - 1];
        const char *signer = l->seals[l->n_seals - 1].key;
        m31ri_verify_add(v, id, M31R_YES, place,
                         "redacted on %.10s, reason: %.300s; %llu records; %llu blocks not "
                         "provable, the rest holds; %s%.16s",
                         last->at, last->reason, (unsigned long long)r->n_records,
                         (unsigned long long)r->n_blocks,
                         signer[0] != '\0' ? "signed by " : "unsigned", signer);
    }
}
