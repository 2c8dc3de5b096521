/* lane.c - one ordered stream of records: make the line, append it, say what was lost.
 *
 * The direct path: a record is made in the lane's buffer under the lane's lock and appended by one
 * write. The observer and scripts write so, and a program before it has rings (rings.h) and after.
 * While it has, the lane's file is only held here, so that nobody else takes it; the records come
 * by way of the rings.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "drain/ring_settle.h"
#include "emit/state.h"
#include "format/record.h"
#include "store/notices.h"

#define MAX_KEYS 1024
#define HELD_BYTES (256 * 1024) /* a holder that forgets to release writes at least so often */
#define MAX_PROCESS_LANES 1000
#define SETTLE_MS 2000

static const char *redact(void *context, const char *key, size_t key_length, const char *value,
                          size_t length, size_t *out_length)
{
    m31r_lane *lane = context;
    m31ri_buf_clear(&lane->scrubbed);
    if (m31ri_privacy_clean(lane->run->privacy,
                            m31ri_privacy_judge(lane->run->privacy, key, key_length), value, length,
                            &lane->scrubbed) == 0) {
        return NULL;
    }
    *out_length = lane->scrubbed.length;
    return m31ri_buf_str(&lane->scrubbed);
}

/* Encodes into lane->line; the time never goes back within the lane. */
static void encode(m31r_lane *lane, m31ri_record_parts *parts)
{
    const m31ri_redactor redactor = {redact, lane};
    int64_t now = m31ri_wall_ns();
    if (now > lane->last_wall_ns) {
        lane->last_wall_ns = now;
    }
    parts->wall_ns = lane->last_wall_ns;
    m31ri_buf_clear(&lane->line);
    m31ri_record_write(&lane->line, parts, lane->run->privacy != NULL ? &redactor : NULL, NULL);
    if (lane->stack != NULL && parts->level >= M31R_ERROR) {
        m31ri_buf text = M31RI_BUF_INIT;
        m31ri_run_name_stack(lane->run, lane->stack, &text);
        m31ri_record_add_text(&lane->line, 0, "stack", m31ri_buf_str(&text), text.length,
                              lane->run->privacy != NULL ? &redactor : NULL);
        m31ri_buf_release(&text);
    }
}

static m31r_value text_of(const char *s)
{
    return m31r_text(s, strlen(s));
}

/* What was held does not fit as a whole: its first records that do are kept. Returns how many. */
static uint32_t write_one_by_one(m31r_lane *lane)
{
    uint32_t n = 0;
    const char *at = lane->held.data, *end = at + lane->held.length;
    while (at < end) {
        const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
        if (m31ri_append_write(lane->append, at, (size_t)(next - at)) != 0) {
            break;
        }
        at = next;
        n++;
    }
    return n;
}

/* What was held goes into the file, in one write; what cannot is counted. */
static int flush_held(m31r_lane *lane)
{
    uint32_t n = lane->n_held;
    if (n == 0) {
        return 0;
    }
    int err = lane->held.failed
                  ? ENOMEM
                  : m31ri_append_write(lane->append, lane->held.data, lane->held.length);
    uint32_t n_kept = err == 0 ? n : lane->held.failed ? 0 : write_one_by_one(lane);
    m31ri_buf_clear(&lane->held);
    lane->n_held = 0;
    lane->n_records += n_kept;
    m31ri_lane_rotate(lane, m31ri_append_size(lane->append), lane->last_wall_ns);
    if (n_kept < n) {
        m31ri_outage_begin(&lane->outage, err, n - n_kept, lane->file);
    }
    return n_kept < n ? err : 0;
}

/* A record about the lane itself; its own failure is only counted, so that this never recurses. */
static int append_own(m31r_lane *lane, m31r_level level, const char *message,
                      const m31r_value *keys, const m31r_value *values, size_t n)
{
    m31ri_record_parts parts = {.level = level,
                                .module = "m31r",
                                .module_length = 4,
                                .message = message,
                                .message_length = strlen(message),
                                .keys = keys,
                                .values = values,
                                .n = n};
    flush_held(lane);
    encode(lane, &parts);
    int err = lane->line.failed
                  ? ENOMEM
                  : m31ri_append_write(lane->append, lane->line.data, lane->line.length);
    lane->n_records += err == 0;
    return err;
}

