/* keeper_end.c - the run's end, the last line on stderr, and whoever still prints after it.
 *
 * The program may leave children behind that hold its output. They are waited for a little; then
 * the run is ended, and the keeper stays as a mere reader, so that their next print does not kill
 * them with SIGPIPE.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os_file.h"
#include "base/os_pty.h"
#include "observe/keeper.h"
#include "stat/summary.h"

#define JOINER_WAIT_MS 5000
#define PRINT_WAIT_MS 5000
#define TAIL_BYTES 65536 /* of metrics.csv, looked at for values that are no numbers */

static void report_open_output(m31ri_keeper *k)
{
    for (int i = 0; i < M31RI_STREAMS; i++) {
        if (!k->shared->streams[i].is_ended) {
            const m31ri_field fields[] = {{"stream", m31r_of_string(k->streams[i].name)}};
            m31ri_keeper_report(k, M31R_WARNING, "output_left_open", fields, 1);
        }
    }
}

static void report_dropped(m31ri_keeper *k)
{
    for (int i = 0; i < M31RI_STREAMS; i++) {
        const m31ri_printer *p = &k->printers[i];
        if (p->n_drops > 0) {
            const m31ri_field fields[] = {{"descriptor", m31r_of_int(i + 1)},
                                          {"bytes", m31r_of_uint(p->n_dropped_bytes)},
                                          {"reason", m31r_of_string("not read for 5 s")}};
            m31ri_keeper_report(k, M31R_WARNING, "print_dropped", fields, 3);
        }
    }
}

/* Ends the run. The strings of `out->end` lie in `out` itself, where they are not constants. */
static void end_run(m31ri_keeper *k, m31ri_ending *out)
{
    m31r_error e = {0};
    m31ri_ending_judge(k->shared, out);
    if (k->run == NULL && (k->has_left || k->shared->run_dir[0] == '\0')) {
        return; /* no part of a run; how the program ended is known all the same */
    }
    if (k->run == NULL) {
        out->end.state = "unknown";
        out->end.cause = "observer_lost";
        return;
    }
    const m31ri_run_end judged = out->end;
    m31r_err err = m31ri_run_end_observed(k->run, &judged, JOINER_WAIT_MS, &out->end, &e);
    k->run = NULL;
    out->end.cause = err == M31R_OK ? out->end.cause : "record_failed";
}

/* What the program's lanes still hold, as far as our reader takes it. */
static void show_last_records(m31ri_keeper *k)
{
    while (m31ri_keeper_show_lanes(k)) {
        m31ri_printer_drain(k->records_to, PRINT_WAIT_MS);
        if (m31ri_printer_waits(k->records_to)) {
            return; /* it does not read */
        }
    }
}

/* The metric whose last value was no number, by the end of metrics.csv, where the points of a
 * program that uses the library are too. */
static void note_nonfinite(m31ri_keeper *k)
{
    char bytes[TAIL_BYTES];
    char file[64];
    struct stat st;
    int fd = -1;
    if (k->run != NULL && k->tail_dir >= 0) {
        m31ri_run_points_file(k->run, file, sizeof file);
        fd = m31ri_open(k->tail_dir, file, O_RDONLY | O_NONBLOCK, 0);
    }
    m31ri_summary *summary = fd >= 0 && fstat(fd, &st) == 0 ? m31ri_summary_new() : NULL;
    if (summary != NULL) {
        off_t from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
        ssize_t n = pread(fd, bytes, sizeof bytes, from);
        const char *first =
            n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL; /* the header, or half a line */
        if (first != NULL) {
            m31ri_summary_add_lines(summary, first + 1, (size_t)(bytes + n - first - 1));
        }
        for (size_t i = 0; i < m31ri_summary_count(summary); i++) {
            m31ri_metric_summary m;
            m31ri_summary_get(summary, i, &m);
            if (!isfinite(m.last)) {
                snprintf(k->shared->nonfinite_metric, sizeof k->shared->nonfinite_metric, "%s",
                         m.name);
            }
        }
    }
    m31ri_summary_free(summary);
    if (fd >= 0) {
        close(fd);
    }
}

