/* drain.c - a batch from rings to files, exactly once; drain.h says what is promised.
 *
 * A lane's file has no writer but us, so half a batch is cut off at the place that the intent
 * names. The points' file is shared with other processes, which append behind whatever we had
 * written when we died: there the lines that are already in it, whole and in order from the
 * intent's place on, are passed over.
 */
#include "drain/drain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_futex.h"
#include "drain/outage.h"
#include "format/point.h"
#include "format/record.h"
#include "format/timestamp.h"
#include "ring/ring_batch.h"
#include "ring/ring_clock.h"
#include "ring/ring_commit.h"
#include "ring/ring_crash.h"
#include "store/append_file.h"
#include "store/notices.h"

#define BATCH_BYTES (128 * 1024) /* of each ring: some hundred KiB of text, and soon room again */
#define RETRY_PAUSE_NS (50 * 1000 * 1000)
#define CLOCK_PACE_NS (200 * 1000 * 1000)
#define CHECK_PACE_NS (1000 * 1000 * 1000LL)

typedef struct lane_out {
    char file[M31RI_RING_NAME_BYTES];
    m31ri_append_file *append;
    m31ri_outage outage;
    int64_t check_mono_ns;
    const char *fate; /* what happened to the file and is not yet said */
    bool has_told;    /* something happened to the file, and it was said */
    bool is_dirty;    /* written since the last sync */
} lane_out;

struct m31ri_drain {
    m31ri_ring_file *file;
    m31ri_drain_options options;
    m31ri_batch batch;
    m31ri_commit done; /* as published last */
    m31ri_commit next; /* being made */
    m31ri_take take;
    lane_out lanes[M31RI_RING_LANES + 1];
    m31ri_append_file *points;
    m31ri_outage points_outage;
    int64_t clock_mono_ns, offset_ns, clock_step_ns;
    uint32_t wants_sync;
    int error;                        /* left as it is: see leaves_what_fails */
    m31ri_buf severe;                 /* of a batch that does not fit: what is ERROR or worse */
    uint32_t taken[M31RI_RING_SLOTS]; /* of each slot: how many records have been committed */
};

static m31r_value text_of(const char *s)
{
    return m31r_of_string(s);
}

/* A record about the lane itself, with the lane's last time: the same again after a crash. */
static void add_own(m31ri_drain *d, uint32_t id, const char *message, const m31r_value *keys,
                    const m31r_value *values, size_t n)
{
    m31ri_batch_lane *lane = &d->batch.lanes[id];
    const m31ri_record_parts parts = {.wall_ns = d->next.lanes[id - 1].last_wall_ns,
                                      .level = M31R_WARNING,
                                      .module = "m31r",
                                      .module_length = 4,
                                      .message = message,
                                      .message_length = strlen(message),
                                      .keys = keys,
                                      .values = values,
                                      .n = n};
    m31ri_record_write(&lane->lines, &parts, NULL, NULL);
    lane->n_records++;
}

static void tell_lost(m31ri_drain *d, const char *what, const char *reason, uint64_t n)
{
    json_t *notice = json_pack("{s:s, s:s, s:s, s:I}", "kind", "lost", "what", what, "reason",
                               reason, "count", (json_int_t)n);
    if (notice != NULL) {
        m31ri_notice_add(d->options.dir, notice, NULL);
    }
}

/* Opens the lane's file at the first need; the place where its first batch begins is its end. */
static int open_lane(m31ri_drain *d, uint32_t id)
{
    lane_out *lane = &d->lanes[id];
    m31r_error e;
    if (lane->append != NULL) {
        return 0;
    }
    const m31ri_text *file = &d->batch.dictionary.lanes[id].file;
    memcpy(lane->file, file->s, file->length);
    lane->file[file->length] = '\0';
    m31ri_buf torn = M31RI_BUF_INIT;
    m31r_err err = m31ri_append_open(d->options.dir->fd, lane->file, M31RI_APPEND_BORROWED, NULL,
                                     &torn, &lane->append, &e);
    if (err != M31R_OK) {
        return EIO;
    }
    lane->check_mono_ns = m31ri_mono_ns() + CHECK_PACE_NS;
    m31ri_commit_lane *state = &d->next.lanes[id - 1];
    state->offset = m31ri_append_size(lane->append);
    state->ordinal = state->ordinal == 0 ? 1 : state->ordinal;
    if (torn.length != 0) {
        const m31r_value keys[] = {text_of("bytes"), text_of("tail")};
        const m31r_value values[] = {m31r_of_uint(torn.length), m31r_text(torn.data, torn.length)};
        add_own(d, id, "torn_tail", keys, values, 2);
    }
    m31ri_buf_release(&torn);
    return 0;
}

