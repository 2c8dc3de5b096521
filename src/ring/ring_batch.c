/* ring_batch.c - a batch taken from rings, made into lines. */
#include "ring/ring_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/os_file.h"
#include "ring/ring_clock.h"

bool m31ri_batch_init(m31ri_batch *b, const m31ri_privacy *privacy)
{
    memset(b, 0, sizeof *b);
    b->maker = m31ri_line_maker_new(&b->dictionary, privacy);
    return b->maker != NULL;
}

void m31ri_batch_release(m31ri_batch *b)
{
    for (uint32_t id = 1; id <= M31RI_RING_LANES; id++) {
        m31ri_buf_release(&b->lanes[id].lines);
    }
    m31ri_buf_release(&b->points);
    m31ri_line_maker_free(b->maker);
    m31ri_dictionary_release(&b->dictionary);
}

void m31ri_batch_clear(m31ri_batch *b)
{
    for (uint32_t id = 1; id <= b->dictionary.n_lanes; id++) {
        m31ri_buf_clear(&b->lanes[id].lines);
        b->lanes[id].n_records = 0;
    }
    m31ri_buf_clear(&b->points);
    b->n_points = 0;
}

/* Time never goes back within a lane. */
static int64_t not_back(int64_t *last, int64_t wall_ns)
{
    *last = wall_ns > *last ? wall_ns : *last;
    return *last;
}

static void count_damage(m31ri_commit *c)
{
    c->lanes[0].n_lost++;
    c->lanes[0].lost_errno = EBADMSG;
}

static void add(m31ri_batch *b, const m31ri_put *p, int64_t wall_ns, m31ri_commit *c)
{
    if (p->kind != M31RI_PUT_POINT) {
        uint32_t id = m31ri_line_lane(b->maker, p);
        if (id == 0 || id > c->n_lanes ||
            !m31ri_line_write(b->maker, p, not_back(&c->lanes[id - 1].last_wall_ns, wall_ns),
                              &b->lanes[id].lines)) {
            count_damage(c);
            return;
        }
        b->lanes[id].n_records++;
    }
    if (p->kind == M31RI_PUT_POINT || p->kind == M31RI_PUT_STEP) {
        int n =
            m31ri_line_points(b->maker, p, not_back(&c->points_last_wall_ns, wall_ns), &b->points);
        b->n_points += n > 0 ? (uint64_t)n : 0;
        c->n_points_lost += n < 0;
    }
}

void m31ri_batch_make(m31ri_batch *b, m31ri_take *t, m31ri_commit *c)
{
    const m31ri_put *p;
    while ((p = m31ri_take_next(t)) != NULL) {
        add(b, p, m31ri_ring_clock_wall_ns(t->file->live, c->n_calibrations, p->counter), c);
    }
    if (t->n_damaged != 0) {
        count_damage(c);
    }
}

size_t m31ri_batch_points_there(const m31ri_batch *b, int dir, const char *file, uint64_t at)
{
    char block[65536];
    size_t same = 0, whole = 0;
    int fd = m31ri_open(dir, file, O_RDONLY | O_NONBLOCK, 0);
    while (fd >= 0 && same < b->points.length) {
        size_t want = b->points.length - same;
        ssize_t n = pread(fd, block, want < sizeof block ? want : sizeof block, (off_t)(at + same));
        size_t i = 0;
        while (n > 0 && i < (size_t)n && block[i] == b->points.data[same + i]) {
            whole = block[i] == '\n' ? same + i + 1 : whole;
            i++;
        }
        same += i;
        if (n <= 0 || i < (size_t)n) {
            break;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    return whole;
}