/* Bytes that a writer left when it died inside a write: kept, escaped, as a record of their own. */
static void record_torn_tail(m31r_lane *lane, const m31ri_buf *torn)
{
    const m31r_value keys[] = {text_of("bytes"), text_of("tail")};
    const m31r_value values[] = {m31r_of_uint(torn->length), m31r_text(torn->data, torn->length)};
    append_own(lane, M31R_WARNING, "torn_tail", keys, values, 2);
}

/* The same of a writer that died while this one had the file open. */
static void say_what_was_torn(m31r_lane *lane)
{
    m31ri_buf torn = M31RI_BUF_INIT;
    if (m31ri_append_take_torn(lane->append, &torn) && m31ri_buf_ok(&torn)) {
        record_torn_tail(lane, &torn);
    }
    m31ri_buf_release(&torn);
}

static void say_what_was_lost(m31r_lane *lane)
{
    uint64_t n_lost = 0;
    int error = 0;
    if (!m31ri_outage_end(&lane->outage, &n_lost, &error)) {
        return;
    }
    const m31r_value keys[] = {text_of("count"), text_of("reason")};
    const m31r_value values[] = {m31r_of_uint(n_lost), text_of(strerror(error))};
    int err = append_own(lane, M31R_WARNING, "records_lost", keys, values, 2);
    if (err != 0) {
        lane->outage.n_lost_total -= n_lost; /* counted again by begin */
        lane->outage.was_reported = true;    /* it is the same outage */
        m31ri_outage_begin(&lane->outage, err, n_lost, lane->file);
        return;
    }
    m31ri_notice(lane->run, json_pack("{s:s, s:s, s:s, s:I}", "kind", "lost", "what", "records",
                                      "reason", strerror(error), "count", (json_int_t)n_lost));
}

static const char *fate_message(m31ri_append_state state)
{
    switch (state) {
    case M31RI_APPEND_DELETED:
        return "log_file_deleted";
    case M31RI_APPEND_TRUNCATED:
        return "log_file_truncated";
    case M31RI_APPEND_REPLACED:
        return "log_file_replaced";
    default:
        return NULL;
    }
}

/* Looks now and then whether somebody deleted, cut or replaced the file under the writer, and says
 * so. */
static void check_fate(m31r_lane *lane)
{
    int64_t now = m31ri_mono_ns();
    if (now < lane->check_mono_ns) {
        return;
    }
    lane->check_mono_ns = now + M31RI_CHECK_NS;
    const char *message = fate_message(m31ri_append_check(lane->append));
    if (message != NULL) {
        const m31r_value keys[] = {text_of("file")};
        const m31r_value values[] = {text_of(lane->file)};
        append_own(lane, M31R_WARNING, message, keys, values, 1);
    }
}

/* Order is promised within one thread only: a second one is said once, in the record and in
 * metadata.json. */
static void note_thread(m31r_lane *lane)
{
    uint64_t self = (uint64_t)(uintptr_t)pthread_self();
    if (lane->first_thread == 0) {
        lane->first_thread = self;
    }
    if (lane->first_thread == self || !lane->is_ordered) {
        return;
    }
    lane->is_ordered = false;
    const m31r_value keys[] = {text_of("file")};
    const m31r_value values[] = {text_of(lane->file)};
    append_own(lane, M31R_WARNING, "lane_shared_by_threads", keys, values, 1);
    m31ri_lane_announce(lane, "open");
}

static m31r_err append_record(m31r_lane *lane, m31ri_record_parts *parts)
{
    if (lane->run->is_file_off) {
        encode(lane, parts);
        return M31R_OK;
    }
    if (m31ri_outage_must_skip(&lane->outage, 1)) {
        encode(lane, parts); /* standard output may still take it */
        return M31R_E_IO;
    }
    check_fate(lane);
    note_thread(lane);
    say_what_was_lost(lane);
    say_what_was_torn(lane);
    encode(lane, parts);
    if (lane->outage.error != 0) {
        m31ri_outage_must_skip(&lane->outage, 1);
        return M31R_E_IO;
    }
    if (lane->holds && !lane->line.failed) {
        m31ri_buf_add(&lane->held, lane->line.data, lane->line.length);
        lane->n_held++;
        bool is_much = lane->held.failed || lane->held.length >= HELD_BYTES;
        return is_much && flush_held(lane) != 0 ? M31R_E_IO : M31R_OK;
    }
    int err = lane->line.failed
                  ? ENOMEM
                  : m31ri_append_write(lane->append, lane->line.data, lane->line.length);
    if (err != 0) {
        m31ri_outage_begin(&lane->outage, err, 1, lane->file);
        return M31R_E_IO;
    }
    lane->n_records++;
    return M31R_OK;
}

