/* verify_seal.c - is every byte what was sealed; of a run that has no seal, what was listed?
 *
 * The raw files are read, never an index or a view of them. What a file of lines should be is known
 * by its tree; blocks.jsonl is asked only where something differs, to find the line. A file that
 * was added after the seal is told as one that was changed when our readers would show it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/hash_jobs.h"
#include "verify/manifest_read.h"
#include "verify/seal_locate.h"
#include "verify/verify_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_process.h"
#include "format/merkle.h"
#include "format/run_files.h"
#include "format/segments.h"

#define BLOCKS_BYTES ((size_t)1024 * 1024 * 1024)

/* The first fault of a check, and how many there are. */
typedef struct faults {
    uint64_t n;
    m31ri_check_place place;
    const char *what;
} faults;

typedef struct seal_look {
    m31r_verification *v;
    int run;
    m31ri_manifest manifest;
    m31ri_hash_job *jobs; /* one for each file of the manifest */
    m31ri_block_list list;
    bool has_list;
    const m31ri_note_removed *removed; /* the last of those that were removed */
    uint64_t n_removed;
    m31ri_redacted redacted;
    faults faults;
} seal_look;

static void note(seal_look *s, m31ri_check_place place, const char *what)
{
    if (s->faults.n++ == 0) {
        s->faults.place = place;
        s->faults.place.path = m31ri_verify_text(s->v, "%s", place.path);
        s->faults.what = what;
    } else if (place.breaks > s->faults.place.breaks) {
        s->faults.place.breaks = place.breaks;
    }
}

/* One answer for what was noted since the last one. */
static void answer(seal_look *s, const char *statement, const char *fine)
{
    const char *const id[2] = {"OBS-04", statement};
    const faults *f = &s->faults;
    if (f->n == 0) {
        m31ri_verify_add(s->v, id, M31R_YES, f->place, "%s", fine);
    } else if (f->n == 1) {
        m31ri_verify_add(s->v, id, M31R_NO, f->place, "%s", f->what);
    } else {
        m31ri_verify_add(s->v, id, M31R_NO, f->place, "%s; %llu more", f->what,
                         (unsigned long long)f->n - 1);
    }
    s->faults = (faults){.n = 0};
}

static m31r_err load_list(seal_look *s, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    if (s->has_list) {
        return M31R_OK;
    }
    s->has_list = true;
    s->list.with_checks = true;
    m31r_err err = m31ri_read_file(s->run, M31RI_BLOCKS_FILE, BLOCKS_BYTES, &text, NULL);
    if (err == M31R_OK) {
        err = m31ri_block_list_read(&s->list, m31ri_buf_str(&text), text.length, e);
    }
    m31ri_buf_release(&text);
    return err == M31R_E_NOMEM ? err : M31R_OK;
}

/* ---- files of the manifest --------------------------------------------------------------------
 */

/* Where a file of lines differs. */
static m31r_err locate(seal_look *s, const m31ri_hash_job *job, m31ri_check_place *place,
                       const char **what, m31r_error *e)
{
    char file[128];
    uint32_t part;
    m31ri_fault fault;
    m31ri_block_row row = {.n = 0};
    m31r_err err = load_list(s, e);
    err = err == M31R_OK ? m31ri_block_part_of(s->run, job->path, file, &part, e) : err;
    err = err == M31R_OK ? m31ri_block_row_of(&s->list, file, part, &row, e) : err;
    if (err == M31R_OK && row.n > 0 && m31ri_seal_locate(s->run, job, &row, false, &fault)) {
        place->line = fault.line;
        place->byte = fault.byte;
        place->has_byte = true;
        *what = m31ri_verify_text(s->v, "%s: %s, from line %llu, byte %llu; %llu of %llu blocks",
                                  job->path, fault.what, (unsigned long long)fault.line,
                                  (unsigned long long)fault.byte,
                                  (unsigned long long)fault.n_blocks, (unsigned long long)row.n);
    }
    m31ri_free(row.blocks);
    return err;
}

