/* lane_tail.c - reads on in each lane file from where it was; a file is looked at when its size
 * changed.
 *
 * The directory is listed again only when its modification time says that a lane came or was
 * rotated. The end of a file that is not a whole line yet is read again the next time. A segment
 * that was compressed before it was seen is not shown.
 */
#include "observe/lane_tail.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/os_file.h"
#include "format/segments.h"

#define LANES 256
#define NAME_BYTES 128
#define READ_BYTES (1024 * 1024)
#define SETTLED_NS 50000000

/* A file is known by its inode, not by its name: a rotated one keeps it under another name. It is
 * held open while it has a name, so that no other file gets its inode. */
typedef struct lane {
    ino_t inode;
    int fd;
    off_t offset;
    bool is_there, is_done; /* had a name at the last listing; has none and was read to its end */
} lane;

struct m31ri_lane_tail {
    int dir;
    const char *const *without;
    size_t n_without;
    int rank;
    struct timespec listed;
    lane lanes[LANES];
    size_t n;
    char *buffer;
};

m31ri_lane_tail *m31ri_lane_tail_new(int dir, const char *const *without, size_t n, int rank)
{
    m31ri_lane_tail *t = m31ri_calloc(1, sizeof *t);
    if (t != NULL) {
        t->dir = dir;
        t->without = without;
        t->n_without = n;
        t->rank = rank;
        t->buffer = m31ri_alloc(READ_BYTES);
    }
    return t;
}

void m31ri_lane_tail_free(m31ri_lane_tail *t)
{
    for (size_t i = 0; t != NULL && i < t->n; i++) {
        close(t->lanes[i].fd);
    }
    if (t != NULL) {
        m31ri_free(t->buffer);
        m31ri_free(t);
    }
}

/* The rank in "train.rank0003.log"; 0 when there is none. */
static int rank_of(const char *name)
{
    const char *at = strstr(name, ".rank");
    return at != NULL ? (int)strtol(at + 5, NULL, 10) : 0;
}

/* A rank that has an observer shows its lanes there. */
static bool is_ours(const m31ri_lane_tail *t, const char *name)
{
    char observer[2 * NAME_BYTES];
    int rank = rank_of(name);
    if (t->rank > 0 || rank == 0) {
        return rank == (t->rank > 0 ? t->rank : 0);
    }
    snprintf(observer, sizeof observer, "%.*s.observer.rank%04d.log", (int)strcspn(name, "."), name,
             rank);
    return faccessat(t->dir, observer, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

/* The lane's file that a segment was rotated away from; else the name itself. */
static bool lane_file_of(const char *name, char out[NAME_BYTES])
{
    m31ri_segment_name segment;
    size_t length = strlen(name);
    if (length < 5 || length >= NAME_BYTES || strcmp(name + length - 4, ".log") != 0) {
        return false;
    }
    bool is_segment = m31ri_segment_name_read(name, &segment);
    int n = is_segment ? (int)segment.lane_length : (int)length;
    snprintf(out, NAME_BYTES, "%.*s%s", n, name, is_segment ? ".log" : "");
    return true;
}

static bool is_wanted(const m31ri_lane_tail *t, const char *lane_file)
{
    for (size_t i = 0; i < t->n_without; i++) {
        if (strcmp(lane_file, t->without[i]) == 0) {
            return false;
        }
    }
    return is_ours(t, lane_file);
}

static lane *find_inode(m31ri_lane_tail *t, ino_t inode)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->lanes[i].inode == inode) {
            return &t->lanes[i];
        }
    }
    return NULL;
}

static void enter(m31ri_lane_tail *t, const char *name)
{
    char lane_file[NAME_BYTES];
    struct stat st;
    if (!lane_file_of(name, lane_file) || !is_wanted(t, lane_file) ||
        fstatat(t->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    lane *l = find_inode(t, st.st_ino);
    if (l == NULL && t->n < LANES) {
        int fd = m31ri_open(t->dir, name, O_RDONLY | O_NONBLOCK, 0);
        bool is_it = fd >= 0 && fstat(fd, &st) == 0 && find_inode(t, st.st_ino) == NULL;
        if (!is_it && fd >= 0) {
            close(fd);
        }
        l = is_it ? &t->lanes[t->n++] : NULL;
        if (l != NULL) {
            *l = (lane){.inode = st.st_ino, .fd = fd};
        }
    }
    if (l != NULL) {
        l->is_there = true;
    }
}

/* Forgets what was deleted, or compressed, and read to its end. */
static void drop_done(m31ri_lane_tail *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        if (t->lanes[i].is_done) {
            close(t->lanes[i].fd);
        } else {
            t->lanes[n++] = t->lanes[i];
        }
    }
    t->n = n;
}

static void find_lanes(m31ri_lane_tail *t)
{
    struct stat st;
    if (fstat(t->dir, &st) != 0 ||
        (st.st_mtim.tv_sec == t->listed.tv_sec && st.st_mtim.tv_nsec == t->listed.tv_nsec)) {
        return;
    }
    /* A further change within the clock's grain would leave the same time: looked at again. */
    int64_t age_ns = m31ri_wall_ns() - (int64_t)st.st_mtim.tv_sec * 1000000000 - st.st_mtim.tv_nsec;
    t->listed = age_ns > SETTLED_NS ? st.st_mtim : (struct timespec){0, 0};
    int fd = m31ri_open_dir(t->dir, ".", false);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (size_t i = 0; d != NULL && i < t->n; i++) {
        t->lanes[i].is_there = false;
    }
    for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
        enter(t, entry->d_name);
    }
    if (d != NULL) {
        closedir(d);
    } else if (fd >= 0) {
        close(fd);
    }
}

bool m31ri_lane_tail_read(m31ri_lane_tail *t,
                          void (*each)(void *context, const char *line, size_t length),
                          void *context)
{
    bool has_more = false;
    find_lanes(t);
    for (size_t i = 0; t->buffer != NULL && i < t->n; i++) {
        lane *l = &t->lanes[i];
        ssize_t n = pread(l->fd, t->buffer, READ_BYTES, l->offset);
        const char *p = t->buffer;
        const char *end = p + (n > 0 ? n : 0);
        for (const char *lf; p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL;
             p = lf + 1) {
            each(context, p, (size_t)(lf + 1 - p));
        }
        l->offset += p - t->buffer;
        has_more |= n == READ_BYTES && p > t->buffer;
        l->is_done = n == 0 && !l->is_there;
    }
    drop_done(t);
    return has_more;
}
