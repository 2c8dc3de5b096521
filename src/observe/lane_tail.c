/* lane_tail.c - reads on in each lane file from where it was; a file is looked at when its size
 * changed.
 *
 * The directory is listed again only when its modification time says that a lane came. The end of a
 * file that is not a whole line yet is read again the next time.
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
#include "base/os_file.h"

#define LANES 256
#define NAME_BYTES 128
#define READ_BYTES (1024 * 1024)

typedef struct lane {
    char name[NAME_BYTES];
    int fd;
    off_t offset;
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

static bool is_followed(const m31ri_lane_tail *t, const char *name)
{
    size_t length = strlen(name);
    if (length < 5 || length >= NAME_BYTES || strcmp(name + length - 4, ".log") != 0) {
        return false;
    }
    if (!is_ours(t, name)) {
        return false;
    }
    for (size_t i = 0; i < t->n_without; i++) {
        if (strcmp(name, t->without[i]) == 0) {
            return false;
        }
    }
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(name, t->lanes[i].name) == 0) {
            return false;
        }
    }
    return t->n < LANES;
}

static void find_lanes(m31ri_lane_tail *t)
{
    struct stat st;
    if (fstat(t->dir, &st) != 0 ||
        (st.st_mtim.tv_sec == t->listed.tv_sec && st.st_mtim.tv_nsec == t->listed.tv_nsec)) {
        return;
    }
    t->listed = st.st_mtim;
    int fd = m31ri_open_dir(t->dir, ".", false);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
        if (!is_followed(t, entry->d_name)) {
            continue;
        }
        lane *l = &t->lanes[t->n];
        memcpy(l->name, entry->d_name, strlen(entry->d_name) + 1);
        l->offset = 0;
        l->fd = m31ri_open(t->dir, l->name, O_RDONLY | O_NONBLOCK, 0);
        t->n += l->fd >= 0;
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
    }
    return has_more;
}
