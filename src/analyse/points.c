/* points.c - the points of a run, streamed out of metrics.csv and of the files of other ranks, or
 * taken from printed lines. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "analyse/chain_int.h"
#include "analyse/line_points.h"
#include "analyse/series_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/point_stream.h"
#include "read/reader_int.h"
#include "read/ring_overlay.h"
#include "read/source.h"

struct m31r_points {
    m31ri_line_points *lines; /* NULL: the points are read from files */
    const m31r_chain *chain;  /* NULL: of one run; else of its attempts, one after the other */
    m31r_points *of_attempt;  /* of the attempt at hand */
    size_t attempt, last_attempt;
    int dir;
    m31ri_dir_list names;
    size_t next_name, end_name;
    bool is_open;
    m31ri_source source;
    m31ri_point_stream stream;
    uint64_t n_bad, n_torn;
};

static bool is_points_file(const m31ri_dir_entry *entry)
{
    static const char rank[] = "metrics.rank";
    size_t length = strlen(entry->name);
    bool is_ranked = strncmp(entry->name, rank, sizeof rank - 1) == 0 && length > sizeof rank + 3 &&
                     strcmp(entry->name + length - 4, ".csv") == 0;
    return entry->type == 'f' && (is_ranked || strcmp(entry->name, "metrics.csv") == 0);
}

m31r_err m31r_points_open(m31r_points **out, const m31r_reader *reader, m31r_error *e)
{
    m31r_points *p = m31ri_calloc(1, sizeof *p);
    if (p == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of a run");
    }
    p->dir = reader->fd;
    m31r_err err = m31ri_dir_list_fd(p->dir, &p->names, e);
    if (err != M31R_OK) {
        m31ri_free(p);
        return err;
    }
    p->end_name = p->names.n;
    *out = p;
    return M31R_OK;
}

m31r_err m31ri_points_open_file(m31r_points **out, const m31r_reader *reader, size_t i,
                                int *out_rank, m31r_error *e)
{
    static const char rank[] = "metrics.rank";
    m31r_points *p = NULL;
    m31r_err err = m31r_points_open(&p, reader, e);
    if (err != M31R_OK) {
        return err;
    }
    size_t at = 0;
    for (size_t seen = 0; at < p->names.n; at++) {
        if (is_points_file(&p->names.entries[at]) && seen++ == i) {
            break;
        }
    }
    if (at == p->names.n) {
        m31r_points_close(p);
        return M31R_EOF;
    }
    const char *name = p->names.entries[at].name;
    bool is_ranked = strncmp(name, rank, sizeof rank - 1) == 0;
    *out_rank = is_ranked ? (int)strtol(name + sizeof rank - 1, NULL, 10) : 0;
    p->next_name = at;
    p->end_name = at + 1;
    *out = p;
    return M31R_OK;
}

m31r_err m31r_points_open_lines(m31r_points **out, const m31r_reader *reader,
                                m31r_patterns *patterns, m31r_pattern_count *counts, m31r_error *e)
{
    m31r_points *p = m31ri_calloc(1, sizeof *p);
    if (p == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of a run");
    }
    m31r_err err = m31ri_line_points_open(&p->lines, reader, patterns, counts, e);
    if (err != M31R_OK) {
        m31ri_free(p);
        return err;
    }
    *out = p;
    return M31R_OK;
}

m31r_err m31ri_points_open_attempts(m31r_points **out, const m31r_chain *chain, size_t first,
                                    size_t last, m31r_error *e)
{
    m31r_points *p = m31ri_calloc(1, sizeof *p);
    if (p == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the points of a run");
    }
    p->chain = chain;
    p->attempt = first;
    p->last_attempt = last;
    *out = p;
    return M31R_OK;
}

m31r_err m31r_points_open_chain(m31r_points **out, const m31r_chain *chain, m31r_error *e)
{
    if (m31r_chain_count(chain) == 1) {
        return m31r_points_open(out, m31ri_chain_reader(chain, 0), e);
    }
    return m31ri_points_open_attempts(out, chain, 0, m31r_chain_count(chain) - 1, e);
}

/* The next point of the attempts that no newer one has superseded. */
static m31r_err next_of_chain(m31r_points *p, m31r_point_view *out, m31r_error *e)
{
    for (;;) {
        m31r_err err = M31R_OK;
        if (p->of_attempt == NULL) {
            if (p->attempt > p->last_attempt) {
                return M31R_EOF;
            }
            err = m31r_points_open(&p->of_attempt, m31ri_chain_reader(p->chain, p->attempt), e);
        }
        while (err == M31R_OK && (err = m31r_points_next(p->of_attempt, out, e)) == M31R_OK) {
            if (!m31ri_chain_is_superseded(p->chain, p->attempt, out)) {
                return M31R_OK;
            }
        }
        if (err != M31R_EOF) {
            return err;
        }
        p->n_bad += p->of_attempt->n_bad;
        p->n_torn += p->of_attempt->n_torn;
        m31r_points_close(p->of_attempt);
        p->of_attempt = NULL;
        p->attempt++;
    }
}