/* New lanes of the dictionary come into the statement before their first record does. */
static void open_lanes(m31ri_drain *d)
{
    for (uint32_t id = d->next.n_lanes + 1; id <= d->batch.dictionary.n_lanes; id++) {
        d->next.n_lanes = id;
        memset(&d->next.lanes[id - 1], 0, sizeof d->next.lanes[id - 1]);
        open_lane(d, id);
    }
}

/* ------------------------------------------------------------------ a batch into lines */

/* Losses since they were last said, when the file may be tried again. */
static void say_losses(m31ri_drain *d, uint32_t id)
{
    m31ri_commit_lane *c = &d->next.lanes[id - 1];
    uint64_t n = c->n_lost - c->n_lost_said;
    if (n != 0 && m31ri_mono_ns() >= d->lanes[id].outage.retry_mono_ns) {
        const m31r_value keys[] = {text_of("count"), text_of("reason")};
        const m31r_value values[] = {m31r_of_uint(n), text_of(strerror((int)c->lost_errno))};
        add_own(d, id, "records_lost", keys, values, 2);
        c->n_lost_said = c->n_lost;
    }
}

static void say_drops(m31ri_drain *d)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < d->next.n_rings; i++) {
        uint64_t all = atomic_load_explicit(&m31ri_ring_file_slot(d->file, i)->n_dropped,
                                            memory_order_relaxed);
        n += all > d->next.rings[i].n_dropped_said ? all - d->next.rings[i].n_dropped_said : 0;
        d->next.rings[i].n_dropped_said = all;
    }
    if (n != 0 && d->next.n_lanes != 0) {
        const m31r_value keys[] = {text_of("count"), text_of("reason")};
        const m31r_value values[] = {m31r_of_uint(n), text_of("ring_full")};
        add_own(d, 1, "records_lost", keys, values, 2);
        tell_lost(d, "records", "ring_full", n);
    }
}

static void say_fate(m31ri_drain *d, uint32_t id)
{
    lane_out *lane = &d->lanes[id];
    if (lane->fate != NULL) {
        const m31r_value key = text_of("file"), value = text_of(lane->file);
        add_own(d, id, lane->fate, &key, &value, 1);
        lane->fate = NULL;
        lane->has_told = true;
    }
}

static void make_batch(m31ri_drain *d)
{
    say_drops(d);
    for (uint32_t id = 1; id <= d->next.n_lanes; id++) {
        say_fate(d, id);
        say_losses(d, id);
    }
    m31ri_batch_make(&d->batch, &d->take, &d->next);
    if (d->options.is_of_dead) {
        m31ri_crash_add(&d->batch, d->file, &d->next);
    }
}

/* ------------------------------------------------------------------ lines into files */

static bool must_stop_waiting(const m31ri_drain *d, int64_t since_ns)
{
    return m31ri_mono_ns() - since_ns >= d->options.block_timeout_ns;
}

/* Appends, or waits for the disk: once an outage, and not longer than is allowed. */
static int append_patiently(m31ri_drain *d, m31ri_append_file *f, m31ri_buf *lines,
                            const m31ri_outage *outage)
{
    int64_t since_ns = m31ri_mono_ns();
    int err = lines->failed ? ENOMEM : m31ri_append_write(f, lines->data, lines->length);
    while (err != 0 && !lines->failed && outage->error == 0 && !must_stop_waiting(d, since_ns)) {
        nanosleep(&(struct timespec){0, RETRY_PAUSE_NS}, NULL);
        err = m31ri_append_write(f, lines->data, lines->length);
    }
    return err;
}

static void lose_lane(m31ri_drain *d, uint32_t id, int err)
{
    lane_out *lane = &d->lanes[id];
    m31ri_commit_lane *c = &d->next.lanes[id - 1];
    uint64_t said = d->done.n_lanes >= id ? d->done.lanes[id - 1].n_lost_said : 0;
    m31ri_outage_begin(&lane->outage, err, d->batch.lanes[id].n_records, lane->file);
    c->n_lost_said = said;
    c->n_lost += d->batch.lanes[id].n_records;
    c->lost_errno = (uint32_t)err;
    atomic_store_explicit(&d->file->live->is_degraded, 1, memory_order_relaxed);
}

