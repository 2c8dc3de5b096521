/* ring_emit.c - a site's values, a step, a line, a point into the ring of the calling thread. The
 * first record of a call site comes here; those after it go in line (m31r/hot.h), where nothing has
 * to be decided.
 *
 * The common way is one pass over the values: each is stored while its type is compared with what
 * the call site said at its first record; when any differs nothing is published and the long way
 * makes a line.
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/counter.h"
#include "emit/ring_thread.h"
#include "emit/state.h"
#include "format/record.h"

#define STEP_BYTES 16   /* step and segment */
#define TEXT_LIMIT 4096 /* of all strings of a record; longer ones become a line */
#define POINT_BYTES (sizeof(m31ri_put) + 24)

static inline m31ri_thread_ring *ring_of(m31ri_rings *rs)
{
    if (__builtin_expect(m31ri_mine.serial == atomic_load_explicit(rs->token, memory_order_relaxed),
                         1)) {
        return m31ri_mine.ring;
    }
    return m31ri_rings_of_thread(rs);
}

static inline char *reserve(m31ri_rings *rs, m31ri_ring *r, uint64_t bytes, bool is_low)
{
    if (__builtin_expect(bytes <= (uint64_t)(r->hot->limit - r->hot->at), 1)) {
        return r->hot->at;
    }
    return is_low && r->keeps_room ? m31ri_rings_room_or_drop(r, bytes)
                                   : m31ri_rings_wait_room(rs, r, bytes);
}

static inline void put_head(const m31ri_ring *r, char *at, m31ri_put head)
{
    head.sequence = (uint32_t)r->hot->sequence;
    head.counter = m31ri_counter_read(r->is_steady);
    memcpy(at, &head, sizeof head);
}

/* ------------------------------------------------------------------ call sites */

static atomic_uint last_site; /* relaxed: only their being unique counts */

static void fill_info(const m31ri_rings *rs, const m31r_site *site, const m31r_value *values,
                      m31ri_site_info *info)
{
    info->n_keys = site->n_keys;
    info->is_low = site->level < M31R_WARNING;
    info->is_critical = site->level >= M31R_CRITICAL;
    info->is_severe = site->level >= M31R_ERROR && rs->run->takes_stacks;
    info->is_hot = !info->is_critical && !info->is_severe;
    for (uint32_t i = 0; i < site->n_keys; i++) {
        uint32_t type = values[i].type != M31R_T_NULL ? values[i].type : M31R_T_STRING;
        info->types[i] = (uint8_t)type;
        info->has_text |= type == M31R_T_STRING || type == M31R_T_SENSITIVE;
        info->is_severe &= strcmp(site->keys[i], "stack") != 0; /* it brings its own */
        info->has_step |= strcmp(site->keys[i], "step") == 0;
        info->is_denied[i] =
            type == M31R_T_STRING &&
            m31ri_privacy_key_kind(rs->run->privacy, site->keys[i], strlen(site->keys[i])) != NULL;
        info->is_hot &= !info->is_denied[i];
    }
}

/* A call site's first record in this run: its constant part goes into the dictionary. */
static m31ri_site_info *add_site(m31ri_rings *rs, m31r_site *site, const m31r_value *values)
{
    if (site->n_keys > M31RI_SITE_KEYS) {
        return NULL;
    }
    pthread_mutex_lock(&rs->lock);
    uint32_t number = __atomic_load_n(&site->id, __ATOMIC_RELAXED);
    if (number == 0) {
        number = atomic_fetch_add_explicit(&last_site, 1, memory_order_relaxed) + 1;
        __atomic_store_n(&site->id, number, __ATOMIC_RELAXED);
    }
    m31ri_site_info *info = NULL;
    if (number < M31RI_MAX_SITES) {
        info = atomic_load_explicit(&rs->sites[number], memory_order_relaxed);
    }
    if (info == NULL && number < M31RI_MAX_SITES &&
        (info = m31ri_calloc(1, sizeof *info)) != NULL) {
        info->id = m31ri_dictionary_add_site(&rs->file, rs->n_sites + 1, site, values);
        fill_info(rs, site, values, info);
        rs->n_sites += info->id != 0;
        /* pairs with the acquire in info_of */
        atomic_store_explicit(&rs->sites[number], info, memory_order_release);
    }
    pthread_mutex_unlock(&rs->lock);
    return info;
}

