/* sidecar.c - the file in the cache, when it is trusted, and how it is made.
 *
 * $XDG_CACHE_HOME/m31r/logs/<device>-<inode>: a head, the zones, the postings, and the SHA-256 of
 * all that. Numbers are those of this machine; the head says how large a zone is, so that another
 * version's file is not taken for ours. Written to a temporary file and renamed, so readers who
 * make it at once do no harm.
 */
#include "read/sidecar.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "read/pieces.h"

#define MAGIC "m31rlog1"
#define ENDS_BYTES 4096
#define DIGEST_BYTES 32
#define LIMIT_BYTES ((size_t)1 << 30)
#define GROWN_PIECES 16 /* fewer new pieces are read, not indexed */

typedef struct side_head {
    char magic[8];
    uint64_t zone_bytes, device, inode, size;
    int64_t changed_ns;
    uint64_t n_zones, n_postings, posted_level;
    uint8_t ends[DIGEST_BYTES]; /* SHA-256 of the first and the last bytes of what is covered */
} side_head;

void m31ri_sidecar_free(m31ri_sidecar *s)
{
    if (s != NULL) {
        m31ri_free(s->zones);
        m31ri_free(s->postings);
        m31ri_free(s);
    }
}

static int open_directory(void)
{
    const char *base = getenv("XDG_CACHE_HOME");
    const char *below = "/m31r/logs";
    char path[4096];
    if (base == NULL || base[0] != '/') {
        base = getenv("HOME");
        below = "/.cache/m31r/logs";
    }
    bool has_path = base != NULL && base[0] == '/' &&
                    snprintf(path, sizeof path, "%s%s", base, below) < (int)sizeof path;
    return has_path && m31ri_make_dirs(path, NULL) == M31R_OK ? m31ri_open_dir(AT_FDCWD, path, true)
                                                              : -1;
}

static bool read_at(const m31ri_bytes *b, uint64_t offset, char *to, size_t n)
{
    size_t got = 0;
    for (size_t done = 0; done < n; done += got) {
        if (b->kind->at(b, offset + done, to + done, n - done, &got, NULL) != M31R_OK || got == 0) {
            return false;
        }
    }
    return true;
}

static bool digest_ends(const m31ri_bytes *b, uint64_t n_zones, uint8_t out[DIGEST_BYTES])
{
    char ends[2 * ENDS_BYTES];
    uint64_t covered = n_zones * M31RI_PIECE_BYTES;
    if (n_zones == 0 || !read_at(b, 0, ends, ENDS_BYTES) ||
        !read_at(b, covered - ENDS_BYTES, ends + ENDS_BYTES, ENDS_BYTES)) {
        return false;
    }
    m31ri_sha256_of(ends, sizeof ends, out);
    return true;
}

/* Whether it is of this file as it is now, or of its beginning. */
static bool is_of(const side_head *h, const m31ri_bytes *b)
{
    uint8_t ends[DIGEST_BYTES];
    bool is_same = memcmp(h->magic, MAGIC, sizeof h->magic) == 0 &&
                   h->zone_bytes == sizeof(m31ri_zone) && h->device == b->device &&
                   h->inode == b->inode && h->n_zones <= b->size / M31RI_PIECE_BYTES;
    bool is_untouched = h->size == b->size ? h->changed_ns == b->changed_ns : h->size < b->size;
    return is_same && is_untouched && digest_ends(b, h->n_zones, ends) &&
           memcmp(ends, h->ends, sizeof ends) == 0;
}

/* True when postings lie in their pieces and zones in the postings: what the digest does not say of
 * a file that another program has made. */
static bool is_sound(const m31ri_sidecar *s)
{
    for (size_t i = 0; i < s->n_zones; i++) {
        const m31ri_zone *z = &s->zones[i];
        if (z->first_posting > s->n_postings || z->n_postings > s->n_postings - z->first_posting) {
            return false;
        }
    }
    return true;
}

