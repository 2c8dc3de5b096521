/* stream.c - reading into the shared ring; stream.h draws it.
 *
 * A kill can fall between read(2) and the note of how much it brought. So the number is noted
 * before: a single reader that asks a pipe for at most what FIONREAD told gets exactly that.
 * Whether the read took place is then told by the first bytes of its place in the ring, which are
 * set to a fixed pattern before: if the pattern is untouched, it did not. A pseudo-terminal does
 * not tell exactly what waits in it: there a kill at that very moment may lose up to one read (4
 * KiB).
 */
#include "observe/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TERMINAL_READ_BYTES (16 * 1024)

static const unsigned char canary[M31RI_STREAM_CANARY_BYTES] = {
    0xf5, 0x9d, 0x01, 0xfe, 0x8b, 0xc0, 0xff, 0x17, 0xe3, 0xf8, 0x02, 0xba, 0x90, 0xfd, 0xc1, 0x06};

/* Stores before it are made before stores after it, also as an heir sees them. */
static void order(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

static char *at(const m31ri_stream *s, uint64_t position)
{
    return s->ring + position % M31RI_STREAM_RING_BYTES;
}

static size_t room(const m31ri_stream *s)
{
    return M31RI_STREAM_RING_BYTES - (size_t)(s->shared->tail - m31ri_stream_now(s)->cursor);
}

size_t m31ri_stream_waiting(const m31ri_stream *s)
{
    int n = 0;
    return s->fd >= 0 && ioctl(s->fd, FIONREAD, &n) == 0 && n > 0 ? (size_t)n : 0;
}

m31ri_stream_commit *m31ri_stream_now(const m31ri_stream *s)
{
    return &s->shared->commits[s->shared->current];
}

bool m31ri_stream_has_room(const m31ri_stream *s)
{
    return room(s) > 0;
}

/* How much to ask for; 0 when nothing waits. */
static size_t ask(const m31ri_stream *s, size_t space)
{
    size_t n = s->is_terminal ? TERMINAL_READ_BYTES : m31ri_stream_waiting(s);
    return n < space ? n : space;
}

static bool end(m31ri_stream *s)
{
    s->shared->is_ended = 1;
    return true;
}

bool m31ri_stream_read(m31ri_stream *s)
{
    size_t space = room(s);
    if (s->fd < 0 || s->shared->is_ended || space == 0) {
        return false;
    }
    size_t n = ask(s, space);
    if (n == 0) {
        struct pollfd p = {s->fd, POLLIN, 0};
        bool is_over = poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
        /* Asked again: bytes may have come between the two questions, and the writer gone after
         * them. */
        return is_over && m31ri_stream_waiting(s) == 0 && end(s);
    }
    memcpy(at(s, s->shared->tail), canary, n < sizeof canary ? n : sizeof canary);
    order();
    s->shared->pending = s->is_terminal ? 0 : (uint32_t)n;
    order();
    ssize_t got = read(s->fd, at(s, s->shared->tail), n);
    int err = errno;
    order();
    if (got > 0) {
        s->shared->tail += (uint64_t)got;
    }
    order();
    s->shared->pending = 0;
    /* A pseudo-terminal says EIO when its last slave is closed. */
    return got > 0 || ((got == 0 || (err != EAGAIN && err != EINTR)) && end(s));
}

const char *m31ri_stream_bytes(const m31ri_stream *s, size_t *length)
{
    uint64_t cursor = m31ri_stream_now(s)->cursor;
    *length = (size_t)(s->shared->tail - cursor);
    return at(s, cursor);
}

void m31ri_stream_commit_bytes(m31ri_stream *s, size_t used, const m31ri_split_state *split,
                               uint64_t lane_bytes)
{
    uint32_t next = 1 - s->shared->current;
    m31ri_stream_commit *c = &s->shared->commits[next];
    c->cursor = m31ri_stream_now(s)->cursor + used;
    c->split = *split;
    c->lane_bytes = lane_bytes;
    c->n_points = 0;
    order();
    s->shared->current = next;
}

void m31ri_stream_recover(m31ri_stream *s)
{
    uint32_t n = s->shared->pending;
    if (n > 0 && n <= room(s)) {
        size_t checked = n < sizeof canary ? n : sizeof canary;
        if (memcmp(at(s, s->shared->tail), canary, checked) != 0) {
            s->shared->tail += n;
        }
    }
    s->shared->pending = 0;
}