static m31r_err judge_lines(seal_look *s, const m31ri_manifest_file *f, const m31ri_hash_job *job,
                            m31r_error *e)
{
    uint8_t root[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    m31ri_merkle tree = M31RI_MERKLE_INIT;
    for (uint64_t i = 0; i < job->n_blocks; i++) {
        m31ri_merkle_add_digest(&tree, job->leaves[i]);
    }
    m31ri_merkle_root(&tree, root);
    m31ri_sha256_hex(root, hex);
    if (strcmp(hex, f->merkle) == 0 && job->bytes == f->bytes) {
        return M31R_OK;
    }
    m31ri_check_place place = {.path = f->shown, .breaks = M31R_VERDICT_CHANGED};
    const char *what = m31ri_verify_text(s->v,
                                         "%s: %llu bytes with the root %.12s, sealed were "
                                         "%llu with %.12s",
                                         f->path, (unsigned long long)job->bytes, hex,
                                         (unsigned long long)f->bytes, f->merkle);
    m31r_err err = locate(s, job, &place, &what, e);
    note(s, place, what);
    return err;
}

/* A file of the program's own that was removed by hand, with a tombstone of the same digest. */
static bool was_removed(seal_look *s, const m31ri_manifest_file *f)
{
    const m31ri_note_removed *removed =
        !f->is_record ? m31ri_notes_find_removed(&s->v->reader->notes, f->shown, f->sha256) : NULL;
    if (removed != NULL) {
        s->removed = removed;
        s->n_removed++;
    }
    return removed != NULL;
}

/* A symlink is what its text is. */
static void judge_link(seal_look *s, const m31ri_manifest_file *f)
{
    char target[4096];
    ssize_t n = readlinkat(s->run, f->path, target, sizeof target - 1);
    m31ri_check_place place = {.path = f->shown, .breaks = M31R_VERDICT_CHANGED};
    target[n > 0 ? n : 0] = '\0';
    if (n < 0 && errno == ENOENT && was_removed(s, f)) {
        return;
    }
    if (n < 0) {
        place.breaks = errno == ENOENT ? M31R_VERDICT_INCOMPLETE : M31R_VERDICT_CHANGED;
        note(s, place, m31ri_verify_text(s->v, "%s: %s", f->shown, strerror(errno)));
    } else if (strcmp(target, f->target) != 0) {
        note(s, place, m31ri_verify_text(s->v, "%s leads elsewhere than it did", f->shown));
    }
}

static bool is_packed(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".zst") == 0;
}

static m31r_err judge_file(seal_look *s, const m31ri_manifest_file *f, m31ri_hash_job *job,
                           m31r_error *e)
{
    char hex[M31RI_SHA256_HEX];
    m31ri_check_place place = {.path = f->shown, .breaks = M31R_VERDICT_CHANGED};
    if (f->target != NULL) {
        judge_link(s, f);
        return M31R_OK;
    }
    if (job->err != 0) {
        bool is_gone = job->err == ENOENT || job->err == ENOTDIR;
        if (is_gone && was_removed(s, f)) {
            return M31R_OK;
        }
        place.breaks = is_gone ? M31R_VERDICT_INCOMPLETE : M31R_VERDICT_CHANGED;
        note(s, place, m31ri_verify_text(s->v, "%s: %s", f->shown, strerror(job->err)));
        return M31R_OK;
    }
    if (job->in_blocks) {
        m31r_err err = m31ri_verify_redacted_job(&s->redacted, s->run, job, e);
        return err == M31R_OK ? judge_lines(s, f, job, e) : err;
    }
    bool holds = false;
    m31r_err err = M31R_OK;
    m31ri_sha256_hex(job->sha256, hex);
    if (f->merkle[0] != '\0' && s->redacted.list.n > 0) {
        err = m31ri_verify_redacted_segment(&s->redacted, s->run, f, job->sha256, &holds, e);
    }
    if (!holds && strcmp(hex, f->sha256) != 0) {
        note(s, place,
             m31ri_verify_text(s->v, "%s: SHA-256 %.12s, sealed was %.12s", f->shown, hex,
                               f->sha256));
    }
    return err;
}

static m31r_err judge_files(seal_look *s, m31r_error *e)
{
    const m31ri_manifest *m = &s->manifest;
    s->jobs = m31ri_calloc(m->n + 1, sizeof *s->jobs);
    if (s->jobs == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for digests");
    }
    for (size_t i = 0; i < m->n; i++) {
        const m31ri_manifest_file *f = &m->files[i];
        bool has_tree = f->merkle[0] != '\0' && f->target == NULL && !is_packed(f->path);
        s->jobs[i] = (m31ri_hash_job){.path = f->path, .in_blocks = has_tree, .most_bytes = -1};
        s->jobs[i].may_be_remembered = !f->is_record && !s->v->is_complete;
    }
    uint64_t n_remembered = 0;
    m31r_err err = m31ri_hash_jobs_run(s->run, s->jobs, m->n, &s->v->listener, e);
    for (size_t i = 0; i < m->n && err == M31R_OK; i++) {
        err = judge_file(s, &m->files[i], &s->jobs[i], e);
        s->v->numbers.n_bytes += s->jobs[i].bytes;
        n_remembered += s->jobs[i].is_remembered;
    }
    char fine[512];
    int length = snprintf(fine, sizeof fine, "%zu files, %llu bytes", m->n,
                          (unsigned long long)s->v->numbers.n_bytes);
    if (n_remembered > 0) {
        length += snprintf(fine + length, sizeof fine - (size_t)length,
                           "; %llu of them untouched since they were hashed, and not read again "
                           "(--no-cache)",
                           (unsigned long long)n_remembered);
    }
    if (s->n_removed > 0 && length > 0) {
        snprintf(fine + length, sizeof fine - (size_t)length,
                 "; payload removed on %.10s: %llu files, %.300s", s->removed->ts,
                 (unsigned long long)s->n_removed, s->removed->reason);
    } else if (s->redacted.n_blocks > 0 && length > 0) {
        snprintf(fine + length, sizeof fine - (size_t)length, "; %llu blocks were redacted",
                 (unsigned long long)s->redacted.n_blocks);
    }
    answer(s, "every file is what was sealed", fine);
    return err;
}

