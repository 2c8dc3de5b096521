/* segment_cap.c - a directory of records kept below a size, oldest segments first.
 *
 * What holds an ERROR or CRITICAL record is never deleted, so it is looked for in every segment
 * that is to go. A compressed one's index says it; where that does not hold, and for a plain one,
 * the bytes are searched for the words as they stand in JSON strings. That keeps too much rather
 * than too little, and so does a segment that cannot be read to its end.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/seekable.h"
#include "format/timestamp.h"
#include "m31r/log.h"
#include "store/segment.h"

#define READ_BYTES (256 * 1024)
#define OVERLAP_BYTES 16 /* longer than the words searched for */

typedef struct candidate {
    const char *name;
    m31ri_segment_name parts;
    uint64_t bytes;
} candidate;

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* A level of a foreign line may be written in any case, or FATAL; ours is one of these. */
static bool holds_words(const char *bytes, size_t length)
{
    static const char *const words[] = {"\"ERROR\"",    "\"CRITICAL\"", "\"error\"",
                                        "\"critical\"", "\"FATAL\"",    "\"fatal\""};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (memmem(bytes, length, words[i], strlen(words[i])) != NULL) {
            return true;
        }
    }
    return false;
}

/* True also when it cannot be read to its end. */
static bool plain_has_failures(int fd)
{
    size_t kept = 0;
    char *bytes = m31ri_alloc(READ_BYTES + OVERLAP_BYTES);
    bool found = bytes == NULL;
    while (!found) {
        ssize_t n = read(fd, bytes + kept, READ_BYTES);
        if (n == 0) {
            break;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        found = n < 0 || holds_words(bytes, kept + (size_t)n);
        size_t length = found ? 0 : kept + (size_t)n;
        kept = length < OVERLAP_BYTES ? length : OVERLAP_BYTES;
        memmove(bytes, bytes + length - kept, kept);
    }
    m31ri_free(bytes);
    return found;
}

/* True also when it cannot be read to its end. */
static bool packed_has_failures(int fd)
{
    const uint32_t bad = 1u << (M31R_ERROR / 10) | 1u << (M31R_CRITICAL / 10);
    m31ri_seekable s;
    m31ri_buf plain = M31RI_BUF_INIT;
    if (m31ri_seekable_init(&s, fd, NULL) != M31R_OK) {
        return true;
    }
    bool found = false;
    for (size_t i = 0; i < s.list.n && !found; i++) {
        if (s.has_zones && s.zones.zones[i].is_whole) {
            found = (s.zones.zones[i].levels & bad) != 0;
            continue;
        }
        found = m31ri_seekable_read(&s, i, &plain, NULL) != M31R_OK ||
                holds_words(m31ri_buf_str(&plain), plain.length);
    }
    m31ri_buf_release(&plain);
    m31ri_seekable_release(&s);
    return found;
}

static bool has_failures(int dir, const char *name, bool is_compressed)
{
    int fd = m31ri_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        return true;
    }
    bool found = is_compressed ? packed_has_failures(fd) : plain_has_failures(fd);
    close(fd);
    return found;
}

static int by_age(const void *a, const void *b)
{
    const candidate *x = a;
    const candidate *y = b;
    int order = memcmp(x->parts.utc, y->parts.utc, M31RI_SEGMENT_UTC_BYTES);
    return order != 0 ? order : strcmp(x->name, y->name);
}

/* The newest segment of a lane stays: its ordinal is what the next one goes on from. */
static bool is_newest(const candidate *all, size_t n, const candidate *c)
{
    for (size_t i = 0; i < n; i++) {
        const m31ri_segment_name *other = &all[i].parts;
        if (other->lane_length == c->parts.lane_length && other->ordinal > c->parts.ordinal &&
            memcmp(all[i].name, c->name, c->parts.lane_length) == 0) {
            return false;
        }
    }
    return true;
}

