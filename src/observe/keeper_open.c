/* keeper_open.c - the keeper's beginning: a new run and its program, or those of a keeper that was
 * killed. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_process.h"
#include "observe/keeper.h"

#define HEAD_BYTES 128 /* of a record: time, level, module */

static const char *const stream_names[M31RI_STREAMS] = {"stdout", "stderr"};

/* Who sees what: m31r/observe.h and DESIGN.md section 7. */
static void connect_printers(m31ri_keeper *k)
{
    m31ri_printer *out = &k->printers[M31RI_OUT];
    bool is_tee = k->plan->options->is_tee;
    for (int i = 0; i < M31RI_STREAMS; i++) {
        m31ri_printer_init(&k->printers[i], i + 1);
    }
    for (int i = 0; i < M31RI_STREAMS; i++) {
        m31ri_capture_stream *c = &k->streams[i];
        bool passes = is_tee || k->plan->wiring.ours_is_terminal[i + 1];
        c->raw_to = passes ? &k->printers[i] : NULL;
        if (!is_tee && !out->is_terminal) {
            c->json_to = out;
        } else if (!passes) {
            c->json_to = &k->printers[i];
        }
    }
    k->records_to = is_tee ? NULL : out;
}

/* Without a run there are no records to show: the program's bytes are passed on as they are. */
void m31ri_keeper_pass_bytes_on(m31ri_keeper *k)
{
    for (int i = 0; i < M31RI_STREAMS; i++) {
        k->streams[i].raw_to = &k->printers[i];
        k->streams[i].json_to = NULL;
    }
    k->records_to = NULL;
}

static m31r_err write_id_file(const m31ri_keeper *k, m31r_error *e)
{
    char text[M31RI_RUN_ID_BYTES + 1];
    const char *path = k->plan->options->id_file;
    int n = snprintf(text, sizeof text, "%s\n", k->shared->run_id);
    return path != NULL ? m31ri_replace_file(AT_FDCWD, path, text, (size_t)n, false, e) : M31R_OK;
}

static m31r_err keep_names(m31ri_keeper *k, m31r_error *e)
{
    const m31ri_run_dir *d = m31ri_run_directory(k->run);
    int n = snprintf(k->shared->run_dir, sizeof k->shared->run_dir, "%s", d->path);
    snprintf(k->shared->run_id, sizeof k->shared->run_id, "%s", d->run_id);
    return n >= 0 && (size_t)n < sizeof k->shared->run_dir
               ? M31R_OK
               : m31ri_fail(e, M31R_E_LIMIT, "the path of the run directory is too long");
}

/* Is it one of a lane's own, about a torn end or an outage? Such a record was made from nothing
 * that the program printed. */
static bool is_of_the_lane(const char *head, size_t length)
{
    static const char mark[] = "\"level\":\"WARNING\",\"module\":\"m31r\",\"msg\":";
    return memmem(head, length, mark, sizeof mark - 1) != NULL;
}

/* Whole records of the program's in a lane's file after `offset`: what the dead keeper had written
 * but not committed. */
static uint32_t count_records(int dir, const char *file, uint64_t offset)
{
    char bytes[65536];
    char head[HEAD_BYTES];
    size_t n_head = 0;
    uint32_t n = 0;
    ssize_t got;
    int fd = m31ri_open(dir, file, O_RDONLY | O_NONBLOCK, 0);
    while (fd >= 0 && (got = pread(fd, bytes, sizeof bytes, (off_t)offset)) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (bytes[i] == '\n') {
                n += !is_of_the_lane(head, n_head);
                n_head = 0;
            } else if (n_head < sizeof head) {
                head[n_head++] = bytes[i];
            }
        }
        offset += (uint64_t)got;
    }
    if (fd >= 0) {
        close(fd);
    }
    return n;
}