static void end_outage(m31ri_drain *d, m31ri_outage *o, const char *what)
{
    uint64_t n = 0;
    int error = 0;
    if (m31ri_outage_end(o, &n, &error)) {
        atomic_store_explicit(&d->file->live->is_degraded, 0, memory_order_relaxed);
        tell_lost(d, what, strerror(error), n);
    }
}

static bool is_severe(const char *line, const char *end)
{
    static const char error[] = "\"level\":\"ERROR\"", critical[] = "\"level\":\"CRITICAL\"";
    const size_t at = sizeof "{\"ts\":\"\"," - 1 + M31RI_TIMESTAMP_BYTES;
    size_t left = (size_t)(end - line) > at ? (size_t)(end - line) - at : 0;
    return (left >= sizeof error && memcmp(line + at, error, sizeof error - 1) == 0) ||
           (left >= sizeof critical && memcmp(line + at, critical, sizeof critical - 1) == 0);
}

/* On a full disk, what was put by at the start is for the worst records: they are written, the
 * others of the batch are lost. Returns how many were written. */
static uint64_t write_severe(m31ri_drain *d, uint32_t id)
{
    lane_out *lane = &d->lanes[id];
    const m31ri_buf *lines = &d->batch.lanes[id].lines;
    uint64_t n = 0;
    m31ri_buf_clear(&d->severe);
    for (const char *at = lines->data, *end = at + lines->length, *next; at < end; at = next) {
        next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        if (is_severe(at, next)) {
            m31ri_buf_add(&d->severe, at, (size_t)(next - at));
            n++;
        }
    }
    bool is_written = n != 0 && m31ri_buf_ok(&d->severe) && d->options.make_room != NULL &&
                      lane->append != NULL &&
                      d->options.make_room(d->options.context, d->severe.length) &&
                      m31ri_append_write(lane->append, d->severe.data, d->severe.length) == 0;
    if (is_written) {
        d->next.lanes[id - 1].n_records += n;
        d->next.lanes[id - 1].offset = m31ri_append_size(lane->append);
        lane->is_dirty = true;
    }
    return is_written ? n : 0;
}

static bool is_full(int err)
{
    return err == ENOSPC || err == EDQUOT;
}

static void write_lane(m31ri_drain *d, uint32_t id)
{
    lane_out *lane = &d->lanes[id];
    m31ri_batch_lane *made = &d->batch.lanes[id];
    m31ri_commit_lane *c = &d->next.lanes[id - 1];
    if (made->lines.length == 0 || d->error != 0) {
        return;
    }
    if (m31ri_outage_must_skip(&lane->outage, 0)) {
        made->n_records -= is_full(lane->outage.error) ? write_severe(d, id) : 0;
        lane->outage.n_lost += made->n_records;
        lane->outage.n_lost_total += made->n_records;
        c->n_lost += made->n_records;
        return;
    }
    int err = open_lane(d, id);
    err = err == 0 ? append_patiently(d, lane->append, &made->lines, &lane->outage) : err;
    if (err != 0 && d->options.leaves_what_fails) {
        d->error = err;
        return;
    }
    if (err != 0) {
        made->n_records -= is_full(err) ? write_severe(d, id) : 0;
        lose_lane(d, id, err);
        return;
    }
    end_outage(d, &lane->outage, "records");
    lane->is_dirty = true;
    c->n_records += made->n_records;
    c->offset = m31ri_append_size(lane->append);
    if (d->options.written != NULL) {
        d->options.written(d->options.context, made->lines.data, made->lines.length);
    }
}

static void write_points(m31ri_drain *d, bool is_locked, bool is_again)
{
    if (d->error != 0) {
        return;
    }
    if (d->batch.n_points == 0 || m31ri_outage_must_skip(&d->points_outage, d->batch.n_points)) {
        d->next.n_points_lost += d->batch.n_points;
        return;
    }
    size_t skip = is_again
                      ? m31ri_batch_points_there(&d->batch, d->options.dir->fd,
                                                 d->file->header->points_file, d->done.points_at)
                      : 0;
    m31ri_buf rest = d->batch.points;
    rest.data += skip;
    rest.length -= skip;
    int err = !is_locked         ? EIO
              : rest.length == 0 ? 0
                                 : append_patiently(d, d->points, &rest, &d->points_outage);
    if (err != 0 && d->options.leaves_what_fails) {
        d->error = err;
        return;
    }
    if (err != 0) {
        m31ri_outage_begin(&d->points_outage, err, d->batch.n_points, d->file->header->points_file);
        d->next.n_points_lost += d->batch.n_points;
        return;
    }
    end_outage(d, &d->points_outage, "points");
    d->next.n_points += d->batch.n_points;
}

