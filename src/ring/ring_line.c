/* ring_line.c - a line from its call site's prepared text and its values.
 *
 *     {"ts":"  2026-11-23T10:26:51.123456Z  ","level":"INFO","module":"trainer","msg":"step"
 *     head     time                          ,"step":  1024  ,"loss":  1.23  }\n
 *                                            keys[0]          keys[1]
 *
 * Texts are kept with 16 bytes of slack behind them and copied 16 at a time: the line's buffer has
 * room for the longest line before anything is written, so no copy is checked.
 */
#include "ring/ring_line.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "format/json_text.h"
#include "format/json_text_int.h"
#include "format/number.h"
#include "format/point.h"
#include "format/record.h"
#include "format/timestamp.h"
#include "m31r/metric.h"
#include "ring/ring_stack.h"

#define HEAD "{\"ts\":\""
#define HEAD_BYTES 7
#define SLACK 16
#define SHORT_STRING 1024     /* longer ones take the general way */
#define LINE_ROOM (32 * 1024) /* more than any line made the short way */
#define PIECE_BYTES 8192      /* prepared text of one call site */

/* The constant text of one call site under one logger. */
typedef struct prepared {
    uint32_t site, logger;
    bool is_plain; /* nothing renamed, cut or redacted in the constant text */
    uint16_t n_keys;
    uint16_t key_at[M31RI_SITE_KEYS + 1], key_length[M31RI_SITE_KEYS + 1]; /* one more: the rest */
    m31ri_key_verdict verdicts[M31RI_SITE_KEYS + 1]; /* what the privacy rules say of each key */
    char text[PIECE_BYTES + SLACK];
} prepared;

struct m31ri_line_maker {
    const m31ri_dictionary *dictionary;
    const m31ri_privacy *privacy;
    prepared **by_site; /* the newest of each site; most sites have one logger */
    uint32_t room_sites;
    m31ri_buf scrubbed;
    m31ri_buf stack;
    m31ri_names *names; /* NULL until there is a stack */
    int64_t second;     /* whose text is in `time` */
    char time[M31RI_TIMESTAMP_BYTES + 1];
};

m31ri_line_maker *m31ri_line_maker_new(const m31ri_dictionary *dictionary,
                                       const m31ri_privacy *privacy)
{
    m31ri_line_maker *m = m31ri_calloc(1, sizeof *m);
    if (m != NULL) {
        m->dictionary = dictionary;
        m->privacy = privacy;
        m->second = -1;
    }
    return m;
}

void m31ri_line_maker_free(m31ri_line_maker *m)
{
    if (m != NULL) {
        for (uint32_t i = 0; i < m->room_sites; i++) {
            m31ri_free(m->by_site[i]);
        }
        m31ri_free(m->by_site);
        m31ri_buf_release(&m->scrubbed);
        m31ri_buf_release(&m->stack);
        m31ri_names_free(m->names);
        m31ri_free(m);
    }
}

static const char *redact(void *context, const char *key, size_t key_length, const char *value,
                          size_t length, size_t *out_length)
{
    m31ri_line_maker *m = context;
    m31ri_buf_clear(&m->scrubbed);
    if (m31ri_privacy_clean(m->privacy, m31ri_privacy_judge(m->privacy, key, key_length), value,
                            length, &m->scrubbed) == 0) {
        return NULL;
    }
    *out_length = m->scrubbed.length;
    return m31ri_buf_str(&m->scrubbed);
}

/* The values of a record with their text, from the bytes behind its header. */
static bool read_values(const m31ri_site_entry *site, const char *at, size_t left,
                        m31r_value values[M31RI_SITE_KEYS])
{
    size_t fixed = (size_t)site->n_keys * 8;
    if (left < fixed) {
        return false;
    }
    const char *text = at + fixed;
    left -= fixed;
    for (uint32_t i = 0; i < site->n_keys; i++) {
        uint64_t bits;
        memcpy(&bits, at + (size_t)i * 8, 8);
        values[i] = (m31r_value){.type = site->types[i]};
        values[i].as.u = bits;
        if (site->types[i] != M31R_T_STRING) {
            continue;
        }
        if (bits == M31RI_PUT_NULL) {
            values[i].type = M31R_T_NULL;
        } else if (bits == M31RI_PUT_DENIED) {
            values[i] = m31r_text("denied", 6); /* the key alone makes it a marker */
        } else if (bits > left) {
            return false;
        } else {
            values[i] = m31r_text(text, bits);
            text += bits;
            left -= bits;
        }
    }
    return true;
}