static inline m31ri_site_info *info_of(m31ri_rings *rs, m31r_site *site, const m31r_value *values)
{
    uint32_t number = __atomic_load_n(&site->id, __ATOMIC_RELAXED);
    m31ri_site_info *info = NULL;
    if (__builtin_expect(number != 0 && number < M31RI_MAX_SITES, 1)) {
        info = atomic_load_explicit(&rs->sites[number], memory_order_acquire);
    }
    return __builtin_expect(info != NULL, 1) ? info : add_site(rs, site, values);
}

/* Order is promised within one thread: a second one on a lane is said once. */
static inline void note_ring(m31r_lane *lane, const m31ri_thread_ring *t)
{
    uint64_t first = __atomic_load_n(&lane->first_thread, __ATOMIC_RELAXED);
    if (__builtin_expect(first != t->owner, 0) &&
        __atomic_load_n(&lane->is_ordered, __ATOMIC_RELAXED)) {
        m31ri_lane_note_thread(lane, t->owner);
    }
}

/* ------------------------------------------------------------------ values */

/* Stores the values; false when a type is not what it was. */
static inline bool put_numbers(const m31ri_site_info *info, const m31r_value *values, char *to)
{
    uint32_t differs = 0;
    for (uint32_t i = 0; i < info->n_keys; i++) {
        memcpy(to + (size_t)i * 8, &values[i].as, 8);
        differs |= values[i].type ^ info->types[i];
    }
    return differs == 0;
}

/* Bytes of the strings' text, or UINT64_MAX when this is not for a ring. */
static uint64_t text_bytes(const m31ri_site_info *info, const m31r_value *values)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < info->n_keys; i++) {
        bool is_null = values[i].type == M31R_T_NULL && info->types[i] == M31R_T_STRING;
        if (values[i].type != info->types[i] && !is_null) {
            return UINT64_MAX;
        }
        if (values[i].type == M31R_T_STRING && !info->is_denied[i]) {
            bytes += values[i].length;
        }
    }
    return bytes <= TEXT_LIMIT ? bytes : UINT64_MAX;
}

static void put_texts(const m31ri_site_info *info, const m31r_value *values, char *to)
{
    char *text = to + (size_t)info->n_keys * 8;
    for (uint32_t i = 0; i < info->n_keys; i++) {
        uint64_t bits = 0;
        if (info->types[i] == M31R_T_STRING) {
            bits = values[i].type == M31R_T_NULL ? M31RI_PUT_NULL
                   : info->is_denied[i]          ? M31RI_PUT_DENIED
                                                 : values[i].length;
            if (bits < M31RI_PUT_DENIED) {
                memcpy(text, values[i].as.s, values[i].length);
                text += values[i].length;
            }
        } else if (info->types[i] != M31R_T_SENSITIVE) {
            memcpy(&bits, &values[i].as, 8);
        }
        memcpy(to + (size_t)i * 8, &bits, 8);
    }
}

/* What the record of a call site starts with, besides its header. */
typedef struct front {
    uint32_t bytes; /* 0, or STEP_BYTES and the places of the stack */
    int64_t step;
    uint64_t second; /* the segment, or how many places */
    const m31ri_frame *frames;
} front;

static inline char *put_front(const front *f, char *to)
{
    if (f->bytes != 0) {
        memcpy(to, &f->step, 8);
        memcpy(to + 8, &f->second, 8);
        to += STEP_BYTES;
    }
    if (f->bytes > STEP_BYTES) {
        memcpy(to, f->frames, f->bytes - STEP_BYTES);
        to += f->bytes - STEP_BYTES;
    }
    return to;
}

static inline bool put_record(m31ri_rings *rs, m31ri_thread_ring *t, const m31ri_site_info *info,
                              m31ri_put head, const front *f, const m31r_value *values)
{
    uint64_t bytes = sizeof head + f->bytes + (uint64_t)info->n_keys * 8;
    if (info->has_text) {
        uint64_t text = text_bytes(info, values);
        if (text == UINT64_MAX) {
            return false;
        }
        bytes += (text + 7) & ~(uint64_t)7;
    }
    char *at = reserve(rs, &t->ring, bytes, info->is_low && f->bytes == 0);
    if (at == NULL) {
        return true; /* dropped, and counted */
    }
    head.bytes = (uint32_t)bytes;
    put_head(&t->ring, at, head);
    char *to = put_front(f, at + sizeof head);
    if (info->has_text) {
        put_texts(info, values, to);
    } else if (!put_numbers(info, values, to)) {
        return false;
    }
    m31ri_ring_publish(&t->ring, bytes);
    return true;
}