/* Enters the rotated segments, and the bytes of all files of records. */
static size_t find_candidates(int dir, const m31ri_dir_list *names, candidate *out,
                              uint64_t *out_bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < names->n; i++) {
        candidate c = {.name = names->entries[i].name};
        struct stat st;
        if (names->entries[i].type != 'f' ||
            (!ends_in(c.name, ".log") && !ends_in(c.name, ".log.zst")) ||
            fstatat(dir, c.name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        c.bytes = (uint64_t)st.st_size;
        *out_bytes += c.bytes;
        if (m31ri_segment_name_read(c.name, &c.parts)) {
            out[n++] = c;
        }
    }
    if (n > 1) {
        qsort(out, n, sizeof *out, by_age);
    }
    return n;
}

m31r_err m31ri_segments_cap(int dir, uint64_t limit_bytes, m31ri_cap_report *report, m31r_error *e)
{
    m31ri_cap_report r = {0};
    m31ri_dir_list names = {0};
    m31r_err err = m31ri_dir_list_fd(dir, &names, e);
    if (err != M31R_OK) {
        *report = r;
        return err;
    }
    candidate *candidates = m31ri_calloc(names.n + 1, sizeof *candidates);
    if (candidates == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for %zu names", names.n);
    }
    size_t n = err == M31R_OK ? find_candidates(dir, &names, candidates, &r.bytes_after) : 0;
    for (size_t i = 0; i < n && r.bytes_after > limit_bytes && err == M31R_OK; i++) {
        if (is_newest(candidates, n, &candidates[i])) {
            continue;
        }
        if (has_failures(dir, candidates[i].name, candidates[i].parts.is_compressed)) {
            r.n_kept++;
        } else if (unlinkat(dir, candidates[i].name, 0) == 0) {
            r.n_deleted++;
            r.bytes_deleted += candidates[i].bytes;
            r.bytes_after -= candidates[i].bytes;
        } else if (errno != ENOENT) {
            err = m31ri_fail_sys(e, errno, candidates[i].name, "removing %s", candidates[i].name);
        }
    }
    m31ri_free(candidates);
    m31ri_dir_list_release(&names);
    *report = r;
    return err;
}

/* "20261123T102651Z" */
static bool time_of(const char *utc, int64_t *out_ns)
{
    char text[24];
    snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", utc, utc + 4, utc + 6, utc + 9,
             utc + 11, utc + 13);
    return m31ri_timestamp_read(text, strlen(text), out_ns);
}

m31r_err m31ri_segments_each_newest_first(
    int dir, m31r_err (*each)(void *context, const m31ri_old_segment *s, m31r_error *e),
    void *context, m31r_error *e)
{
    m31ri_dir_list names = {0};
    uint64_t bytes = 0;
    m31r_err err = m31ri_dir_list_fd(dir, &names, e);
    candidate *candidates = err == M31R_OK ? m31ri_calloc(names.n + 1, sizeof *candidates) : NULL;
    if (err == M31R_OK && candidates == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for %zu names", names.n);
    }
    size_t n = err == M31R_OK ? find_candidates(dir, &names, candidates, &bytes) : 0;
    for (size_t i = n; i-- > 0 && err == M31R_OK;) {
        const candidate *c = &candidates[i];
        m31ri_old_segment s = {c->name, c->bytes, 0, is_newest(candidates, n, c),
                               c->parts.is_compressed};
        err = time_of(c->parts.utc, &s.wall_ns) ? each(context, &s, e) : M31R_OK;
    }
    m31ri_free(candidates);
    m31ri_dir_list_release(&names);
    return err;
}

const char *m31ri_segment_stays(int dir, const m31ri_old_segment *s)
{
    if (s->is_newest) {
        return "the newest of its lane";
    }
    return has_failures(dir, s->file, s->is_compressed) ? "holds an ERROR or CRITICAL record"
                                                        : NULL;
}