static void commit(m31ri_drain *d)
{
    if (d->error != 0) {
        return; /* the intent stands, and whoever comes next does it again */
    }
    for (uint32_t i = 0; i < d->next.n_rings; i++) {
        d->next.rings[i].consumed = d->next.rings[i].target;
    }
    d->next.generation = d->done.generation;
    m31ri_commit_publish(d->file, &d->next);
    d->done = d->next;
    memcpy(d->taken, d->take.sequences, sizeof d->taken);
    uint64_t n_lost = d->done.n_points_lost;
    for (uint32_t i = 0; i < d->done.n_lanes; i++) {
        n_lost += d->done.lanes[i].n_lost;
    }
    atomic_store_explicit(&d->file->live->n_lost, n_lost, memory_order_relaxed);
    m31ri_take_commit(d->file, &d->done);
    m31ri_batch_clear(&d->batch);
}

static m31r_err open_points(m31ri_drain *d, m31r_error *e)
{
    return d->points != NULL
               ? M31R_OK
               : m31ri_append_open(d->options.dir->fd, d->file->header->points_file,
                                   M31RI_APPEND_SHARED, M31RI_POINT_HEADER, NULL, &d->points, e);
}

static bool try_points(m31ri_drain *d, uint64_t *at)
{
    return open_points(d, NULL) == M31R_OK && m31ri_append_lock(d->points, at) == 0;
}

/* The file of points is opened and locked, as patiently as it is written. */
static bool lock_points(m31ri_drain *d, uint64_t *at)
{
    int64_t since_ns = m31ri_mono_ns();
    bool is_locked = d->batch.n_points != 0 && try_points(d, at);
    while (d->batch.n_points != 0 && !is_locked && d->points_outage.error == 0 &&
           !must_stop_waiting(d, since_ns)) {
        nanosleep(&(struct timespec){0, RETRY_PAUSE_NS}, NULL);
        is_locked = try_points(d, at);
    }
    return is_locked;
}

/* The batch that `next` has the lines of: said, written, committed. `done` becomes the intent. */
static void write_batch(m31ri_drain *d)
{
    uint64_t points_at = 0;
    bool is_locked = lock_points(d, &points_at);
    d->done.points_at = points_at;
    m31ri_commit_publish(d->file, &d->done);
    for (uint32_t id = 1; id <= d->next.n_lanes; id++) {
        write_lane(d, id);
    }
    write_points(d, is_locked, false);
    if (is_locked) {
        m31ri_append_unlock(d->points);
    }
    commit(d);
}

/* ------------------------------------------------------------------ what a dead writer left */

/* Takes off what the lane's file has beyond the place where the batch began. */
static int cut_lane(m31ri_drain *d, uint32_t id)
{
    char name[M31RI_RING_NAME_BYTES];
    struct stat st;
    const m31ri_text *file = &d->batch.dictionary.lanes[id].file;
    memcpy(name, file->s, file->length);
    name[file->length] = '\0';
    int fd = m31ri_open(d->options.dir->fd, name, O_RDWR | O_NONBLOCK, 0);
    if (fd < 0) {
        return errno == ENOENT ? 0 : errno;
    }
    uint64_t offset = d->done.lanes[id - 1].offset;
    int err = fstat(fd, &st) != 0 ? errno : 0;
    if (err == 0 && (uint64_t)st.st_size > offset && ftruncate(fd, (off_t)offset) != 0) {
        err = errno;
    }
    close(fd);
    return err;
}

/* The intent's batch once more. */
static m31r_err write_again(m31ri_drain *d, m31r_error *e)
{
    uint64_t end;
    for (uint32_t id = 1; id <= d->done.n_lanes && id <= d->batch.dictionary.n_lanes; id++) {
        int err = cut_lane(d, id);
        if (err != 0) {
            return m31ri_fail_sys(e, err, d->lanes[id].file, "taking half a batch off a lane");
        }
        d->next.n_lanes = id;
        open_lane(d, id);
    }
    m31ri_take_again(&d->take, d->file, &d->done);
    make_batch(d);
    for (uint32_t id = 1; id <= d->next.n_lanes; id++) {
        write_lane(d, id);
    }
    bool is_locked = lock_points(d, &end);
    write_points(d, is_locked, true);
    if (is_locked) {
        m31ri_append_unlock(d->points);
    }
    commit(d);
    return M31R_OK;
}