/* Slot 0 is for the threads that found no other. */
__attribute__((noinline)) static bool put_shared(m31ri_rings *rs, m31ri_thread_ring *t,
                                                 const m31ri_site_info *info, m31ri_put head,
                                                 const front *f, const m31r_value *values)
{
    pthread_mutex_lock(&rs->shared_lock);
    bool is_put = put_record(rs, t, info, head, f, values);
    pthread_mutex_unlock(&rs->shared_lock);
    return is_put;
}

bool m31ri_rings_emit(m31ri_rings *rs, m31r_log *log, m31r_site *site, const m31r_value *values)
{
    static const front nothing = {0, 0, 0, NULL};
    m31ri_logger *l = (m31ri_logger *)log;
    m31ri_thread_ring *t = ring_of(rs);
    const m31ri_site_info *info = t != NULL ? info_of(rs, site, values) : NULL;
    if (__builtin_expect(info == NULL || info->id == 0 || info->is_critical || info->is_severe,
                         0)) {
        return false;
    }
    note_ring(l->lane, t);
    const m31ri_put head = {
        .kind = M31RI_PUT_SITE, .logger = (uint16_t)l->ring_id, .site = info->id};
    if (__builtin_expect(t->owner == 0, 0)) {
        return put_shared(rs, t, info, head, &nothing, values);
    }
    if (!put_record(rs, t, info, head, &nothing, values)) {
        return false;
    }
    if (info->is_hot) {
        m31ri_rings_open_way(rs, log, site, info->id);
    }
    return true;
}

bool m31ri_rings_emit_severe(m31ri_rings *rs, m31r_log *log, m31r_site *site,
                             const m31r_value *values, const void *from)
{
    m31ri_frame frames[M31RI_RING_STACK];
    m31ri_logger *l = (m31ri_logger *)log;
    m31ri_thread_ring *t = ring_of(rs);
    const m31ri_site_info *info = t != NULL ? info_of(rs, site, values) : NULL;
    if (info == NULL || info->id == 0 || !info->is_severe) {
        return false;
    }
    front f = {STEP_BYTES, M31R_NO_STEP, m31ri_rings_stack(rs, from, frames), frames};
    f.bytes += (uint32_t)f.second * (uint32_t)sizeof *frames;
    if (t->owner != 0 && !info->has_step) {
        f.step = t->last_step;
    }
    note_ring(l->lane, t);
    const m31ri_put head = {
        .kind = M31RI_PUT_SITE_STACK, .logger = (uint16_t)l->ring_id, .site = info->id};
    bool is_put = t->owner == 0 ? put_shared(rs, t, info, head, &f, values)
                                : put_record(rs, t, info, head, &f, values);
    if (is_put && info->is_critical) {
        (void)m31ri_rings_sync(rs);
    }
    return is_put;
}

/* ------------------------------------------------------------------ steps and points */

static uint64_t hash_name(const char *s, size_t length)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a, 64 bits */
    for (size_t i = 0; i < length; i++) {
        h = (h ^ (uint8_t)s[i]) * 1099511628211u;
    }
    return h ^ h >> 32;
}

static bool is_name(const m31ri_ring_series *s, const char *name, size_t length)
{
    return s->length == length && memcmp(s->name, name, length) == 0;
}

/* The place of the name: its own, or the free one where it would go. */
static _Atomic(m31ri_ring_series *) *find_series(m31ri_rings *rs, const char *name, size_t length)
{
    uint64_t i = hash_name(name, length);
    for (;; i++) {
        _Atomic(m31ri_ring_series *) *place = &rs->series[i % M31RI_SERIES_SLOTS];
        /* pairs with the release in add_series */
        const m31ri_ring_series *s = atomic_load_explicit(place, memory_order_acquire);
        if (s == NULL || is_name(s, name, length)) {
            return place;
        }
    }
}

static m31ri_ring_series *add_series(m31ri_rings *rs, const char *name, size_t length)
{
    pthread_mutex_lock(&rs->lock);
    _Atomic(m31ri_ring_series *) *place = find_series(rs, name, length);
    m31ri_ring_series *s = atomic_load_explicit(place, memory_order_relaxed);
    if (s == NULL && rs->n_series < M31RI_SERIES_SLOTS / 2 &&
        (s = m31ri_calloc(1, sizeof *s + length + 1)) != NULL) {
        memcpy(s->name, name, length);
        s->length = (uint32_t)length;
        s->id = m31ri_dictionary_add_metric(&rs->file, rs->n_series + 1, s->name);
        if (s->id == 0) {
            m31ri_free(s);
            s = NULL;
        } else {
            rs->n_series++;
            atomic_store_explicit(place, s, memory_order_release);
        }
    }
    pthread_mutex_unlock(&rs->lock);
    return s;
}