/* Lanes for what the program prints, and eyes on the lanes that it writes itself. */
static m31r_err open_lanes(m31ri_keeper *k, m31r_error *e)
{
    const char *lanes[] = {"stdout", "stderr", "observer"};
    m31r_err err = M31R_OK;
    k->observer = m31ri_run_observer_lane(k->run);
    for (int i = 0; i < 3; i++) {
        m31ri_run_lane_file(k->run, lanes[i], k->own_files[i], sizeof k->own_files[i]);
        k->without[i] = k->own_files[i];
    }
    for (int i = 0; i < M31RI_STREAMS && err == M31R_OK; i++) {
        k->streams[i].run = k->run;
        if (k->plan->capture == M31RI_CAPTURE_FULL) {
            uint64_t committed = m31ri_stream_now(&k->streams[i].stream)->lane_bytes;
            k->streams[i].skip_records =
                count_records(m31ri_run_directory(k->run)->fd, k->own_files[i], committed);
            err = m31r_lane_open(k->run, stream_names[i], &k->streams[i].lane, e);
        }
    }
    k->tail_dir = m31ri_open_dir(m31ri_run_directory(k->run)->fd, ".", false);
    if (err == M31R_OK && k->tail_dir >= 0 && !k->is_heir && k->records_to != NULL) {
        k->tail = m31ri_lane_tail_new(k->tail_dir, k->without, 3, k->plan->rank);
    }
    return err;
}

/* Without them a repeated run would take no points out of what is printed. */
static void set_patterns(m31ri_keeper *k)
{
    const m31r_observe_options *o = k->plan->options;
    json_t *patterns = json_array();
    for (size_t i = 0; i < o->n_metrics; i++) {
        json_array_append_new(patterns, m31ri_identity_text(k->plan->identity, o->metrics[i]));
    }
    m31ri_run_set_metadata(k->run, "command.patterns", patterns);
}

/* metadata.json is rank 0's. */
static void describe(void *context, pid_t program_pid)
{
    m31ri_keeper *k = context;
    if (k->plan->rank > 0 || k->run == NULL) {
        return;
    }
    m31ri_process program = m31ri_process_of(program_pid);
    m31ri_run_set_metadata(k->run, "capture", json_string(m31ri_capture_name(k->plan->capture)));
    m31ri_run_set_metadata(k->run, "program",
                           json_pack("{s:I, s:I}", "pid", (json_int_t)program.pid, "start_ticks",
                                     (json_int_t)program.start_ticks));
    set_patterns(k);
    m31ri_run_tick(k->run); /* saves it */
}

static void report_exec_failure(m31ri_keeper *k)
{
    const m31ri_field fields[] = {{"program", m31r_of_string(k->plan->identity->argv[0])},
                                  {"error", m31r_of_string(strerror(k->shared->exec_errno))}};
    m31ri_keeper_report(k, M31R_ERROR, "exec_failed", fields, 2);
}

static void say_unobserved(m31ri_keeper *k, const char *why)
{
    m31ri_buf line = M31RI_BUF_INIT;
    m31ri_buf_add_format(&line,
                         "m31r: rank %d is not observed: %s; its program runs without a record\n",
                         k->plan->rank, why);
    m31ri_printer_add(&k->printers[M31RI_ERR], line.data, line.length);
    m31ri_buf_release(&line);
}

void m31ri_keeper_leave_ended_run(m31ri_keeper *k)
{
    if (k->plan->rank <= 0 || k->run == NULL || !m31ri_run_was_ended(k->run)) {
        return;
    }
    say_unobserved(k, "rank 0 has ended the run");
    m31ri_sampler_end(k);
    m31ri_lane_tail_free(k->tail);
    m31ri_run_end_drain(k->run);
    m31ri_run_leave(k->run);
    k->tail = NULL;
    k->run = NULL;
    k->observer = NULL;
    k->has_left = true;
    for (int i = 0; i < M31RI_STREAMS; i++) {
        k->streams[i].run = NULL;
        k->streams[i].lane = NULL;
    }
    m31ri_keeper_pass_bytes_on(k);
}

/* A rank above 0 joins what rank 0 makes. Without that the program runs all the same: a launcher
 * that lost one rank would end the others. */
