/* printer.c - queued, bounded writing to stdout or stderr.
 *
 * O_NONBLOCK belongs to the open file, which others share (the shell's terminal, a sibling in a
 * pipeline), so it is never set on it: terminals and pipes are opened again through /proc/self/fd.
 * Where that is refused, poll and writes of at most PIPE_BUF bytes come close.
 */
#include "observe/printer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os_child.h"

#define ERASE_LINE "\r\033[K"

void m31ri_printer_init(m31ri_printer *p, int fd)
{
    struct stat st;
    *p = (m31ri_printer){.fd = fd, .at_line_start = true};
    p->is_terminal = isatty(fd) == 1;
    int again = m31ri_reopen_nonblocking(fd);
    if (again >= 0) {
        p->fd = again;
        p->owns_fd = true;
        p->is_nonblocking = true;
        return;
    }
    p->never_blocks =
        fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) && !p->is_terminal;
}

static void close_it(m31ri_printer *p)
{
    if (p->owns_fd && p->fd >= 0) {
        close(p->fd);
    }
    p->fd = -1;
    p->queue.length = 0;
    p->head = 0;
}

void m31ri_printer_release(m31ri_printer *p)
{
    close_it(p);
    m31ri_buf_release(&p->queue);
}

static size_t queued(const m31ri_printer *p)
{
    return p->queue.length - p->head;
}

void m31ri_printer_bar_clear(m31ri_printer *p)
{
    if (p->has_bar) {
        p->has_bar = false;
        if (p->fd >= 0 && !p->is_dropping) {
            m31ri_buf_add_str(&p->queue, ERASE_LINE);
        }
    }
}

void m31ri_printer_bar(m31ri_printer *p, const m31ri_buf *bar)
{
    if (p->fd >= 0 && p->at_line_start && !p->is_dropping && p->is_terminal) {
        m31ri_buf_add_str(&p->queue, ERASE_LINE);
        m31ri_buf_add(&p->queue, bar->data, bar->length);
        p->has_bar = true;
    }
}

void m31ri_printer_add(m31ri_printer *p, const void *bytes, size_t length)
{
    if (p->fd < 0 || length == 0) {
        return;
    }
    m31ri_printer_bar_clear(p);
    if (p->is_dropping || !m31ri_buf_reserve(&p->queue, length)) {
        p->n_dropped_bytes += length;
        p->n_drops++;
        return;
    }
    m31ri_buf_add(&p->queue, bytes, length);
    p->at_line_start = ((const char *)bytes)[length - 1] == '\n';
    if (queued(p) >= M31RI_PRINTER_QUEUE_BYTES / 8) {
        m31ri_printer_flush(p);
    }
}

/* Bytes written, 0 when the descriptor takes none now, -1 when it never will again. */
static ssize_t write_some(m31ri_printer *p)
{
    size_t n = queued(p);
    if (!p->is_nonblocking && !p->never_blocks) {
        struct pollfd ready = {p->fd, POLLOUT, 0};
        if (poll(&ready, 1, 0) <= 0 || (ready.revents & (POLLOUT | POLLERR | POLLHUP)) == 0) {
            return 0;
        }
        n = n < PIPE_BUF ? n : PIPE_BUF;
    }
    ssize_t done = write(p->fd, p->queue.data + p->head, n);
    if (done >= 0) {
        return done;
    }
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

void m31ri_printer_flush(m31ri_printer *p)
{
    while (p->fd >= 0 && queued(p) > 0) {
        ssize_t n = write_some(p);
        if (n < 0) {
            close_it(p); /* nobody reads it any more: printing ends, the record goes on */
            return;
        }
        if (n == 0) {
            p->stalled_ns = p->stalled_ns == 0 ? m31ri_mono_ns() : p->stalled_ns;
            break;
        }
        p->head += (size_t)n;
        p->stalled_ns = 0;
        p->is_dropping = false;
    }
    if (queued(p) == 0) {
        p->queue.length = 0;
        p->head = 0;
    } else if (p->head > M31RI_PRINTER_QUEUE_BYTES / 2) {
        memmove(p->queue.data, p->queue.data + p->head, queued(p));
        p->queue.length -= p->head;
        p->head = 0;
    }
}

bool m31ri_printer_is_full(m31ri_printer *p)
{
    if (p->fd < 0 || queued(p) < M31RI_PRINTER_QUEUE_BYTES) {
        return false;
    }
    m31ri_printer_flush(p);
    if (queued(p) < M31RI_PRINTER_QUEUE_BYTES) {
        return false;
    }
    if (p->stalled_ns != 0 && m31ri_mono_ns() - p->stalled_ns > M31RI_PRINTER_WAIT_NS) {
        p->is_dropping = true;
    }
    return !p->is_dropping;
}

bool m31ri_printer_waits(const m31ri_printer *p)
{
    return p->fd >= 0 && queued(p) > 0;
}

void m31ri_printer_drain(m31ri_printer *p, int wait_ms)
{
    int64_t until_ns = m31ri_mono_ns() + (int64_t)wait_ms * 1000000;
    while (m31ri_printer_waits(p)) {
        m31ri_printer_flush(p);
        if (!m31ri_printer_waits(p) || m31ri_mono_ns() > until_ns) {
            return;
        }
        struct pollfd ready = {p->fd, POLLOUT, 0};
        poll(&ready, 1, 20);
    }
}