/* A name that the privacy rules do not let pass becomes another, the same for all such. */
static m31ri_ring_series *series_of(m31ri_rings *rs, const char *name)
{
    size_t length = strlen(name);
    m31ri_ring_series *s =
        atomic_load_explicit(find_series(rs, name, length), memory_order_relaxed);
    if (s != NULL) {
        return s;
    }
    const char *safe = m31ri_point_name_safe(rs->run->privacy, name);
    return add_series(rs, safe, strlen(safe));
}

/* The segment that a step of the name belongs to; a step that goes back begins one for all names.
 */
static inline uint32_t follow(m31ri_rings *rs, m31ri_ring_series *s, int64_t step, bool *went_back)
{
    uint32_t segment = atomic_load_explicit(&rs->segment, memory_order_relaxed);
    if (s == NULL || step == M31R_NO_STEP) {
        return segment;
    }
    if (atomic_load_explicit(&s->segment, memory_order_relaxed) == segment + 1 &&
        step < (int64_t)atomic_load_explicit(&s->last_step, memory_order_relaxed)) {
        *went_back = atomic_compare_exchange_strong_explicit(
            &rs->segment, &segment, segment + 1, memory_order_relaxed, memory_order_relaxed);
        segment += *went_back;
    }
    atomic_store_explicit(&s->last_step, step, memory_order_relaxed);
    atomic_store_explicit(&s->segment, segment + 1, memory_order_relaxed);
    return segment;
}

static void warn_of_segment(m31ri_rings *rs, int64_t step, uint32_t segment)
{
    m31r_warning(m31r_run_logger(rs->run, "m31r"), "step_went_back", "step", step, "segment",
                 segment);
}

/* The series of a site's numeric keys, at its first step. */
static void find_all_series(m31ri_rings *rs, const m31r_site *site, m31ri_site_info *info)
{
    m31ri_ring_series *found[M31RI_SITE_KEYS] = {NULL};
    for (uint32_t i = 0; i < info->n_keys; i++) {
        bool is_number = info->types[i] >= M31R_T_INT && info->types[i] <= M31R_T_FLOAT;
        found[i] = is_number ? series_of(rs, site->keys[i]) : NULL;
    }
    pthread_mutex_lock(&rs->lock);
    if (!atomic_load_explicit(&info->has_series, memory_order_relaxed)) {
        memcpy(info->series, found, sizeof found);
        /* pairs with the acquire in m31ri_rings_step */
        atomic_store_explicit(&info->has_series, true, memory_order_release);
    }
    pthread_mutex_unlock(&rs->lock);
}

bool m31ri_rings_step(m31ri_rings *rs, m31r_log *log, int64_t step, m31r_site *site,
                      const m31r_value *values)
{
    m31ri_logger *l = (m31ri_logger *)log;
    m31ri_thread_ring *t = ring_of(rs);
    m31ri_site_info *info = t != NULL ? info_of(rs, site, values) : NULL;
    if (info == NULL || info->id == 0) {
        return false;
    }
    if (!atomic_load_explicit(&info->has_series, memory_order_acquire)) {
        find_all_series(rs, site, info);
    }
    note_ring(l->lane, t);
    bool went_back = false;
    front f = {STEP_BYTES, step, atomic_load_explicit(&rs->segment, memory_order_relaxed), NULL};
    t->last_step = step;
    for (uint32_t i = 0; i < info->n_keys && step >= 0; i++) {
        if (info->series[i] != NULL) {
            f.second = follow(rs, info->series[i], step, &went_back);
        }
    }
    const m31ri_put head = {
        .kind = M31RI_PUT_STEP, .logger = (uint16_t)l->ring_id, .site = info->id};
    bool is_put = t->owner == 0 ? put_shared(rs, t, info, head, &f, values)
                                : put_record(rs, t, info, head, &f, values);
    if (went_back) {
        warn_of_segment(rs, step, (uint32_t)f.second);
    }
    return is_put;
}

static m31r_err put_point(m31ri_rings *rs, m31ri_thread_ring *t, const m31ri_ring_series *s,
                          const void *payload)
{
    char *at = reserve(rs, &t->ring, POINT_BYTES, false);
    if (at == NULL) {
        return M31R_E_IO;
    }
    const m31ri_put head = {.bytes = POINT_BYTES, .kind = M31RI_PUT_POINT, .site = s->id};
    put_head(&t->ring, at, head);
    memcpy(at + sizeof head, payload, 24);
    m31ri_ring_publish(&t->ring, POINT_BYTES);
    return M31R_OK;
}

