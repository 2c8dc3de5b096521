/* printer.h - one of our own output descriptors: never in the way of the program.
 *
 * What is to be printed is queued and written as far as the descriptor takes it at once. When the
 * queue is full the caller stops reading the program for a bounded time (so a slow reader slows the
 * program, as a pipe would), then prints nothing until the reader takes bytes again; what was left
 * out is counted. A descriptor that is closed ends printing, and nothing else.
 */
#ifndef M31RI_PRINTER_H
#define M31RI_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define M31RI_PRINTER_QUEUE_BYTES (1024 * 1024)
#define M31RI_PRINTER_WAIT_NS 5000000000

typedef struct m31ri_printer {
    int fd; /* where it is written; -1: closed */
    bool owns_fd;
    bool is_terminal;
    bool never_blocks;   /* a regular file or a device: written at once */
    bool is_nonblocking; /* the descriptor itself says EAGAIN */
    bool is_dropping;
    bool at_line_start;
    bool has_bar; /* the line holds a bar, which whatever comes next takes off */
    m31ri_buf queue;
    size_t head;        /* bytes of the queue that are written */
    int64_t stalled_ns; /* since when nothing was taken, 0: not stalled */
    uint64_t n_dropped_bytes, n_drops;
} m31ri_printer;

void m31ri_printer_init(m31ri_printer *p, int fd);
void m31ri_printer_release(m31ri_printer *p);

/* Queues the bytes; all or none (counted). */
void m31ri_printer_add(m31ri_printer *p, const void *bytes, size_t length);

/* Shows `bar` in the line that the cursor is in, in place of the bar before; not in the middle of
 * the program's own line. Only on a terminal. */
void m31ri_printer_bar(m31ri_printer *p, const m31ri_buf *bar);

/* Takes the bar off. */
void m31ri_printer_bar_clear(m31ri_printer *p);

/* Writes what the descriptor takes now. */
void m31ri_printer_flush(m31ri_printer *p);

/* True while the caller should not read more of the program: the queue is full and the wait is not
 * over. */
bool m31ri_printer_is_full(m31ri_printer *p);

/* True when poll(2) should wait for the descriptor to take bytes. */
bool m31ri_printer_waits(const m31ri_printer *p);

/* Writes all, for at most `wait_ms`. */
void m31ri_printer_drain(m31ri_printer *p, int wait_ms);

#endif