static void join_rank(m31ri_keeper *k)
{
    m31r_error e = {0};
    char *path = NULL;
    m31r_err err =
        m31ri_rank_find(k->plan->identity->root, k->plan->job_key, M31RI_RANK_WAIT_MS, &path, &e);
    if (err == M31R_OK) {
        err = m31ri_run_join_observer(path, false, &k->run, &e);
    }
    m31ri_free(path);
    if (err != M31R_OK) {
        k->run = NULL;
        say_unobserved(k, e.message);
        m31ri_keeper_pass_bytes_on(k);
    }
}

static m31r_err open_run(m31ri_keeper *k, m31r_error *e)
{
    m31ri_plan *p = k->plan;
    if (p->rank > 0) {
        join_rank(k);
        return M31R_OK;
    }
    m31r_err err = m31ri_run_open_observer(p->identity, &k->run, e);
    if (err != M31R_OK) {
        p->identity = NULL;
    } else if (p->rank == 0) {
        err =
            m31ri_rank_publish(p->identity->root, p->job_key, m31ri_run_directory(k->run)->path, e);
    }
    return err;
}

static m31r_err open_new(m31ri_keeper *k, m31r_error *e)
{
    m31ri_plan *p = k->plan;
    m31r_err err = open_run(k, e);
    if (err != M31R_OK && k->run == NULL) {
        return err;
    }
    if (k->run != NULL) {
        err = err == M31R_OK ? keep_names(k, e) : err;
        err = err == M31R_OK ? open_lanes(k, e) : err;
        err = err == M31R_OK ? write_id_file(k, e) : err;
        m31ri_keeper_show_lanes(k);
    }
    err = err == M31R_OK ? m31ri_launch(p, (m31ri_program_hook){describe, k}, e) : err;
    if (err != M31R_OK) {
        const m31ri_run_end end = {
            .state = "failed", .cause = "not_started", .evidence = e->message};
        m31ri_run_end ended;
        if (k->run != NULL) {
            m31ri_run_end_observed(k->run, &end, 0, &ended, NULL);
        }
        k->run = NULL;
        return err;
    }
    if (k->run != NULL) {
        m31ri_keeper_report_disk(k);
    }
    setsid(); /* from here on no terminal can hang us up; the program stays where it is */
    if (k->shared->exec_errno != 0) {
        report_exec_failure(k);
    }
    return M31R_OK;
}

/* The program lives and is read from here on, whether or not the run can be taken over. */
static m31r_err open_as_heir(m31ri_keeper *k, m31r_error *e)
{
    m31r_err err = M31R_E_NOTFOUND; /* a rank that had no run has none now */
    if (k->plan->rank > 0 && k->shared->run_dir[0] != '\0') {
        err = m31ri_run_join_observer(k->shared->run_dir, true, &k->run, e);
    } else if (k->plan->rank <= 0) {
        err = m31ri_run_adopt_observer(k->shared->run_dir, k->plan->identity, &k->run, e);
    }
    if (err == M31R_OK) {
        err = open_lanes(k, e);
    }
    if (err != M31R_OK) {
        k->run = NULL;
        m31ri_keeper_pass_bytes_on(k);
        return err;
    }
    describe(k, (pid_t)atomic_load(&k->shared->program_pid));
    const m31ri_field fields[] = {{"heirs", m31r_of_int(k->shared->n_heirs)}};
    m31ri_keeper_report(k, M31R_WARNING, "observer_lost", fields, 1);
    return M31R_OK;
}

m31r_err m31ri_keeper_open(m31ri_keeper *k, m31r_error *e)
{
    for (int i = 0; i < M31RI_STREAMS; i++) {
        m31ri_capture_stream *c = &k->streams[i];
        c->name = stream_names[i];
        c->stream =
            (m31ri_stream){&k->shared->streams[i], k->plan->rings[i], k->plan->wiring.outer[i],
                           k->plan->wiring.ours_is_terminal[i + 1]};
        c->patterns = k->plan->patterns;
        c->shared = k->shared;
        c->proposals = k->proposals;
    }
    connect_printers(k);
    m31r_err err = k->is_heir ? open_as_heir(k, e) : open_new(k, e);
    if (k->is_heir) {
        for (int i = 0; i < M31RI_STREAMS; i++) {
            m31ri_capture_recover(&k->streams[i]);
        }
    }
    return err;
}