m31r_err m31ri_rings_point(m31ri_rings *rs, const char *name, const m31r_value *value, int64_t step)
{
    struct {
        int64_t step;
        double value;
        uint32_t segment, is_float;
    } payload = {step, 0.0, 0, value->type == M31R_T_FLOAT};
    m31ri_thread_ring *t = ring_of(rs);
    m31ri_ring_series *s = t != NULL ? series_of(rs, name) : NULL;
    if (s == NULL) {
        return M31R_E_LIMIT;
    }
    payload.value = value->type == M31R_T_INT     ? (double)value->as.i
                    : value->type == M31R_T_UINT  ? (double)value->as.u
                    : value->type == M31R_T_FLOAT ? (double)value->as.f
                                                  : value->as.d;
    bool went_back = false;
    payload.segment = follow(rs, s, step, &went_back);
    bool is_shared = t->owner == 0;
    if (is_shared) {
        pthread_mutex_lock(&rs->shared_lock);
    }
    m31r_err err = put_point(rs, t, s, &payload);
    if (is_shared) {
        pthread_mutex_unlock(&rs->shared_lock);
    }
    if (went_back) {
        warn_of_segment(rs, step, payload.segment);
    }
    return err;
}

/* ------------------------------------------------------------------ lines */

static const char *redact(void *context, const char *key, size_t key_length, const char *value,
                          size_t length, size_t *out_length)
{
    m31ri_line_scratch *s = context;
    m31ri_buf_clear(s->scrubbed);
    if (m31ri_privacy_clean(s->privacy, m31ri_privacy_judge(s->privacy, key, key_length), value,
                            length, s->scrubbed) == 0) {
        return NULL;
    }
    *out_length = s->scrubbed->length;
    return m31ri_buf_str(s->scrubbed);
}

static m31r_err put_line(m31ri_rings *rs, m31ri_thread_ring *t, const m31r_lane *lane,
                         const m31ri_record_parts *parts, const front *f)
{
    m31ri_line_scratch scratch = {rs->run->privacy, &t->scrubbed};
    const m31ri_redactor redactor = {redact, &scratch};
    m31ri_buf_clear(&t->line);
    m31ri_record_write(&t->line, parts, rs->run->privacy != NULL ? &redactor : NULL, NULL);
    if (!m31ri_buf_ok(&t->line)) {
        return M31R_E_NOMEM;
    }
    uint64_t length = t->line.length;
    uint64_t bytes = (sizeof(m31ri_put) + f->bytes + 8 + length + 7) & ~(uint64_t)7;
    char *at = reserve(rs, &t->ring, bytes, parts->level < M31R_WARNING);
    if (at == NULL) {
        return M31R_E_IO;
    }
    const m31ri_put head = {.bytes = (uint32_t)bytes,
                            .kind = f->bytes != 0 ? M31RI_PUT_LINE_STACK : M31RI_PUT_LINE,
                            .logger = (uint16_t)lane->ring_id};
    put_head(&t->ring, at, head);
    char *to = put_front(f, at + sizeof head);
    memcpy(to, &length, 8);
    memcpy(to + 8, t->line.data, length);
    m31ri_ring_publish(&t->ring, bytes);
    return M31R_OK;
}

m31r_err m31ri_rings_line(m31ri_rings *rs, m31r_lane *lane, const m31ri_record_parts *parts,
                          const m31ri_stack *stack)
{
    front f = {0, M31R_NO_STEP, 0, NULL};
    m31ri_frame frames[M31RI_RING_STACK];
    if (stack != NULL) {
        m31ri_rings_places(rs, stack, frames);
        f = (front){STEP_BYTES + stack->n * (uint32_t)sizeof *frames, M31R_NO_STEP, stack->n,
                    frames};
    }
    m31ri_thread_ring *t = ring_of(rs);
    if (t == NULL) {
        return M31R_E_CLOSED;
    }
    note_ring(lane, t);
    bool is_shared = t->owner == 0;
    if (is_shared) {
        pthread_mutex_lock(&rs->shared_lock);
    }
    m31r_err err = put_line(rs, t, lane, parts, &f);
    if (is_shared) {
        pthread_mutex_unlock(&rs->shared_lock);
    }
    return err == M31R_OK && parts->level >= M31R_CRITICAL ? m31ri_rings_sync(rs) : err;
}