static int by_path(const void *key, const void *file)
{
    return strcmp(key, ((const m31ri_manifest_file *)file)->path);
}

/* Files that nobody sealed. */
static m31r_err judge_others(seal_look *s, m31r_error *e)
{
    const m31ri_manifest *m = &s->manifest;
    m31ri_run_files there;
    uint64_t n_payload = 0;
    char fine[96] = "none";
    m31r_err err = m31ri_run_files_read(s->run, &there, e);
    for (size_t i = 0; err == M31R_OK && i < there.n; i++) {
        const char *path = there.files[i].path;
        if (bsearch(path, m->files, m->n, sizeof *m->files, by_path) != NULL) {
            continue;
        }
        n_payload += !m31ri_run_file_is_record(path);
        if (m31ri_run_file_is_record(path)) {
            m31ri_check_place place = {.path = m31ri_verify_text(s->v, "%s", path),
                                       .breaks = M31R_VERDICT_CHANGED};
            note(s, place, m31ri_verify_text(s->v, "%s came after the seal", path));
        }
    }
    if (n_payload > 0) {
        snprintf(fine, sizeof fine, "none of the record; %llu of the program's own",
                 (unsigned long long)n_payload);
    }
    if (err == M31R_OK) {
        m31ri_run_files_release(&there);
        answer(s, "no file was added after the seal", fine);
    }
    return err;
}

/* Blocks that were listed while the run was live, and were other ones at its end. */
static m31r_err judge_live_part(seal_look *s, m31r_error *e)
{
    for (size_t i = 0; i < s->manifest.n; i++) {
        const m31ri_manifest_file *f = &s->manifest.files[i];
        char file[128];
        uint32_t part;
        m31ri_block_row row = {.n = 0};
        if (f->n_changed == 0) {
            continue;
        }
        m31r_err err = load_list(s, e);
        err = err == M31R_OK ? m31ri_block_part_of(s->run, f->path, file, &part, e) : err;
        err = err == M31R_OK ? m31ri_block_row_of(&s->list, file, part, &row, e) : err;
        if (err != M31R_OK) {
            return err;
        }
        m31ri_check_place place = {.path = f->shown, .breaks = M31R_VERDICT_CHANGED};
        if (row.twice != NULL) {
            place.byte = row.twice->block.offset;
            place.has_byte = true;
        }
        note(s, place,
             m31ri_verify_text(s->v,
                               "%s: %llu blocks were other ones before its end, "
                               "from byte %llu",
                               f->path, (unsigned long long)f->n_changed,
                               (unsigned long long)place.byte));
        m31ri_free(row.blocks);
    }
    answer(s, "nothing was changed while the run was live", "as it was listed");
    return M31R_OK;
}

/* ---- the seal itself ----------------------------------------------------------------------------
 */

static void judge_manifest(seal_look *s)
{
    const m31ri_manifest *m = &s->manifest;
    const char *run_id = s->v->reader->facts.run_id;
    m31ri_check_place place = {
        .path = "manifest.json", .line = m->fault_line, .breaks = M31R_VERDICT_CHANGED};
    char fine[160];
    if (m->fault[0] != '\0') {
        note(s, place, m->fault);
    }
    if (m->has_seal && strcmp(m->seal.run_id, run_id) != 0) {
        place.line = 1;
        note(s, place, m31ri_verify_text(s->v, "it is the seal of %s", m->seal.run_id));
    }
    if (m->has_seal) {
        snprintf(fine, sizeof fine, "root %.12s, sealed %s", m->root, m->seal.made);
    } else {
        snprintf(fine, sizeof fine, "root %.12s; a manifest from before there were seals", m->root);
    }
    answer(s, "the seal holds", fine);
}