/* After a commit: a lane whose file was rotated goes on at the start of a new one. */
static void rotate_lanes(m31ri_drain *d)
{
    for (uint32_t id = 1; d->options.rotate != NULL && id <= d->done.n_lanes; id++) {
        lane_out *lane = &d->lanes[id];
        m31ri_commit_lane *c = &d->done.lanes[id - 1];
        if (lane->append == NULL || d->batch.lanes[id].lines.length != 0 ||
            !d->options.rotate(d->options.context, lane->file, c->offset, c->last_wall_ns)) {
            continue;
        }
        m31ri_append_sync(lane->append);
        m31ri_append_close(lane->append);
        lane->append = NULL;
        lane->is_dirty = false;
        c->offset = 0;
        c->ordinal++;
    }
}

m31r_err m31ri_drain_open(m31ri_ring_file *file, const m31ri_drain_options *o, m31ri_drain **out,
                          m31r_error *e)
{
    m31ri_drain *d = m31ri_calloc(1, sizeof *d);
    if (d == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a writer");
    }
    d->file = file;
    d->options = *o;
    m31r_err err = m31ri_batch_init(&d->batch, o->privacy)
                       ? M31R_OK
                       : m31ri_fail(e, M31R_E_NOMEM, "out of memory for a writer");
    if (err == M31R_OK && !m31ri_commit_read(file, &d->done)) {
        err = m31ri_fail(e, M31R_E_CORRUPT, "%s has no whole commit", file->path);
    }
    if (err == M31R_OK) {
        m31ri_dictionary_read(&d->batch.dictionary, file);
        d->next = d->done;
        if (m31ri_commit_is_intent(&d->done)) {
            err = write_again(d, e);
        }
    }
    if (err != M31R_OK) {
        m31ri_drain_close(d);
        return err;
    }
    *out = d;
    return M31R_OK;
}

/* ------------------------------------------------------------------ a pass */

static void follow_clock(m31ri_drain *d, int64_t now)
{
    if (now >= d->clock_mono_ns) {
        d->clock_mono_ns = now + CLOCK_PACE_NS;
        d->clock_step_ns += m31ri_ring_clock_follow(d->file, &d->offset_ns);
    }
}

static void check_fates(m31ri_drain *d, int64_t now)
{
    for (uint32_t id = 1; id <= d->done.n_lanes; id++) {
        lane_out *lane = &d->lanes[id];
        if (lane->append != NULL && now >= lane->check_mono_ns) {
            lane->check_mono_ns = now + CHECK_PACE_NS;
            m31ri_append_state state = m31ri_append_check(lane->append);
            lane->fate = state == M31RI_APPEND_DELETED     ? "log_file_deleted"
                         : state == M31RI_APPEND_TRUNCATED ? "log_file_truncated"
                         : state == M31RI_APPEND_REPLACED  ? "log_file_replaced"
                                                           : NULL;
        }
    }
}

void m31ri_drain_look(m31ri_drain *d)
{
    for (uint32_t id = 1; id <= d->done.n_lanes; id++) {
        d->lanes[id].check_mono_ns = 0;
    }
}

bool m31ri_drain_has_told(const m31ri_drain *d, uint32_t id)
{
    return id <= d->done.n_lanes && d->lanes[id].has_told;
}

/* Something of our own to say, although the rings are empty. */
static bool has_news(const m31ri_drain *d)
{
    int64_t now = m31ri_mono_ns();
    for (uint32_t id = 1; id <= d->next.n_lanes; id++) {
        const m31ri_commit_lane *c = &d->next.lanes[id - 1];
        bool is_unsaid = c->n_lost != c->n_lost_said && now >= d->lanes[id].outage.retry_mono_ns;
        if (is_unsaid || d->lanes[id].fate != NULL || d->batch.lanes[id].lines.length != 0) {
            return true;
        }
    }
    return d->options.is_of_dead && m31ri_crash_is_due(d->file, &d->next);
}

