/* segments.c - names of rotated segments, and which of them a lane has.
 *
 * A name is read from its end, since a lane's file may hold dots of its own. Two rotations never
 * get the same ordinal, but a copied file may: both are then kept, in byte order of their names.
 */
#include "format/segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/timestamp.h"

#define ORDINAL_DIGITS 6 /* at least; more when there are more */
#define ORDINAL_DIGITS_MOST 9

void m31ri_segment_name_write(const char *lane_file, uint32_t ordinal, int64_t wall_ns,
                              char out[M31RI_SEGMENT_NAME_BYTES])
{
    char utc[M31RI_SEGMENT_UTC_BYTES + 1];
    size_t length = strlen(lane_file);
    if (length >= 4 && strcmp(lane_file + length - 4, ".log") == 0) {
        length -= 4;
    }
    m31ri_timestamp_write_compact(wall_ns, utc);
    snprintf(out, M31RI_SEGMENT_NAME_BYTES, "%.*s.%06u.%s.log", (int)length, lane_file,
             (unsigned)ordinal, utc);
}

static bool are_digits(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return false;
        }
    }
    return true;
}

static bool ends_in(const char *text, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length >= n && memcmp(text + length - n, end, n) == 0;
}

bool m31ri_segment_name_read(const char *name, m31ri_segment_name *out)
{
    m31ri_segment_name s = {0};
    size_t length = strlen(name);
    s.is_compressed = ends_in(name, length, ".log.zst");
    if (!s.is_compressed && !ends_in(name, length, ".log")) {
        return false;
    }
    length -= s.is_compressed ? 8 : 4;
    if (length < M31RI_SEGMENT_UTC_BYTES + 1 + ORDINAL_DIGITS + 2 || name[0] == '.') {
        return false;
    }
    s.utc = name + length - M31RI_SEGMENT_UTC_BYTES;
    if (s.utc[-1] != '.' || !are_digits(s.utc, 8) || s.utc[8] != 'T' || !are_digits(s.utc + 9, 6) ||
        s.utc[15] != 'Z') {
        return false;
    }
    const char *end = s.utc - 1;
    const char *ordinal = end;
    while (ordinal > name && are_digits(ordinal - 1, 1)) {
        ordinal--;
    }
    size_t n_digits = (size_t)(end - ordinal);
    if (ordinal < name + 2 || ordinal[-1] != '.' || n_digits < ORDINAL_DIGITS ||
        n_digits > ORDINAL_DIGITS_MOST) {
        return false;
    }
    s.ordinal = (uint32_t)strtoul(ordinal, NULL, 10);
    s.lane_length = (size_t)(ordinal - 1 - name);
    *out = s;
    return s.ordinal > 0;
}

static bool is_of_lane(const char *name, const m31ri_segment_name *s, const char *lane_file)
{
    size_t length = strlen(lane_file);
    return length == s->lane_length + 4 && memcmp(name, lane_file, s->lane_length) == 0;
}

/* Adds a file; its twin of the other kind, which sorts beside it, shares its place. */
static bool add_file(m31ri_segment_list *l, const char *name, const m31ri_segment_name *s)
{
    size_t length = strlen(name) - (s->is_compressed ? 4 : 0);
    for (size_t i = l->n; i-- > 0;) {
        m31ri_segment *known = &l->segments[i];
        if (strlen(known->file) == length && memcmp(known->file, name, length) == 0) {
            known->has_plain |= !s->is_compressed;
            known->has_compressed |= s->is_compressed;
            return true;
        }
        if (known->ordinal != s->ordinal) {
            break;
        }
    }
    m31ri_segment *added = &l->segments[l->n];
    *added = (m31ri_segment){.file = m31ri_strndup(name, length),
                             .ordinal = s->ordinal,
                             .has_plain = !s->is_compressed,
                             .has_compressed = s->is_compressed};
    l->n += added->file != NULL;
    return added->file != NULL;
}

static int by_ordinal(const void *a, const void *b)
{
    const m31ri_segment *x = a;
    const m31ri_segment *y = b;
    if (x->ordinal != y->ordinal) {
        return x->ordinal < y->ordinal ? -1 : 1;
    }
    return strcmp(x->file, y->file);
}

m31r_err m31ri_segment_list_of(const m31ri_dir_list *names, const char *lane_file,
                               m31ri_segment_list *out, m31r_error *e)
{
    m31ri_segment_list l = {0};
    size_t n_segments = 0;
    m31ri_segment_name s;
    for (size_t i = 0; i < names->n; i++) {
        n_segments += m31ri_segment_name_read(names->entries[i].name, &s);
    }
    bool is_fine =
        n_segments == 0 || (l.segments = m31ri_calloc(n_segments, sizeof *l.segments)) != NULL;
    for (size_t i = 0; i < names->n && n_segments > 0 && is_fine; i++) {
        const char *name = names->entries[i].name;
        if (names->entries[i].type == 'f' && m31ri_segment_name_read(name, &s) &&
            is_of_lane(name, &s, lane_file)) {
            is_fine = add_file(&l, name, &s);
        }
    }
    if (!is_fine) {
        m31ri_segment_list_release(&l);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the segments of %s", lane_file);
    }
    if (l.n > 1) {
        qsort(l.segments, l.n, sizeof *l.segments, by_ordinal);
    }
    *out = l;
    return M31R_OK;
}

m31r_err m31ri_segment_list_read(int dir, const char *lane_file, m31ri_segment_list *out,
                                 m31r_error *e)
{
    m31ri_dir_list names = {0};
    m31r_err err = m31ri_dir_list_fd(dir, &names, e);
    if (err == M31R_OK) {
        err = m31ri_segment_list_of(&names, lane_file, out, e);
        m31ri_dir_list_release(&names);
    }
    return err;
}

void m31ri_segment_list_release(m31ri_segment_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free(l->segments[i].file);
    }
    m31ri_free(l->segments);
    *l = (m31ri_segment_list){0};
}
