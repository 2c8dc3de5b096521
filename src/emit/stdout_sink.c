/* stdout_sink.c - records on standard output, best effort: the promises are about the file.
 *
 * A reader of our output that goes away, or stops reading, must not end or block the program. So a
 * pipe is asked first (poll) and written in pieces that fit, SIGPIPE is held back for the length of
 * the write without touching the program's handlers, and what nobody takes within a bounded wait is
 * counted and dropped.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/os_file.h"
#include "emit/state.h"
#include "format/json_text.h"
#include "format/record.h"

#define STDOUT 1
#define WAIT_MS 200
#define PIECE_BYTES 4096 /* PIPE_BUF on Linux: poll promises that this much fits */

void m31ri_stdout_sink_init(m31ri_stdout_sink *s, bool is_on)
{
    struct stat st;
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    s->is_on = is_on && fstat(STDOUT, &st) == 0;
    if (s->is_on) {
        s->is_terminal = isatty(STDOUT) == 1;
        s->may_block = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
    }
}

void m31ri_stdout_sink_release(m31ri_stdout_sink *s)
{
    m31ri_buf_release(&s->text);
    pthread_mutex_destroy(&s->lock);
}

/* Writes to a pipe in pieces that fit; false when nobody took them in time or the reader is gone.
 */
static bool write_pieces(m31ri_stdout_sink *s, const char *bytes, size_t length)
{
    struct pollfd ready = {.fd = STDOUT, .events = POLLOUT};
    for (size_t done = 0; done < length;) {
        int n = poll(&ready, 1, s->is_stuck ? 0 : WAIT_MS);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0 || (ready.revents & POLLERR) != 0) {
            return false;
        }
        size_t piece = length - done < PIECE_BYTES ? length - done : PIECE_BYTES;
        if (m31ri_write_all(STDOUT, bytes + done, piece, NULL) != 0) {
            return false;
        }
        done += piece;
    }
    return true;
}

/* Runs the write with SIGPIPE blocked in this thread, and takes one that it raised off again. */
static bool write_without_sigpipe(m31ri_stdout_sink *s, const char *bytes, size_t length)
{
    sigset_t pipe_only, before, pending;
    const struct timespec now = {0, 0};
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    bool is_written = write_pieces(s, bytes, length);
    if (!is_written && !was_pending) {
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_written;
}

static bool add_pair(void *context, const m31ri_json_member *m)
{
    m31ri_buf *out = context;
    bool is_plain = m->type != 's' || (m->value_length != 0 && !m->value_escaped &&
                                       memchr(m->value, ' ', m->value_length) == NULL);
    if (out->length != 0) {
        m31ri_buf_add_char(out, ' ');
    }
    m31ri_buf_add(out, m->key, m->key_length);
    m31ri_buf_add_str(out, is_plain ? "=" : "=\"");
    m31ri_buf_add(out, m->value, m->value_length);
    m31ri_buf_add_str(out, is_plain ? "" : "\"");
    return true;
}

/* The same record as key=value pairs for a person; text stays escaped, so a terminal never runs
 * what a record holds. */
static void as_pairs(m31ri_buf *out, const char *line, size_t length)
{
    m31ri_buf_clear(out);
    m31ri_json_read_object(line, length - 1, add_pair, out, NULL);
    m31ri_buf_add_char(out, '\n');
}

void m31ri_stdout_sink_write(m31ri_stdout_sink *s, const char *line, size_t length)
{
    if (!s->is_on) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (s->is_terminal) {
        as_pairs(&s->text, line, length);
        line = m31ri_buf_str(&s->text);
        length = s->text.length;
    }
    bool is_written = s->may_block ? write_without_sigpipe(s, line, length)
                                   : m31ri_write_all(STDOUT, line, length, NULL) == 0;
    s->n_lost += !is_written;
    s->is_stuck = !is_written;
    pthread_mutex_unlock(&s->lock);
}