/* The general way. */
static bool write_slowly(m31ri_line_maker *m, const m31ri_put *p, const m31ri_site_entry *site,
                         const m31r_value *step, const m31r_value *values, int64_t wall_ns,
                         m31ri_buf *out)
{
    const m31ri_redactor redactor = {redact, m};
    m31r_value keys[M31RI_SITE_KEYS + 1];
    m31r_value all[M31RI_SITE_KEYS + 1];
    size_t n = 0;
    if (step != NULL) {
        keys[n] = m31r_text("step", 4);
        all[n++] = *step;
    }
    for (uint32_t i = 0; i < site->n_keys; i++) {
        keys[n] = m31r_text(site->keys[i].s, site->keys[i].length);
        all[n++] = values[i];
    }
    const m31ri_text module = m->dictionary->loggers[p->logger].module;
    const m31ri_record_parts parts = {.wall_ns = wall_ns,
                                      .level = (m31r_level)site->level,
                                      .module = module.s,
                                      .module_length = module.length,
                                      .message = site->message.s,
                                      .message_length = site->message.length,
                                      .keys = keys,
                                      .values = all,
                                      .n = n};
    m31ri_record_write(out, &parts, m->privacy != NULL ? &redactor : NULL, NULL);
    return true;
}

/* The line of the site with every value null tells what is constant: the general encoder decides
 * about renaming, cutting and redacting, and here its text is taken apart at the nulls. */
static bool prepare_text(m31ri_line_maker *m, const m31ri_put *p, const m31ri_site_entry *site,
                         prepared *out)
{
    m31r_value nulls[M31RI_SITE_KEYS];
    const m31r_value null_value = {0};
    m31ri_buf line = M31RI_BUF_INIT;
    bool has_step = p->kind == M31RI_PUT_STEP;
    memset(nulls, 0, sizeof nulls);
    write_slowly(m, p, site, has_step ? &null_value : NULL, nulls, 0, &line);
    const char *at = line.data + HEAD_BYTES + M31RI_TIMESTAMP_BYTES;
    const char *end = line.data + line.length - 2; /* before "}\n" */
    bool is_plain = !line.failed && line.length - HEAD_BYTES < PIECE_BYTES;
    uint32_t n = site->n_keys + has_step;
    is_plain = is_plain && n <= M31RI_SITE_KEYS; /* a step's own key may be one too many */
    for (uint32_t i = 0; is_plain && i < n; i++) {
        const char *stop = memmem(at, (size_t)(end - at), ":null", 5);
        if (stop == NULL) {
            is_plain = false;
            break;
        }
        out->key_at[i] = (uint16_t)(at - line.data);
        out->key_length[i] = (uint16_t)(stop + 1 - at);
        at = stop + 5;
    }
    is_plain = is_plain && (n == 0 || at == end); /* else counters: the keys were renamed */
    if (is_plain) {
        memcpy(out->text, line.data, line.length);
        out->key_at[n] = (uint16_t)(at - line.data);
        out->key_length[n] = (uint16_t)(end - at);
    }
    out->n_keys = (uint16_t)n;
    m31ri_buf_release(&line);
    return is_plain;
}

/* A message or a key that holds ":null" would be taken apart wrongly. */
static bool is_divisible(const m31ri_site_entry *site)
{
    bool has_null = memmem(site->message.s, site->message.length, ":null", 5) != NULL;
    for (uint32_t i = 0; i < site->n_keys && !has_null; i++) {
        has_null = memmem(site->keys[i].s, site->keys[i].length, ":null", 5) != NULL;
    }
    return !has_null;
}

static bool has_room_for(m31ri_line_maker *m, uint32_t site)
{
    if (site < m->room_sites) {
        return true;
    }
    uint32_t room = m->room_sites == 0 ? 64 : m->room_sites * 2;
    while (room <= site) {
        room *= 2;
    }
    prepared **table = m31ri_calloc(room, sizeof *table);
    if (table == NULL) {
        return false;
    }
    if (m->by_site != NULL) {
        memcpy(table, m->by_site, m->room_sites * sizeof *table);
    }
    m31ri_free(m->by_site);
    m->by_site = table;
    m->room_sites = room;
    return true;
}