bool m31ri_drain_pass(m31ri_drain *d)
{
    int64_t now = m31ri_mono_ns();
    if (m31ri_ring_file_is_gone(d->file) || d->error != 0) {
        return false;
    }
    follow_clock(d, now);
    check_fates(d, now);
    d->next = d->done;
    d->next.n_rings = (uint16_t)d->file->header->n_slots;
    uint32_t wants = atomic_load_explicit(&d->file->live->wants_sync, memory_order_acquire);
    /* The order matters: a record that is seen has its dictionary entries before it. */
    bool has_batch = m31ri_take_begin(&d->take, d->file, &d->next, BATCH_BYTES);
    d->wants_sync = d->take.is_partial ? d->wants_sync : wants;
    m31ri_dictionary_read(&d->batch.dictionary, d->file);
    open_lanes(d);
    if (!has_batch && !has_news(d)) {
        return false;
    }
    d->next.n_calibrations =
        atomic_load_explicit(&d->file->live->n_calibrations, memory_order_acquire);
    uint64_t generation = d->done.generation;
    d->done = d->next; /* the intent: where everything is, and how far the batch goes */
    d->done.generation = generation;
    make_batch(d);
    if (m31ri_ring_file_is_gone(d->file)) { /* while it was read: who owns it counts what is lost */
        m31ri_batch_clear(&d->batch);
        return false;
    }
    write_batch(d);
    rotate_lanes(d);
    return d->error == 0;
}

int m31ri_drain_error(const m31ri_drain *d)
{
    return d->error;
}

int m31ri_drain_sync(m31ri_drain *d)
{
    int first = 0;
    for (uint32_t id = 1; id <= d->done.n_lanes; id++) {
        lane_out *lane = &d->lanes[id];
        if (lane->append != NULL && lane->is_dirty) {
            int err = m31ri_append_sync(lane->append);
            first = first == 0 ? err : first;
            lane->is_dirty = false;
        }
    }
    /* Who waits for a CRITICAL is told, also when the disk refuses: the wait is bounded either way.
     */
    atomic_store_explicit(&d->file->live->synced, d->wants_sync, memory_order_release);
    atomic_fetch_add_explicit(&d->file->live->drained, 1, memory_order_release);
    m31ri_futex_wake(&d->file->live->drained);
    return first;
}

void m31ri_drain_counts(const m31ri_drain *d, uint32_t id, uint64_t *n_records, uint64_t *n_lost)
{
    bool is_known = id >= 1 && id <= d->done.n_lanes;
    *n_records = is_known ? d->done.lanes[id - 1].n_records : 0;
    *n_lost = is_known ? d->done.lanes[id - 1].n_lost : 0;
}

void m31ri_drain_each_loss(const m31ri_drain *d, void (*tell)(void *context, json_t *notice),
                           void *context)
{
    for (uint32_t id = 1; id <= d->done.n_lanes; id++) {
        json_t *notice = m31ri_outage_notice(&d->lanes[id].outage, "records");
        if (notice != NULL) {
            tell(context, notice);
        }
    }
    json_t *notice = m31ri_outage_notice(&d->points_outage, "points");
    if (notice != NULL) {
        tell(context, notice);
    }
}

uint32_t m31ri_drain_taken(const m31ri_drain *d, uint32_t slot)
{
    return d->taken[slot];
}

uint64_t m31ri_drain_points_lost(const m31ri_drain *d)
{
    return d->done.n_points_lost;
}

uint32_t m31ri_drain_lanes(const m31ri_drain *d)
{
    return d->batch.dictionary.n_lanes;
}

void m31ri_drain_lane(const m31ri_drain *d, uint32_t id, char name[64], char file[128])
{
    const m31ri_lane_entry *lane = &d->batch.dictionary.lanes[id];
    snprintf(name, 64, "%.*s", (int)lane->name.length, lane->name.s);
    snprintf(file, 128, "%.*s", (int)lane->file.length, lane->file.s);
}

int64_t m31ri_drain_take_clock_step(m31ri_drain *d)
{
    int64_t step = d->clock_step_ns;
    d->clock_step_ns = 0;
    return step;
}

void m31ri_drain_forget(m31ri_drain *d)
{
    for (uint32_t id = 1; d != NULL && id <= M31RI_RING_LANES; id++) {
        m31ri_append_forget(d->lanes[id].append);
    }
    if (d != NULL) {
        m31ri_append_forget(d->points);
    }
}

void m31ri_drain_close(m31ri_drain *d)
{
    if (d == NULL) {
        return;
    }
    m31ri_append_close(d->points);
    for (uint32_t id = 1; id <= M31RI_RING_LANES; id++) {
        m31ri_append_close(d->lanes[id].append);
    }
    m31ri_batch_release(&d->batch);
    m31ri_buf_release(&d->severe);
    m31ri_free(d);
}