/* Our last line begins a line of its own, whatever the program left behind. */
static void print_end(m31ri_keeper *k, const m31ri_run_end *end)
{
    m31ri_buf line = M31RI_BUF_INIT;
    m31ri_printer *p = &k->printers[M31RI_ERR];
    m31ri_printer_bar_clear(&k->printers[M31RI_OUT]);
    if (p->is_terminal) {
        m31ri_buf_add_str(&line,
                          p->at_line_start && k->printers[M31RI_OUT].at_line_start ? "" : "\n");
    } else if (!p->at_line_start) {
        m31ri_buf_add_char(&line, '\n');
    }
    m31ri_ending_line(k->shared, end, k->plan->rank, &line);
    m31ri_printer_drain(&k->printers[M31RI_OUT], PRINT_WAIT_MS);
    m31ri_printer_add(p, line.data, line.length);
    m31ri_printer_drain(p, PRINT_WAIT_MS);
    m31ri_buf_release(&line);
}

static void serve(m31ri_keeper *k, int which, int fd)
{
    char bytes[65536];
    m31ri_printer *to = k->streams[which].raw_to;
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n > 0 && to != NULL) {
        m31ri_printer_add(to, bytes, (size_t)n);
        m31ri_printer_drain(to, PRINT_WAIT_MS);
    }
    k->shared->streams[which].is_ended = n <= 0 && !(n < 0 && errno == EAGAIN);
}

/* Reads and passes on, or throws away, until the last writer is gone. */
static void serve_leftovers(m31ri_keeper *k)
{
    for (;;) {
        struct pollfd set[M31RI_STREAMS];
        int n_open = 0;
        for (int i = 0; i < M31RI_STREAMS; i++) {
            bool is_open = !k->shared->streams[i].is_ended;
            set[i] = (struct pollfd){is_open ? k->plan->wiring.outer[i] : -1, POLLIN, 0};
            n_open += is_open;
        }
        if (n_open == 0 || poll(set, M31RI_STREAMS, -1) < 0) {
            return;
        }
        for (int i = 0; i < M31RI_STREAMS; i++) {
            if (set[i].revents != 0) {
                serve(k, i, set[i].fd);
            }
        }
    }
}

/* Where nothing is passed on any more, our own descriptors are let go: whoever reads them must see
 * their end. */
static void let_go(m31ri_keeper *k)
{
    close(0);
    for (int i = 0; i < M31RI_STREAMS; i++) {
        bool passes = k->streams[i].raw_to != NULL && !k->shared->streams[i].is_ended;
        if (!passes) {
            m31ri_printer_release(&k->printers[i]);
            k->streams[i].raw_to = NULL;
            close(i + 1);
        }
    }
}

void m31ri_keeper_end(m31ri_keeper *k)
{
    m31ri_ending ending;
    for (int i = 0; i < M31RI_STREAMS; i++) {
        m31ri_capture_bytes(&k->streams[i], true);
        m31ri_capture_release(&k->streams[i]);
    }
    report_open_output(k);
    m31ri_sampler_take(k);
    m31ri_sampler_end(k);
    if (m31ri_hint_is_due(&k->hint, 0, 0, true)) {
        m31ri_keeper_report_unmatched(k);
    }
    m31ri_keeper_end_loaded(k);
    m31ri_run_end_drain(k->run);
    m31ri_run_tick(k->run); /* its last points */
    m31ri_keeper_report_anomalies(k);
    m31ri_keeper_report_counts(k);
    report_dropped(k);
    note_nonfinite(k);
    end_run(k, &ending);
    show_last_records(k);
    if (k->front_is_gone && atomic_load(&k->shared->is_raw) != 0) {
        m31ri_terminal_restore(0, &k->plan->wiring.terminal);
    }
    print_end(k, &ending.end);
    atomic_store(&k->shared->phase, M31RI_PHASE_DONE);
    m31ri_wake(k->plan->wake_front);
    if (k->plan->guard_pidfd >=
        0) { /* it holds our descriptors, whose reader waits for their end */
        m31ri_pidfd_signal(k->plan->guard_pidfd, -1, SIGCHLD);
    }
    if (!k->shared->streams[M31RI_OUT].is_ended || !k->shared->streams[M31RI_ERR].is_ended) {
        let_go(k);
        serve_leftovers(k);
    }
}