/* The prepared text of the record's site, made at its first record; NULL when memory is out. */
static const prepared *prepared_for(m31ri_line_maker *m, const m31ri_put *p,
                                    const m31ri_site_entry *site)
{
    if (p->site < m->room_sites && m->by_site[p->site] != NULL &&
        m->by_site[p->site]->logger == p->logger) {
        return m->by_site[p->site];
    }
    if (!has_room_for(m, p->site)) {
        return NULL;
    }
    prepared *fresh = m->by_site[p->site];
    if (fresh == NULL) {
        fresh = m31ri_calloc(1, sizeof *fresh);
    }
    if (fresh != NULL) {
        m->by_site[p->site] = fresh;
        fresh->site = p->site;
        fresh->logger = p->logger;
        fresh->is_plain = is_divisible(site) && prepare_text(m, p, site, fresh);
        uint32_t has_step = p->kind == M31RI_PUT_STEP; /* whose key says nothing */
        for (uint32_t i = 0; m->privacy != NULL && i < site->n_keys; i++) {
            if (i + has_step <= M31RI_SITE_KEYS) {
                fresh->verdicts[i + has_step] =
                    m31ri_privacy_judge(m->privacy, site->keys[i].s, site->keys[i].length);
            }
        }
    }
    return fresh;
}

static inline char *copy16(char *to, const char *from, size_t length)
{
    size_t i = 0;
    do {
        memcpy(to + i, from + i, SLACK);
        i += SLACK;
    } while (i < length);
    return to + length;
}

static const char two_digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";

/* The text of a time; only the fraction is made anew within a second. */
static const char *time_text(m31ri_line_maker *m, int64_t wall_ns)
{
    int64_t second = wall_ns / 1000000000;
    if (wall_ns < 0 || second != m->second) {
        m31ri_timestamp_write(wall_ns, m->time);
        m->second = wall_ns < 0 ? -1 : second;
        return m->time;
    }
    uint32_t us = (uint32_t)(wall_ns % 1000000000 / 1000);
    memcpy(m->time + 20, two_digits + us / 10000 * 2, 2);
    memcpy(m->time + 22, two_digits + us / 100 % 100 * 2, 2);
    memcpy(m->time + 24, two_digits + us % 100 * 2, 2);
    return m->time;
}

/* A value in its place; NULL when it must go the general way. */
static char *put_value(m31ri_line_maker *m, const m31r_value *v, m31ri_key_verdict key, char *to,
                       uint32_t *n_nonfinite)
{
    double d = v->type == M31R_T_FLOAT ? (double)v->as.f : v->as.d;
    switch (v->type) {
    case M31R_T_INT:
        return to + m31ri_number_write_int(v->as.i, to);
    case M31R_T_UINT:
        return to + m31ri_number_write_uint(v->as.u, to);
    case M31R_T_DOUBLE:
    case M31R_T_FLOAT:
        if (!isfinite(d)) {
            (*n_nonfinite)++;
            *to++ = '"';
            to += m31ri_number_write_double(d, to);
            *to++ = '"';
            return to;
        }
        return to + (v->type == M31R_T_FLOAT ? m31ri_number_write_float(v->as.f, to)
                                             : m31ri_number_write_double(v->as.d, to));
    case M31R_T_BOOL:
        memcpy(to, v->as.b ? "true" : "false", 5);
        return to + (v->as.b ? 4 : 5);
    case M31R_T_NULL:
        memcpy(to, "null", 4);
        return to + 4;
    default:
        break;
    }
    if (v->type != M31R_T_STRING || v->length > SHORT_STRING ||
        m31ri_json_plain_prefix(v->as.s, v->length) != v->length ||
        (m->privacy != NULL && !m31ri_privacy_is_clean(m->privacy, key, v->as.s, v->length))) {
        return NULL;
    }
    *to++ = '"';
    memcpy(to, v->as.s, v->length);
    to[v->length] = '"';
    return to + v->length + 1;
}

static bool write_fast(m31ri_line_maker *m, const prepared *text, const m31r_value *step,
                       const m31r_value *values, int64_t wall_ns, m31ri_buf *out)
{
    if (!m31ri_buf_reserve(out, LINE_ROOM)) {
        return false;
    }
    char *start = out->data + out->length;
    char *to = start;
    uint32_t n_nonfinite = 0;
    memcpy(to, HEAD, HEAD_BYTES);
    memcpy(to + HEAD_BYTES, time_text(m, wall_ns), M31RI_TIMESTAMP_BYTES);
    to += HEAD_BYTES + M31RI_TIMESTAMP_BYTES;
    uint32_t has_step = step != NULL;
    for (uint32_t i = 0; i < text->n_keys; i++) {
        const m31r_value *v = i < has_step ? step : &values[i - has_step];
        to = copy16(to, text->text + text->key_at[i], text->key_length[i]);
        to = put_value(m, v, text->verdicts[i], to, &n_nonfinite);
        if (to == NULL || to - start > LINE_ROOM - 2 * SHORT_STRING) {
            return false;
        }
    }
    to = copy16(to, text->text + text->key_at[text->n_keys], text->key_length[text->n_keys]);
    if (n_nonfinite != 0) {
        memcpy(to, ",\"nonfinite\":", 13);
        to += 13;
        to += m31ri_number_write_uint(n_nonfinite, to);
    }
    memcpy(to, "}\n", 2);
    out->length += (size_t)(to - start) + 2;
    out->data[out->length] = '\0';
    return true;
}