/* By the calling thread itself, at once. */
static m31r_err write_directly(m31r_lane *lane, m31ri_record_parts *parts, const m31ri_stack *stack)
{
    m31r_err err = M31R_E_CLOSED;
    pthread_mutex_lock(&lane->lock);
    if (lane->append != NULL) {
        lane->stack = stack;
        err = append_record(lane, parts);
        lane->stack = NULL;
        if (err == M31R_OK && parts->level == M31R_CRITICAL &&
            m31ri_append_sync(lane->append) != 0) {
            err = M31R_E_IO;
        }
        if (!lane->line.failed) {
            m31ri_stdout_sink_write(&lane->run->sink, m31ri_buf_str(&lane->line),
                                    lane->line.length);
        }
    } else {
        lane->outage.n_lost_total++;
    }
    pthread_mutex_unlock(&lane->lock);
    return err;
}

m31r_err m31ri_lane_write_at(m31r_lane *lane, m31r_level level, const char *module,
                             m31r_value message, const m31r_fields *fields,
                             const m31ri_stack *stack)
{
    if (fields->n > MAX_KEYS || (message.type != M31R_T_STRING && message.type != M31R_T_NULL)) {
        return fields->n > MAX_KEYS ? M31R_E_LIMIT : M31R_E_ARG;
    }
    int saved = errno;
    m31ri_rings *rings = lane->ring_id != 0 ? lane->run->rings : NULL;
    m31ri_record_parts parts = {.wall_ns = rings != NULL ? m31ri_wall_ns() : 0,
                                .level = level,
                                .module = module,
                                .module_length = strlen(module),
                                .message = message.type == M31R_T_STRING ? message.as.s : "",
                                .message_length = message.length,
                                .keys = fields->keys,
                                .values = fields->values,
                                .n = fields->n};
    m31r_err err = rings != NULL ? m31ri_rings_line(rings, lane, &parts, stack)
                                 : write_directly(lane, &parts, stack);
    if (rings != NULL && err == M31R_E_CLOSED) {
        /* another thread is ending the run at exit of the process */
        pthread_mutex_lock(&lane->lock);
        lane->outage.n_lost++;
        lane->outage.n_lost_total++;
        lane->outage.error = ECANCELED;
        pthread_mutex_unlock(&lane->lock);
    }
    errno = saved;
    return err;
}

m31r_err m31ri_lane_write(m31r_lane *lane, m31r_level level, const char *module, m31r_value message,
                          const m31r_value *keys, const m31r_value *values, size_t n)
{
    const m31r_fields fields = {keys, values, n};
    return m31ri_lane_write_at(lane, level, module, message, &fields, NULL);
}