/* Opens the next file of points. M31R_EOF after the last. */
static m31r_err open_next(m31r_points *p, m31r_error *e)
{
    for (; p->next_name < p->end_name; p->next_name++) {
        const m31ri_dir_entry *entry = &p->names.entries[p->next_name];
        if (!is_points_file(entry)) {
            continue;
        }
        p->next_name++;
        int fd = m31ri_open(p->dir, entry->name, O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0) {
            return m31ri_fail_sys(e, errno, entry->name, "cannot open %s", entry->name);
        }
        m31ri_bytes *bytes = NULL;
        m31r_err err = m31ri_bytes_open(&bytes, fd, true, entry->name, e);
        err = err == M31R_OK ? m31ri_bytes_overlay(&bytes, p->dir, entry->name, e) : err;
        if (err == M31R_OK) {
            err = m31ri_source_init(&p->source, bytes, entry->name, "", e);
        }
        p->is_open = err == M31R_OK;
        return err;
    }
    return M31R_EOF;
}

static void show(const m31r_points *p, const m31ri_point *point, const char *line, size_t length,
                 m31r_point_view *out)
{
    out->name = point->name;
    out->name_length = point->name_length;
    out->step = point->step;
    out->value = point->value;
    out->wall_ns = point->wall_ns;
    out->segment = point->segment;
    out->line = line;
    out->length = length;
    out->file = p->source.file;
    out->line_number = p->source.line_number;
}

static m31r_err take_line(m31r_points *p, const char *line, size_t length, m31r_point_view *out)
{
    static const size_t header_length = sizeof M31RI_POINT_HEADER - 2;
    m31ri_point point;
    bool is_header = p->source.line_number == 1 && length == header_length &&
                     memcmp(line, M31RI_POINT_HEADER, header_length) == 0;
    m31ri_point_found found =
        is_header ? M31RI_POINT_BAD : m31ri_point_stream_read(&p->stream, line, length, &point);
    if (found != M31RI_POINT_OK) {
        p->n_bad += !is_header && found == M31RI_POINT_BAD;
        return found == M31RI_POINT_BAD ? M31R_E_CORRUPT : M31R_E_NOMEM;
    }
    show(p, &point, line, length, out);
    return M31R_OK;
}

/* Takes the next line when it was read already and is like the lines before; returns its length
 * with the newline, or 0. */
static inline size_t take_expected(m31r_points *p, m31ri_point *out)
{
    size_t n;
    const char *text = m31ri_source_peek(&p->source, &n);
    size_t used = n > 0 ? m31ri_point_stream_walk(&p->stream, text, n, out) : 0;
    if (used > 0) {
        m31ri_source_pass(&p->source, used);
    }
    return used;
}

bool m31ri_points_next_here(m31r_points *p, m31ri_point *out)
{
    return p->is_open && take_expected(p, out) > 0;
}

/* Next point of the file that is open; M31R_EOF at its end, which closes it. */
static m31r_err next_in_file(m31r_points *p, m31r_point_view *out, m31r_error *e)
{
    m31ri_point point;
    size_t used = take_expected(p, &point);
    if (used > 0) {
        const char *end = p->source.buffer + p->source.start;
        show(p, &point, end - used, used - 1, out);
        return M31R_OK;
    }
    for (;;) {
        const char *line;
        size_t length;
        m31r_err err = m31ri_source_line(&p->source, false, &line, &length, e);
        if (err == M31R_EOF) {
            p->n_torn += m31ri_source_is_torn(&p->source);
            m31ri_source_release(&p->source);
            p->is_open = false;
            return M31R_EOF;
        }
        if (err != M31R_OK && err != M31R_E_LIMIT) {
            return err;
        }
        p->n_bad += err == M31R_E_LIMIT;
        err = err == M31R_OK ? take_line(p, line, length, out) : err;
        if (err == M31R_OK) {
            return M31R_OK;
        }
        if (err == M31R_E_NOMEM) {
            return m31ri_fail(e, err, "out of memory for the points of a run");
        }
    }
}

m31r_err m31r_points_next(m31r_points *p, m31r_point_view *out, m31r_error *e)
{
    if (p->lines != NULL) {
        return m31ri_line_points_next(p->lines, out, e);
    }
    if (p->chain != NULL) {
        return next_of_chain(p, out, e);
    }
    for (;;) {
        m31r_err err = p->is_open ? M31R_OK : open_next(p, e);
        if (err != M31R_OK) {
            return err;
        }
        err = next_in_file(p, out, e);
        if (err != M31R_EOF) {
            return err;
        }
    }
}

void m31r_points_close(m31r_points *p)
{
    if (p == NULL) {
        return;
    }
    if (p->is_open) {
        m31ri_source_release(&p->source);
    }
    m31ri_line_points_close(p->lines);
    m31r_points_close(p->of_attempt);
    m31ri_dir_list_release(&p->names);
    m31ri_point_stream_release(&p->stream);
    m31ri_free(p);
}

size_t m31ri_points_name_here(const m31r_points *p)
{
    return m31ri_point_stream_name(&p->stream);
}

size_t m31ri_points_name(m31r_points *p, const m31r_point_view *last)
{
    if (p->lines == NULL && p->chain == NULL) {
        return m31ri_point_stream_name(&p->stream);
    }
    return m31ri_name_table_add(&p->stream.names, last->name, last->name_length);
}

uint64_t m31ri_points_bad(const m31r_points *p)
{
    return p->n_bad;
}

uint64_t m31ri_points_torn(const m31r_points *p)
{
    return p->n_torn;
}