/* The text of a stack becomes the line's last field. */
static void add_stack(m31ri_line_maker *m, const m31ri_stack_view *stack, size_t line_at,
                      m31ri_buf *out)
{
    const m31ri_redactor redactor = {redact, m};
    if (m->names == NULL) {
        m->names = m31ri_names_new();
    }
    m31ri_buf_clear(&m->stack);
    m31ri_stack_text(m->names, m->dictionary, stack, &m->stack);
    m31ri_record_add_text(out, line_at, "stack", m31ri_buf_str(&m->stack), m->stack.length,
                          m->privacy != NULL ? &redactor : NULL);
}

void m31ri_line_made(m31ri_line_maker *m, const m31ri_record_parts *parts,
                     const m31ri_stack_view *stack, m31ri_buf *out)
{
    const m31ri_redactor redactor = {redact, m};
    size_t line_at = out->length;
    m31ri_record_write(out, parts, m->privacy != NULL ? &redactor : NULL, NULL);
    add_stack(m, stack, line_at, out);
}

/* Splits a record of a call site: its site and what lies behind the fixed part. */
static const m31ri_site_entry *site_of(const m31ri_line_maker *m, const m31ri_put *p,
                                       const char **at, size_t *left)
{
    const m31ri_dictionary *d = m->dictionary;
    m31ri_stack_view stack;
    size_t fixed = sizeof *p + (p->kind == M31RI_PUT_STEP ? 16 : 0);
    if (p->kind == M31RI_PUT_SITE_STACK && m31ri_stack_view_read(p, &stack)) {
        fixed += stack.bytes;
    } else if (p->kind == M31RI_PUT_SITE_STACK) {
        return NULL;
    }
    if (p->bytes < fixed || p->site == 0 || p->site > d->n_sites || p->logger == 0 ||
        p->logger > d->n_loggers) {
        return NULL;
    }
    *at = (const char *)p + fixed;
    *left = p->bytes - fixed;
    return &d->sites[p->site];
}

/* A line that was made by the caller; its time is the ring's. */
static bool write_line(m31ri_line_maker *m, const m31ri_put *p, size_t skip, int64_t wall_ns,
                       m31ri_buf *out)
{
    size_t left = p->bytes - sizeof *p - skip;
    uint64_t length = 0;
    if (left >= 8) {
        memcpy(&length, (const char *)p + sizeof *p + skip, 8);
    }
    const char *line = (const char *)p + sizeof *p + skip + 8;
    m31ri_record_head head;
    if (left < 8 || length > left - 8 || length > M31RI_RECORD_LIMIT ||
        length < HEAD_BYTES + M31RI_TIMESTAMP_BYTES + 2 || memcmp(line, HEAD, HEAD_BYTES) != 0 ||
        memchr(line, '\n', length) != line + length - 1 ||
        m31ri_record_read(line, length - 1, &head) != M31RI_JSON_OK) {
        return false;
    }
    size_t at = out->length;
    m31ri_buf_add(out, line, length);
    if (m31ri_buf_ok(out)) {
        memcpy(out->data + at + HEAD_BYTES, time_text(m, wall_ns), M31RI_TIMESTAMP_BYTES);
    }
    return true;
}

static bool write_site(m31ri_line_maker *m, const m31ri_put *p, int64_t wall_ns, m31ri_buf *out)
{
    m31r_value values[M31RI_SITE_KEYS];
    const char *at;
    size_t left;
    const m31ri_site_entry *site = site_of(m, p, &at, &left);
    if (site == NULL || !read_values(site, at, left, values)) {
        return false;
    }
    m31r_value step = {.type = M31R_T_INT};
    bool has_step = p->kind != M31RI_PUT_SITE;
    if (has_step) {
        memcpy(&step.as.i, (const char *)p + sizeof *p, 8);
        has_step = p->kind == M31RI_PUT_STEP || step.as.i != M31R_NO_STEP;
    }
    const prepared *text = prepared_for(m, p, site);
    if (text != NULL && text->is_plain && text->n_keys == site->n_keys + has_step &&
        write_fast(m, text, has_step ? &step : NULL, values, wall_ns, out)) {
        return true;
    }
    return write_slowly(m, p, site, has_step ? &step : NULL, values, wall_ns, out);
}

