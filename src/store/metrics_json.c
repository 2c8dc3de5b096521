/* metrics_json.c - metrics.json follows metrics.csv; metrics_json.h says why it is always the same.
 *
 * A source is a file of points with the place up to which it was read. Only whole lines are taken,
 * so a torn one is either finished or taken off before it is ever seen. A source whose file shrank
 * or changed is read anew.
 */
#include "store/metrics_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/timestamp.h"
#include "stat/summary.h"

#define BLOCK_BYTES (256 * 1024)

typedef struct source {
    char *name;
    dev_t device;
    ino_t inode;
    uint64_t offset;
    m31ri_summary *summary;
} source;

struct m31ri_metrics_json {
    const m31ri_run_dir *d;
    const m31ri_point_listener *listener;
    source *sources; /* in byte order of name */
    size_t n;
    bool is_stale;    /* metrics.json says less than the summaries */
    bool is_unsynced; /* written, but not yet with sync */
};

static m31r_err fail_nomem(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

static bool is_points_file(const m31ri_dir_entry *entry)
{
    size_t length = strlen(entry->name);
    if (entry->type != 'f' || length < 11 || strcmp(entry->name + length - 4, ".csv") != 0) {
        return false;
    }
    return strcmp(entry->name, "metrics.csv") == 0 || strncmp(entry->name, "metrics.rank", 12) == 0;
}

/* The rank whose points are in the file metrics.rank0003.csv; 0 of metrics.csv. */
static int rank_of(const char *name)
{
    return strncmp(name, "metrics.rank", 12) == 0 ? (int)strtol(name + 12, NULL, 10) : 0;
}

/* Enters a source of that name at its place, if it is new. */
static m31r_err add_source(m31ri_metrics_json *m, const char *name, m31r_error *e)
{
    size_t at = 0;
    while (at < m->n && strcmp(m->sources[at].name, name) < 0) {
        at++;
    }
    if (at < m->n && strcmp(m->sources[at].name, name) == 0) {
        return M31R_OK;
    }
    source *sources = m31ri_realloc(m->sources, (m->n + 1) * sizeof *sources);
    if (sources == NULL) {
        return fail_nomem(e);
    }
    m->sources = sources;
    source s = {.name = m31ri_strdup(name), .summary = m31ri_summary_new()};
    if (s.name == NULL || s.summary == NULL) {
        m31ri_free(s.name);
        m31ri_summary_free(s.summary);
        return fail_nomem(e);
    }
    m31ri_summary_listen(s.summary, m->listener, rank_of(name));
    memmove(sources + at + 1, sources + at, (m->n - at) * sizeof *sources);
    sources[at] = s;
    m->n++;
    return M31R_OK;
}

static m31r_err find_sources(m31ri_metrics_json *m, m31r_error *e)
{
    m31ri_dir_list list;
    m31r_err err = m31ri_dir_list_fd(m->d->fd, &list, e);
    if (err != M31R_OK) {
        return err;
    }
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        if (is_points_file(&list.entries[i])) {
            err = add_source(m, list.entries[i].name, e);
        }
    }
    m31ri_dir_list_release(&list);
    return err;
}

/* Forgets what was read when the file is not the one it was, or shorter. */
static m31r_err start_anew_if_changed(m31ri_metrics_json *m, source *s, int fd, m31r_error *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return m31ri_fail_sys(e, errno, s->name, "reading %s", s->name);
    }
    bool same = s->offset == 0 || (st.st_dev == s->device && st.st_ino == s->inode);
    s->device = st.st_dev;
    s->inode = st.st_ino;
    if (same && (uint64_t)st.st_size >= s->offset) {
        return M31R_OK;
    }
    m31ri_summary *fresh = m31ri_summary_new();
    if (fresh == NULL) {
        s->device = 0; /* asked again next time */
        s->inode = 0;
        return fail_nomem(e);
    }
    m31ri_summary_free(s->summary);
    s->summary = fresh;
    s->offset = 0;
    m->is_stale = true;
    return M31R_OK;
}