static m31ri_sidecar *load(int dir, const char *name, const m31ri_bytes *b)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31ri_sidecar *s = m31ri_calloc(1, sizeof *s);
    uint8_t digest[DIGEST_BYTES];
    side_head head;
    bool is_fine = s != NULL && m31ri_read_file(dir, name, LIMIT_BYTES, &bytes, NULL) == M31R_OK &&
                   bytes.length >= sizeof head + DIGEST_BYTES;
    if (is_fine) {
        size_t n = bytes.length - DIGEST_BYTES;
        m31ri_sha256_of(bytes.data, n, digest);
        memcpy(&head, bytes.data, sizeof head);
        is_fine = memcmp(digest, bytes.data + n, DIGEST_BYTES) == 0 && is_of(&head, b) &&
                  n == sizeof head + head.n_zones * sizeof *s->zones +
                           head.n_postings * sizeof *s->postings;
    }
    if (is_fine) {
        const char *at = bytes.data + sizeof head;
        s->n_zones = head.n_zones;
        s->n_postings = head.n_postings;
        s->posted_level = (m31r_level)head.posted_level;
        s->zones = m31ri_alloc(s->n_zones * sizeof *s->zones);
        s->postings = m31ri_alloc((s->n_postings + 1) * sizeof *s->postings);
        is_fine = s->zones != NULL && s->postings != NULL;
        if (is_fine) {
            memcpy(s->zones, at, s->n_zones * sizeof *s->zones);
            memcpy(s->postings, at + s->n_zones * sizeof *s->zones,
                   s->n_postings * sizeof *s->postings);
            is_fine = is_sound(s);
        }
    }
    m31ri_buf_release(&bytes);
    if (!is_fine) {
        m31ri_sidecar_free(s);
        return NULL;
    }
    return s;
}

static void save(int dir, const char *name, const m31ri_sidecar *s, const m31ri_bytes *b)
{
    m31ri_buf out = M31RI_BUF_INIT;
    uint8_t digest[DIGEST_BYTES];
    side_head head = {.zone_bytes = sizeof(m31ri_zone),
                      .device = b->device,
                      .inode = b->inode,
                      .size = b->size,
                      .changed_ns = b->changed_ns,
                      .n_zones = s->n_zones,
                      .n_postings = s->n_postings,
                      .posted_level = (uint64_t)s->posted_level};
    memcpy(head.magic, MAGIC, sizeof head.magic);
    if (!digest_ends(b, s->n_zones, head.ends)) {
        return;
    }
    m31ri_buf_add(&out, (const char *)&head, sizeof head);
    m31ri_buf_add(&out, (const char *)s->zones, s->n_zones * sizeof *s->zones);
    m31ri_buf_add(&out, (const char *)s->postings, s->n_postings * sizeof *s->postings);
    if (m31ri_buf_ok(&out)) {
        m31ri_sha256_of(out.data, out.length, digest);
        m31ri_buf_add(&out, (const char *)digest, sizeof digest);
    }
    if (m31ri_buf_ok(&out)) {
        (void)m31ri_replace_file(dir, name, out.data, out.length, false, NULL);
    }
    m31ri_buf_release(&out);
}

/* A zone while its piece is read: its postings are in the piece's `out`. */
static bool take(void *context, m31ri_piece *piece, m31ri_judge *judge, const uint8_t *slots,
                 const m31r_record *line)
{
    m31ri_zone *z = piece->own;
    m31r_record r = *line;
    (void)context;
    if (z == NULL && (z = piece->own = m31ri_calloc(1, sizeof *z)) == NULL) {
        return false;
    }
    if (piece->n_kept == 1) {
        z->first_step = z->first_ns = INT64_MAX;
        z->last_step = z->last_ns = INT64_MIN;
    }
    m31ri_judge_record(judge, line->line, line->length, &r);
    bool is_found = judge->is_found;
    bool has_step = is_found && (judge->found.present >> slots[0] & 1) != 0;
    bool has_time = is_found && (judge->found.present >> slots[1] & 1) != 0;
    z->max_level = (uint32_t)r.level > z->max_level ? (uint32_t)r.level : z->max_level;
    if (r.has_step) {
        z->first_step = r.step < z->first_step ? r.step : z->first_step;
        z->last_step = r.step > z->last_step ? r.step : z->last_step;
    } else if (has_step || !is_found) {
        z->has_odd_step = true;
    }
    if (r.wall_ns != M31R_UNKNOWN) {
        z->first_ns = r.wall_ns < z->first_ns ? r.wall_ns : z->first_ns;
        z->last_ns = r.wall_ns > z->last_ns ? r.wall_ns : z->last_ns;
    } else if (has_time || !is_found) {
        z->has_odd_time = true;
    }
    if (r.level >= M31R_WARNING) {
        m31ri_posting p = {.at = (uint32_t)piece->line_at & 0xffffff,
                           .level = (uint32_t)r.level & 0xff,
                           .line = (uint32_t)piece->n_lines};
        m31ri_buf_add(&piece->out, (const char *)&p, sizeof p);
    }
    return m31ri_buf_ok(&piece->out);
}

/* What is being made. */
typedef struct making {
    m31ri_sidecar *s;
    m31ri_buf postings;
    uint64_t n_lines;
} making;