/* ---- a run without a seal -----------------------------------------------------------------------
 */

/* The file that holds a part now; false when there is none. */
static bool find_part(int run, const char *file, uint32_t part, char out[160])
{
    m31ri_segment_list segments;
    uint32_t last = 0;
    bool is_found = false;
    if (m31ri_segment_list_read(run, file, &segments, NULL) != M31R_OK) {
        return false;
    }
    for (size_t i = 0; i < segments.n; i++) {
        const m31ri_segment *g = &segments.segments[i];
        last = g->ordinal;
        if (g->ordinal == part) {
            is_found = snprintf(out, 160, "%s%s", g->file, g->has_plain ? "" : ".zst") < 160;
        }
    }
    m31ri_segment_list_release(&segments);
    if (!is_found && part == last + 1) {
        snprintf(out, 160, "%s", file);
        is_found = true;
    }
    return is_found;
}

static void judge_twice(seal_look *s, const char *path, const m31ri_block_row *row)
{
    if (row->n_twice > 0) {
        m31ri_check_place place = {.path = path, .breaks = M31R_VERDICT_CHANGED};
        place.byte = row->twice->block.offset;
        place.has_byte = true;
        note(s, place,
             m31ri_verify_text(s->v,
                               "%s: the block at byte %llu was listed as another "
                               "one before",
                               path, (unsigned long long)place.byte));
    }
}

/* Compares a part with what was listed of it; packed ones are left out: they are checked by their
 * own digests when they are read. */
static m31r_err judge_part(seal_look *s, const char *file, uint32_t part, uint64_t *n_blocks,
                           m31r_error *e)
{
    char name[160];
    m31ri_block_row row = {.n = 0};
    m31ri_fault fault;
    bool is_there = find_part(s->run, file, part, name);
    const char *path = m31ri_verify_text(s->v, "%s", is_there ? name : file);
    m31r_err err = m31ri_block_row_of(&s->list, file, part, &row, e);
    if (err != M31R_OK || row.n == 0 || (is_there && is_packed(path))) {
        m31ri_free(row.blocks);
        return err;
    }
    const m31ri_block *last = &row.blocks[row.n - 1]->block;
    m31ri_hash_job job = {
        .path = path, .in_blocks = true, .most_bytes = (int64_t)(last->offset + last->bytes)};
    err = m31ri_hash_jobs_run(s->run, &job, 1, &s->v->listener, e);
    m31ri_check_place place = {.path = path, .breaks = M31R_VERDICT_CHANGED};
    judge_twice(s, path, &row);
    if (err == M31R_OK && job.err != 0) {
        place.breaks = M31R_VERDICT_INCOMPLETE;
        note(s, place, m31ri_verify_text(s->v, "%s: %s", path, strerror(job.err)));
    } else if (err == M31R_OK && m31ri_seal_locate(s->run, &job, &row, true, &fault)) {
        place.line = fault.line;
        place.byte = fault.byte;
        place.has_byte = true;
        note(s, place,
             m31ri_verify_text(s->v,
                               "%s: %s, from line %llu, byte %llu; %llu of %llu "
                               "blocks",
                               path, fault.what, (unsigned long long)fault.line,
                               (unsigned long long)fault.byte, (unsigned long long)fault.n_blocks,
                               (unsigned long long)row.n));
    }
    *n_blocks += row.n;
    m31ri_hash_job_release(&job);
    m31ri_free(row.blocks);
    return err;
}

static bool is_first_of_part(const m31ri_block_list *l, size_t i)
{
    for (size_t k = i; k-- > 0;) {
        if (l->blocks[k].part == l->blocks[i].part && l->blocks[k].file == l->blocks[i].file) {
            return false;
        }
    }
    return true;
}

/* After a power loss files may be shorter than their lists: that is a loss, and no change. */
static bool was_power_lost(const m31r_reader *r)
{
    m31ri_process writer, self = m31ri_process_self();
    return m31ri_writer_of(r, &writer) && strcmp(writer.host, self.host) == 0 &&
           writer.boot_id[0] != '\0' && strcmp(writer.boot_id, self.boot_id) != 0;
}