bool m31ri_line_write(m31ri_line_maker *m, const m31ri_put *p, int64_t wall_ns, m31ri_buf *out)
{
    m31ri_stack_view stack = {.n = 0};
    bool has_stack = p->kind == M31RI_PUT_SITE_STACK || p->kind == M31RI_PUT_LINE_STACK;
    size_t line_at = out->length;
    if (has_stack && !m31ri_stack_view_read(p, &stack)) {
        return false;
    }
    bool is_line = p->kind == M31RI_PUT_LINE || p->kind == M31RI_PUT_LINE_STACK;
    bool is_made =
        is_line ? write_line(m, p, stack.bytes, wall_ns, out) : write_site(m, p, wall_ns, out);
    if (is_made && stack.n != 0) {
        add_stack(m, &stack, line_at, out);
    }
    return is_made;
}

static bool number_of(const m31r_value *v, m31ri_point *out)
{
    out->is_float = v->type == M31R_T_FLOAT;
    out->value = v->type == M31R_T_INT     ? (double)v->as.i
                 : v->type == M31R_T_UINT  ? (double)v->as.u
                 : v->type == M31R_T_FLOAT ? (double)v->as.f
                                           : v->as.d;
    return v->type >= M31R_T_INT && v->type <= M31R_T_FLOAT;
}

static int step_points(m31ri_line_maker *m, const m31ri_put *p, int64_t wall_ns, m31ri_buf *out)
{
    m31r_value values[M31RI_SITE_KEYS];
    const char *at;
    size_t left;
    const m31ri_site_entry *site = site_of(m, p, &at, &left);
    if (site == NULL || !read_values(site, at, left, values)) {
        return -1;
    }
    int n = 0;
    m31ri_point point = {.wall_ns = wall_ns};
    uint64_t segment;
    memcpy(&point.step, (const char *)p + sizeof *p, 8);
    memcpy(&segment, (const char *)p + sizeof *p + 8, 8);
    point.step = point.step >= 0 ? point.step : M31R_NO_STEP;
    point.segment = (uint32_t)segment;
    for (uint32_t i = 0; i < site->n_keys; i++) {
        point.name = site->keys[i].s;
        point.name_length = site->keys[i].length;
        if (site->is_name[i] && number_of(&values[i], &point)) {
            m31ri_point_write(out, &point);
            n++;
        }
    }
    return n;
}

int m31ri_line_points(m31ri_line_maker *m, const m31ri_put *p, int64_t wall_ns, m31ri_buf *out)
{
    if (p->kind == M31RI_PUT_STEP) {
        return step_points(m, p, wall_ns, out);
    }
    const m31ri_dictionary *d = m->dictionary;
    if (p->kind != M31RI_PUT_POINT || p->bytes != sizeof *p + 24 || p->site == 0 ||
        p->site > d->n_metrics) {
        return -1;
    }
    const char *at = (const char *)p + sizeof *p;
    m31ri_point point = {.wall_ns = wall_ns,
                         .name = d->metrics[p->site].s,
                         .name_length = d->metrics[p->site].length};
    memcpy(&point.step, at, 8);
    memcpy(&point.value, at + 8, 8);
    memcpy(&point.segment, at + 16, 4);
    uint32_t is_float;
    memcpy(&is_float, at + 20, 4);
    point.is_float = is_float != 0;
    m31ri_point_write(out, &point);
    return 1;
}

uint32_t m31ri_line_lane(const m31ri_line_maker *m, const m31ri_put *p)
{
    const m31ri_dictionary *d = m->dictionary;
    if (p->kind == M31RI_PUT_LINE || p->kind == M31RI_PUT_LINE_STACK) {
        return p->logger <= d->n_lanes ? p->logger : 0;
    }
    bool has_logger =
        p->kind == M31RI_PUT_SITE || p->kind == M31RI_PUT_STEP || p->kind == M31RI_PUT_SITE_STACK;
    return has_logger && p->logger != 0 && p->logger <= d->n_loggers ? d->loggers[p->logger].lane
                                                                     : 0;
}