static m31r_err use(void *context, m31ri_piece *piece, m31r_error *e)
{
    making *m = context;
    m31ri_zone *z = &m->s->zones[m->s->n_zones++];
    const m31ri_zone *found = piece->own;
    (void)e;
    memset(z, 0, sizeof *z);
    z->first_step = z->first_ns = INT64_MAX;
    z->last_step = z->last_ns = INT64_MIN;
    if (found != NULL && piece->n_kept > 0) {
        *z = *found;
        memset(piece->own, 0, sizeof *z);
    }
    for (int i = 0; i < M31R_LINE_CLASSES; i++) {
        z->lines[i] = (uint32_t)piece->lines[i];
    }
    z->n_lines = (uint32_t)piece->n_lines;
    z->first_bad_line = (uint32_t)piece->first_bad_line;
    z->first_bad_class = (uint32_t)piece->first_bad_class;
    z->n_postings = (uint32_t)(piece->out.length / sizeof(m31ri_posting));
    m->n_lines += piece->n_lines;
    m31ri_buf_add(&m->postings, piece->out.data, piece->out.length);
    return m31ri_buf_ok(&m->postings) ? M31R_OK : M31R_E_NOMEM;
}

static void drop(void *context, m31ri_piece *piece)
{
    (void)context;
    m31ri_free(piece->own);
}

/* Keeps the postings of levels that are rare: at most one line in 64. */
static bool keep_rare(making *m)
{
    m31ri_sidecar *s = m->s;
    size_t n = m->postings.length / sizeof(m31ri_posting);
    const m31ri_posting *all = (const m31ri_posting *)(const void *)m->postings.data;
    size_t n_above[M31R_CRITICAL + 2] = {0};
    for (size_t i = 0; i < n; i++) {
        for (unsigned level = M31R_WARNING; level <= all[i].level; level++) {
            n_above[level]++;
        }
    }
    unsigned rare = M31R_WARNING;
    while (rare <= M31R_CRITICAL && n_above[rare] > m->n_lines / 64) {
        rare++;
    }
    s->posted_level = rare <= M31R_CRITICAL ? (m31r_level)rare : (m31r_level)0;
    s->postings = m31ri_alloc((n + 1) * sizeof *s->postings);
    for (size_t k = 0; k < s->n_zones && s->postings != NULL; k++) {
        m31ri_zone *z = &s->zones[k];
        uint32_t n_here = z->n_postings;
        z->first_posting = (uint32_t)s->n_postings;
        for (uint32_t i = 0; i < n_here; i++, all++) {
            if (s->posted_level != 0 && all->level >= rare) {
                s->postings[s->n_postings++] = *all;
            }
        }
        z->n_postings = (uint32_t)s->n_postings - z->first_posting;
    }
    return s->postings != NULL;
}

/* Of all whole pieces of the file. */
static m31ri_sidecar *make(const m31ri_bytes *b)
{
    static const char *const names[] = {"step", "ts"};
    static const m31r_filter all = {0};
    m31ri_sidecar *s = m31ri_calloc(1, sizeof *s);
    uint64_t n_pieces = b->size / M31RI_PIECE_BYTES;
    making m = {.s = s};
    if (s == NULL || (s->zones = m31ri_calloc(n_pieces + 1, sizeof *s->zones)) == NULL) {
        m31ri_sidecar_free(s);
        return NULL;
    }
    m31ri_pieces_options options = {
        .bytes = b, .filter = &all, .is_strict = true, .n_pieces = n_pieces};
    m31ri_piece_work work = {.names = names,
                             .n_names = 2,
                             .needs_head = true,
                             .take = take,
                             .use = use,
                             .drop = drop,
                             .context = &m};
    bool is_fine = m31ri_pieces_run(&options, &work, NULL) == M31R_OK && keep_rare(&m);
    m31ri_buf_release(&m.postings);
    if (!is_fine) {
        m31ri_sidecar_free(s);
        return NULL;
    }
    return s;
}

m31ri_sidecar *m31ri_sidecar_open(const m31ri_bytes *b)
{
    char name[64];
    if (!b->is_regular || b->kind->at == NULL || b->size < M31RI_SIDECAR_BYTES) {
        return NULL;
    }
    int dir = open_directory();
    if (dir < 0) {
        return NULL;
    }
    snprintf(name, sizeof name, "%" PRIx64 "-%" PRIx64, b->device, b->inode);
    m31ri_sidecar *s = load(dir, name, b);
    if (s == NULL || s->n_zones + GROWN_PIECES < b->size / M31RI_PIECE_BYTES) {
        m31ri_sidecar_free(s);
        s = make(b);
        if (s != NULL) {
            save(dir, name, s, b);
        }
    }
    close(dir);
    return s;
}
