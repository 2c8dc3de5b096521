/* bytes_lane.c - a lane as one stream of bytes, whatever was rotated away and compressed of it.
 *
 * What is written to now is opened before the segments are listed, and looked at again behind that:
 * a rotation in between is seen and everything taken anew, so no segment is missed and none comes
 * twice. At the end of the file it is asked whether the name leads to another file by now; then the
 * segments that came meanwhile follow, and the new file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/segments.h"
#include "read/bytes.h"
#include "read/ring_overlay.h"

#define TRIES 100 /* rotations while opening before it is given up */
#define NAME_BYTES (M31RI_SEGMENT_NAME_BYTES + 8)

typedef struct lane_bytes {
    m31ri_bytes base;
    int dir; /* own descriptor */
    char *lane_file;
    m31ri_segment_list segments; /* to read, from `at` on */
    size_t at;
    int fd;                /* of the file written to, until its turn comes; -1: none */
    ino_t inode;           /* of that file */
    uint32_t done_ordinal; /* all segments up to this one were read or are in the list */
    m31ri_bytes *now;      /* NULL before the first and between two */
    bool is_last;          /* `now` is the file written to */
    char name[NAME_BYTES]; /* of `now` */
    char end;              /* last byte given out */
} lane_bytes;

/* The inode that the lane's name leads to; 0 when there is none now. */
static ino_t named_inode(const lane_bytes *b)
{
    struct stat st;
    return fstatat(b->dir, b->lane_file, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_ino : 0;
}

/* Drops segments up to `done_ordinal` from the list. */
static void drop_done(lane_bytes *b)
{
    while (b->at < b->segments.n && b->segments.segments[b->at].ordinal <= b->done_ordinal) {
        b->at++;
    }
}

/* Opens the file that is written to and lists the segments, as they are at one moment. */
static m31r_err look(lane_bytes *b, m31r_error *e)
{
    for (int i = 0; i < TRIES; i++) {
        b->fd = m31ri_open(b->dir, b->lane_file, O_RDONLY | O_NONBLOCK, 0);
        if (b->fd < 0 && errno != ENOENT) {
            return m31ri_fail_sys(e, errno, b->lane_file, "cannot open %s", b->lane_file);
        }
        m31ri_segment_list_release(&b->segments);
        b->at = 0;
        m31r_err err = m31ri_segment_list_read(b->dir, b->lane_file, &b->segments, e);
        if (err != M31R_OK) {
            return err;
        }
        struct stat st;
        b->inode = b->fd >= 0 && fstat(b->fd, &st) == 0 ? st.st_ino : 0;
        if (b->inode == named_inode(b)) {
            drop_done(b);
            return M31R_OK;
        }
        if (b->fd >= 0) {
            close(b->fd);
            b->fd = -1;
        }
    }
    return m31ri_fail(e, M31R_E_BUSY, "%s is rotated faster than it can be opened", b->lane_file);
}

/* Opens a segment, plain or compressed; `*out_fd` is -1 when it was deleted meanwhile. */
static m31r_err open_segment(lane_bytes *b, const m31ri_segment *s, int *out_fd, m31r_error *e)
{
    for (int is_packed = 0; is_packed < 2; is_packed++) {
        snprintf(b->name, sizeof b->name, "%s%s", s->file, is_packed ? ".zst" : "");
        *out_fd = m31ri_open(b->dir, b->name, O_RDONLY | O_NONBLOCK, 0);
        if (*out_fd >= 0) {
            return M31R_OK;
        }
        if (errno != ENOENT) {
            return m31ri_fail_sys(e, errno, b->name, "cannot open %s", b->name);
        }
    }
    return M31R_OK;
}

/* Opens what comes next; `now` stays NULL when there is nothing more. */
static m31r_err go_on(lane_bytes *b, m31r_error *e)
{
    while (b->now == NULL) {
        int fd = -1;
        m31r_err err = M31R_OK;
        if (b->at < b->segments.n) {
            const m31ri_segment *s = &b->segments.segments[b->at++];
            b->done_ordinal = s->ordinal;
            err = open_segment(b, s, &fd, e);
        } else if (b->fd >= 0) {
            fd = b->fd;
            b->fd = -1;
            b->is_last = true;
            snprintf(b->name, sizeof b->name, "%.*s", NAME_BYTES - 1, b->lane_file);
        } else {
            return M31R_OK;
        }
        if (err == M31R_OK && fd >= 0) {
            err = m31ri_bytes_open(&b->now, fd, true, b->name, e);
        }
        if (err == M31R_OK && b->is_last && b->now != NULL) {
            err = m31ri_bytes_overlay(&b->now, b->dir, b->lane_file, e);
        }
        if (err != M31R_OK) {
            return err;
        }
        if (b->now != NULL) {
            b->now->filter = b->base.filter;
        }
    }
    return M31R_OK;
}

static void leave(lane_bytes *b)
{
    b->now->kind->free(b->now);
    b->now = NULL;
    b->is_last = false;
}

/* The ordinal that a rotated file was given: that of the segment with its inode; when that is
 * compressed already, the one behind the last that was known. */
static uint32_t ordinal_of(lane_bytes *b, ino_t inode)
{
    m31ri_segment_list l = {0};
    uint32_t ordinal = b->done_ordinal + 1;
    struct stat st;
    if (m31ri_segment_list_read(b->dir, b->lane_file, &l, NULL) == M31R_OK) {
        for (size_t i = 0; i < l.n; i++) {
            if (fstatat(b->dir, l.segments[i].file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                st.st_ino == inode) {
                ordinal = l.segments[i].ordinal;
            }
        }
        m31ri_segment_list_release(&l);
    }
    return ordinal;
}

static void take_left_out(lane_bytes *b)
{
    b->base.n_lines_left_out += b->now->n_lines_left_out;
    if (b->now->n_lines_left_out > 0 && b->now->ns_left_out > b->base.ns_left_out) {
        b->base.ns_left_out = b->now->ns_left_out;
    }
    b->now->n_lines_left_out = 0;
}

static m31r_err read_now(lane_bytes *b, char *to, size_t capacity, size_t *out_n, m31r_error *e)
{
    m31r_err err = b->now->kind->next(b->now, to, capacity, out_n, e);
    take_left_out(b);
    if (err == M31R_E_CORRUPT) {
        b->base.n_lost_lines = b->now->n_lost_lines;
        b->end = '\n';
    } else if (err == M31R_OK && *out_n > 0) {
        b->end = to[*out_n - 1];
    }
    return err;
}

/* At the end of the file that is written to: it may have been rotated. What was written to it
 * before that is read first. True in `*out_moved` when there is something else to read. */
static m31r_err follow_rotation(lane_bytes *b, char *to, size_t capacity, size_t *out_n,
                                bool *out_moved, m31r_error *e)
{
    *out_moved = false;
    ino_t inode = named_inode(b);
    if (inode == 0 || inode == b->inode) {
        return M31R_OK;
    }
    m31r_err err = read_now(b, to, capacity, out_n, e);
    if (err != M31R_OK || *out_n > 0) {
        return err;
    }
    b->done_ordinal = ordinal_of(b, b->inode);
    leave(b);
    *out_moved = true;
    return look(b, e);
}

/* Opens what comes next; a segment that does not end in a newline is ended by one. */
static m31r_err begin(lane_bytes *b, char *to, size_t *out_n, m31r_error *e)
{
    m31r_err err = go_on(b, e);
    if (err == M31R_OK && b->now == NULL && named_inode(b) != 0 && (err = look(b, e)) == M31R_OK) {
        err = go_on(b, e);
    }
    *out_n = 0;
    if (err == M31R_OK && b->now != NULL && b->end != '\n') {
        to[0] = b->end = '\n';
        *out_n = 1;
    }
    return err;
}

static m31r_err next(m31ri_bytes *base, char *to, size_t capacity, size_t *out_n, m31r_error *e)
{
    lane_bytes *b = (lane_bytes *)base;
    for (;;) {
        m31r_err err = M31R_OK;
        if (b->now == NULL) {
            err = begin(b, to, out_n, e);
            if (err != M31R_OK || *out_n > 0 || b->now == NULL) {
                return err;
            }
        }
        err = read_now(b, to, capacity, out_n, e);
        if (err != M31R_OK || *out_n > 0) {
            return err;
        }
        bool has_moved = true;
        if (!b->is_last) {
            leave(b);
        } else if ((err = follow_rotation(b, to, capacity, out_n, &has_moved, e)) != M31R_OK ||
                   !has_moved) {
            return err;
        }
    }
}

static bool has_grown(m31ri_bytes *base, bool *out_is_anew)
{
    lane_bytes *b = (lane_bytes *)base;
    *out_is_anew = false;
    if (b->now == NULL || !b->is_last) {
        return named_inode(b) != 0;
    }
    ino_t inode = named_inode(b);
    return b->now->kind->has_grown(b->now, out_is_anew) || (inode != 0 && inode != b->inode);
}

static void release(m31ri_bytes *base)
{
    lane_bytes *b = (lane_bytes *)base;
    if (b->now != NULL) {
        leave(b);
    }
    if (b->fd >= 0) {
        close(b->fd);
    }
    if (b->dir >= 0) {
        close(b->dir);
    }
    m31ri_segment_list_release(&b->segments);
    m31ri_free(b->lane_file);
    m31ri_free(b);
}

static const m31ri_bytes_kind of_lane = {next, NULL, has_grown, release};

/* A lane that was never rotated is its file, which can be read at any place. */
static m31r_err give_file(lane_bytes *b, m31ri_bytes **out, const char *lane_file, m31r_error *e)
{
    int fd = b->fd;
    b->fd = -1;
    m31r_err err = m31ri_bytes_open(out, fd, true, lane_file, e);
    err = err == M31R_OK ? m31ri_bytes_overlay(out, b->dir, lane_file, e) : err;
    release(&b->base);
    return err;
}

m31r_err m31ri_bytes_open_lane(m31ri_bytes **out, int dir, const char *lane_file, bool is_following,
                               m31r_error *e)
{
    lane_bytes *b = m31ri_calloc(1, sizeof *b);
    if (b == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", lane_file);
    }
    b->base.kind = &of_lane;
    b->base.is_regular = true;
    b->base.ns_left_out = INT64_MIN;
    b->fd = -1;
    b->end = '\n';
    b->lane_file = m31ri_strdup(lane_file);
    b->base.name = b->lane_file;
    b->dir = m31ri_open_dir(dir, ".", false);
    m31r_err err = M31R_OK;
    if (b->lane_file == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", lane_file);
    } else if (b->dir < 0) {
        err = m31ri_fail_sys(e, errno, lane_file, "cannot open the directory of %s", lane_file);
    } else {
        err = look(b, e);
    }
    if (err == M31R_OK && b->fd < 0 && b->segments.n == 0) {
        err = m31ri_fail(e, M31R_E_NOTFOUND, "there is no %s", lane_file);
    }
    if (err != M31R_OK) {
        release(&b->base);
        return err;
    }
    if (!is_following && b->segments.n == 0) {
        return give_file(b, out, lane_file, e);
    }
    *out = &b->base;
    return M31R_OK;
}