/* Adds the whole lines behind the offset. */
static m31r_err read_lines(m31ri_metrics_json *m, source *s, int fd, char *block, m31r_error *e)
{
    for (;;) {
        ssize_t n = pread(fd, block, BLOCK_BYTES, (off_t)s->offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return m31ri_fail_sys(e, errno, s->name, "reading %s", s->name);
        }
        size_t used = m31ri_summary_add_lines(s->summary, block, (size_t)n);
        bool has_line = memchr(block + used, '\n', (size_t)n - used) != NULL;
        if (used == 0 && !has_line && n == BLOCK_BYTES) {
            used = (size_t)n; /* no line of ours is that long; its end will count as a bad line */
        }
        m->is_stale = m->is_stale || used != 0;
        s->offset += used;
        if (has_line) {
            return fail_nomem(e);
        }
        if (used == 0) {
            return M31R_OK;
        }
    }
}

static m31r_err read_source(m31ri_metrics_json *m, source *s, char *block, m31r_error *e)
{
    int fd = m31ri_open(m->d->fd, s->name, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        return errno == ENOENT ? M31R_OK : m31ri_fail_sys(e, errno, s->name, "reading %s", s->name);
    }
    m31r_err err = start_anew_if_changed(m, s, fd, e);
    if (err == M31R_OK) {
        err = read_lines(m, s, fd, block, e);
    }
    close(fd);
    return err;
}

static m31r_err write_text(m31ri_metrics_json *m, const m31ri_summary *summary, bool sync,
                           m31r_error *e)
{
    char now[M31RI_TIMESTAMP_BYTES + 1];
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_timestamp_write(m31ri_wall_ns(), now);
    m31ri_summary_write_json(summary, m->d->run_id, now, &text);
    m31r_err err = M31R_OK;
    if (!m31ri_buf_ok(&text)) {
        err = fail_nomem(e);
    } else {
        err = m31ri_replace_file(m->d->fd, "metrics.json", text.data, text.length, sync, e);
    }
    m31ri_buf_release(&text);
    if (err == M31R_OK) {
        m->is_stale = false;
        m->is_unsynced = !sync;
    }
    return err;
}

/* The summary of all sources, merged; that of the only one as it is. */
static m31r_err write_summary(m31ri_metrics_json *m, bool sync, m31r_error *e)
{
    if (m->n == 1) {
        return write_text(m, m->sources[0].summary, sync, e);
    }
    m31ri_summary *all = m31ri_summary_new();
    bool whole = all != NULL;
    for (size_t i = 0; i < m->n && whole; i++) {
        whole = m31ri_summary_merge(all, m->sources[i].summary);
    }
    m31r_err err = whole ? write_text(m, all, sync, e) : fail_nomem(e);
    m31ri_summary_free(all);
    return err;
}

m31r_err m31ri_metrics_json_update(m31ri_metrics_json *m, bool sync, m31r_error *e)
{
    char *block = m31ri_alloc(BLOCK_BYTES);
    if (block == NULL) {
        return fail_nomem(e);
    }
    m31r_err err = find_sources(m, e);
    for (size_t i = 0; i < m->n && err == M31R_OK; i++) {
        err = read_source(m, &m->sources[i], block, e);
    }
    m31ri_free(block);
    if (err == M31R_OK && (m->is_stale || (sync && m->is_unsynced))) {
        err = write_summary(m, sync, e);
    }
    return err;
}

m31r_err m31ri_metrics_json_open(const m31ri_run_dir *d, const m31ri_point_listener *listener,
                                 m31ri_metrics_json **out, m31r_error *e)
{
    m31ri_metrics_json *m = m31ri_calloc(1, sizeof *m);
    if (m == NULL) {
        return fail_nomem(e);
    }
    m->d = d;
    m->listener = listener;
    m->is_stale = true;
    m31r_err err = m31ri_metrics_json_update(m, false, e);
    if (err != M31R_OK) {
        m31ri_metrics_json_close(m);
        return err;
    }
    *out = m;
    return M31R_OK;
}

void m31ri_metrics_json_close(m31ri_metrics_json *m)
{
    if (m == NULL) {
        return;
    }
    for (size_t i = 0; i < m->n; i++) {
        m31ri_free(m->sources[i].name);
        m31ri_summary_free(m->sources[i].summary);
    }
    m31ri_free(m->sources);
    m31ri_free(m);
}