static m31r_err judge_prefix(seal_look *s, m31r_error *e)
{
    uint64_t n_blocks = 0, n_parts = 0;
    char fine[160];
    m31r_err err = load_list(s, e);
    for (size_t i = 0; i < s->list.n && err == M31R_OK; i++) {
        if (s->list.blocks[i].block.index == 0 && is_first_of_part(&s->list, i)) {
            n_parts++;
            err = judge_part(s, s->list.blocks[i].file, s->list.blocks[i].part, &n_blocks, e);
        }
    }
    if (s->list.n_bad > 0) {
        m31ri_check_place place = {.path = M31RI_BLOCKS_FILE, .breaks = M31R_VERDICT_CHANGED};
        note(s, place,
             m31ri_verify_text(s->v, "%llu lines of it list no block",
                               (unsigned long long)s->list.n_bad));
    }
    if (s->faults.n > 0 && was_power_lost(s->v->reader)) {
        s->faults.place.breaks = M31R_VERDICT_INCOMPLETE;
    }
    snprintf(fine, sizeof fine, "%llu blocks of %llu files; what follows them is not listed yet",
             (unsigned long long)n_blocks, (unsigned long long)n_parts);
    if (err == M31R_OK) {
        answer(s, "what was listed of the run so far is unchanged",
               n_blocks > 0 ? fine : "no block is full yet");
    }
    return err;
}

/* The chain has a seal of a run that has no manifest: it was taken away. */
static bool was_sealed(const seal_look *s)
{
    m31ri_buf text = M31RI_BUF_INIT;
    char id[200];
    snprintf(id, sizeof id, "{\"v\":1,\"run_id\":\"%.159s\",", s->v->reader->facts.run_id);
    int root = m31ri_open_dir(s->run, "..", false);
    bool is_there = root >= 0 && m31ri_read_file(root, M31RI_SEALS_FILE, M31RI_SEALS_BYTES, &text,
                                                 NULL) == M31R_OK;
    is_there = is_there && strstr(m31ri_buf_str(&text), id) != NULL;
    if (root >= 0) {
        close(root);
    }
    m31ri_buf_release(&text);
    return is_there;
}

static m31r_err look_unsealed(seal_look *s, m31r_error *e)
{
    static const char *const there[2] = {"OBS-04", "the run is sealed"};
    bool is_gone = was_sealed(s);
    bool is_ended = m31ri_verify_is_ended(s->v);
    m31r_verdict breaks =
        s->v->is_complete || is_gone ? M31R_VERDICT_INCOMPLETE : M31R_VERDICT_PREFIX;
    m31ri_check_place place = {.path = "manifest.json", .breaks = breaks};
    const char *why = is_gone ? "the chain of seals has its seal, and manifest.json is gone"
                      : is_ended
                          ? "it has ended and is not sealed: `m31r recover RUN --yes` does that"
                          : "there is no seal yet; it is made when a run ends";
    m31ri_verify_add(s->v, there, M31R_NO, place, "%s", why);
    return judge_prefix(s, e);
}

static m31r_err look_sealed(seal_look *s, m31r_error *e)
{
    static const char *const there[2] = {"OBS-04", "the run is sealed"};
    const m31ri_manifest *m = &s->manifest;
    m31ri_chain_says says;
    m31ri_check_place place = {
        .path = "manifest.json", .line = m->fault_line, .breaks = M31R_VERDICT_UNREADABLE};
    if (!m->is_readable) {
        m31ri_verify_add(s->v, there, M31R_NO, place, "%s", m->fault);
        return M31R_OK;
    }
    m31ri_verify_add(s->v, there, M31R_YES, place, "%zu files", m->n);
    judge_manifest(s);
    m31r_err err = m31ri_redacted_read(&s->redacted, s->run, e);
    err = err == M31R_OK ? judge_files(s, e) : err;
    err = err == M31R_OK ? judge_others(s, e) : err;
    if (err == M31R_OK && m->has_seal) {
        err = judge_live_part(s, e);
        m31ri_verify_signature(s->v, &m->seal, m->n + 2);
        m31ri_verify_chain(s->v, s->run, &m->seal, &says);
        m31ri_verify_redactions(s->v, &s->redacted, &m->seal, &says);
    }
    return err;
}

m31r_err m31ri_verify_seal(m31r_verification *v, m31r_error *e)
{
    seal_look s = {.v = v, .run = v->reader->fd};
    m31r_err err = m31ri_manifest_read(s.run, &s.manifest, e);
    if (err == M31R_E_NOTFOUND) {
        err = look_unsealed(&s, e);
    } else if (err == M31R_OK) {
        err = look_sealed(&s, e);
    }
    for (size_t i = 0; s.jobs != NULL && i < s.manifest.n; i++) {
        m31ri_hash_job_release(&s.jobs[i]);
    }
    m31ri_free(s.jobs);
    m31ri_block_list_release(&s.list);
    m31ri_redactions_release(&s.redacted.list);
    m31ri_manifest_release(&s.manifest);
    return err;
}