void m31ri_lane_note_thread(m31r_lane *lane, uint64_t thread)
{
    pthread_mutex_lock(&lane->lock);
    uint64_t first = lane->first_thread != 0 ? lane->first_thread : thread;
    bool is_news = lane->is_ordered && (first != thread || thread == 0);
    __atomic_store_n(&lane->first_thread, first, __ATOMIC_RELAXED);
    if (is_news) {
        __atomic_store_n(&lane->is_ordered, false, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&lane->lock);
    if (is_news) {
        const m31r_value key = text_of("file"), value = text_of(lane->file);
        m31ri_lane_write(lane, M31R_WARNING, "m31r", text_of("lane_shared_by_threads"), &key,
                         &value, 1);
        m31ri_lane_announce(lane, "open");
    }
}

m31r_err m31ri_lane_sync(m31r_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    int err = lane->append != NULL ? m31ri_append_sync(lane->append) : 0;
    pthread_mutex_unlock(&lane->lock);
    return err == 0 ? M31R_OK : M31R_E_IO;
}

void m31ri_lane_hold(m31r_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->holds = true;
    pthread_mutex_unlock(&lane->lock);
}

m31r_err m31ri_lane_release(m31r_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    int err = lane->append != NULL ? flush_held(lane) : 0;
    lane->holds = false;
    pthread_mutex_unlock(&lane->lock);
    return err == 0 ? M31R_OK : M31R_E_IO;
}

uint64_t m31ri_lane_bytes(const m31r_lane *lane)
{
    return lane->append != NULL ? m31ri_append_size(lane->append) : 0;
}

const m31ri_buf *m31ri_lane_last_line(const m31r_lane *lane)
{
    return &lane->line;
}

/* The time of a lane that is continued starts where its last record stopped: it was this file's
 * order. */
static m31r_err open_file(m31r_lane *lane, m31r_error *e)
{
    m31ri_buf torn = M31RI_BUF_INIT;
    m31ri_append_mode mode = lane->run->is_shell ? M31RI_APPEND_SHARED : M31RI_APPEND_EXCLUSIVE;
    m31r_err err =
        m31ri_append_open(lane->run->dir.fd, lane->file, mode, NULL, &torn, &lane->append, e);
    if (err == M31R_OK && torn.length != 0) {
        record_torn_tail(lane, &torn);
    }
    m31ri_buf_release(&torn);
    return err;
}

m31r_err m31ri_lane_new_closed(m31r_run *run, const char *name, m31r_lane **out, m31r_error *e)
{
    m31r_lane *lane = m31ri_calloc(1, sizeof *lane);
    if (lane == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a lane");
    }
    lane->run = run;
    lane->is_ordered = true;
    lane->check_mono_ns = m31ri_mono_ns() + M31RI_CHECK_NS;
    pthread_mutex_init(&lane->lock, NULL);
    snprintf(lane->name, sizeof lane->name, "%s", name);
    m31ri_lane_file_write(run->stage, name, run->rank, lane->file, sizeof lane->file);
    *out = lane;
    return M31R_OK;
}

m31r_err m31ri_lane_new(m31r_run *run, const char *name, m31r_lane **out, m31r_error *e)
{
    m31r_lane *lane = NULL;
    m31r_err err = m31ri_lane_new_closed(run, name, &lane, e);
    if (err == M31R_OK) {
        err = open_file(lane, e);
    }
    if (err != M31R_OK) {
        m31ri_lane_free(lane);
        return err;
    }
    *out = lane;
    return M31R_OK;
}

void m31ri_lane_free(m31r_lane *lane)
{
    if (lane != NULL) {
        m31ri_append_close(lane->append);
        m31ri_buf_release(&lane->line);
        m31ri_buf_release(&lane->held);
        m31ri_buf_release(&lane->scrubbed);
        pthread_mutex_destroy(&lane->lock);
        m31ri_free(lane);
    }
}

/* The main lane of this process: the stage's own file when nobody writes it, else the next free
 * "p2", "p3"... */
m31r_err m31ri_lane_claim_main(m31r_run *run, m31r_lane **out, m31r_error *e)
{
    (void)m31ri_rings_settle(&run->dir, run->privacy, M31RI_SETTLE_OR_LEAVE,
                             SETTLE_MS); /* who had the lane may have left records */
    m31r_err err = m31ri_lane_new(run, "", out, e);
    for (int i = 2; err == M31R_E_BUSY && i < MAX_PROCESS_LANES; i++) {
        char name[33];
        snprintf(name, sizeof name, "p%d", i);
        err = m31ri_lane_new(run, name, out, e);
    }
    return err;
}

void m31ri_lane_settle(m31r_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    if (lane->append != NULL) {
        flush_held(lane);
        say_what_was_lost(lane);
        say_what_was_torn(lane);
    }
    pthread_mutex_unlock(&lane->lock);
}

void m31ri_lane_give_up_file(m31r_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    m31ri_append_close(lane->append);
    lane->append = NULL;
    pthread_mutex_unlock(&lane->lock);
}

m31r_err m31ri_lane_reopen(m31r_lane *lane, m31r_error *e)
{
    pthread_mutex_lock(&lane->lock);
    m31r_err err = lane->append != NULL ? M31R_OK : open_file(lane, e);
    pthread_mutex_unlock(&lane->lock);
    return err;
}

void m31ri_lane_announce(m31r_lane *lane, const char *state)
{
    const char *name = lane->name[0] != '\0' ? lane->name : lane->run->stage;
    m31ri_notice(lane->run,
                 json_pack("{s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:s, s:I}", "kind", "lane", "file",
                           lane->file, "name", name, "ordered", (int)lane->is_ordered, "adds",
                           (int)lane->run->is_shell, "records", (json_int_t)lane->n_records, "lost",
                           (json_int_t)lane->outage.n_lost_total, "state", state, "pid",
                           (json_int_t)getpid()));
}
