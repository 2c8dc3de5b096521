/* record.c - the one place where a record becomes bytes.
 *
 * The encoder writes straight into the caller's buffer and looks at nothing but its arguments, so
 * that recovery, which encodes again, gets the same bytes. It allocates nothing itself. The line
 * has a limit, from which room for the counters at its end is set aside first: each field is
 * written, and taken back when it does not fit. A string that does not fit is cut so that the
 * fields after it still find room.
 *
 * Invariant: whatever comes in, the line is one valid JSON object with unique keys and the four
 * mandatory fields first. Keys are compared as they were written: the escaped form of a key is
 * unique, and equal text escapes equally.
 */
#include "format/record.h"

#include <math.h>
#include <string.h>

#include "format/json_text.h"
#include "format/json_text_int.h"
#include "format/number.h"
#include "format/timestamp.h"

#define MODULE_LIMIT 256        /* bytes of a written module name; callers allow fewer */
#define TRAILER_LIMIT 128       /* five counters of ten digits with their keys, and "}\n": 113 */
#define LATER_LIMIT (16 * 1024) /* the most that a long value leaves to the fields after it */
#define LATER_VALUE 64          /* of which each string counts so much */
#define SHORTEST_SECRET 6       /* characters: no name is shorter and holds one */
#define SHORTEST_CUT 16         /* a string cut to less is dropped with its key */
#define TOKEN_LIMIT 1024        /* a longer token is cut through */
#define KEYS_LISTED 64          /* so many are looked through; more are hashed */
#define KEY_SLOTS 16384  /* twice the keys that fit into a line, at 7 bytes a field, and a bit */
#define PREFIXES_TRIED 8 /* ctx_ to ctx8_; then the field's own place gives the number */

typedef struct writer {
    m31ri_buf *out;
    size_t start; /* of the line in `out` */
    const m31ri_record_parts *parts;
    const m31ri_redactor *redactor;
    m31ri_record_report report;
    /* Where the context's keys start in the line, which is shorter than 64 KiB: a list of n_keys,
     * or, when there are many fields, a hash table with 0 for a free slot. A key ends at its quote.
     */
    uint16_t *keys;
    size_t n_keys;
    bool is_hashed;
} writer;

static const char *level_name(m31r_level level)
{
    return level >= M31R_CRITICAL  ? "CRITICAL"
           : level >= M31R_ERROR   ? "ERROR"
           : level >= M31R_WARNING ? "WARNING"
           : level >= M31R_INFO    ? "INFO"
                                   : "DEBUG";
}

static size_t line_length(const writer *w)
{
    return w->out->length - w->start;
}

/* Bytes that may still be written before the trailer. */
static size_t room(const writer *w)
{
    size_t used = line_length(w) + TRAILER_LIMIT;
    return used < M31RI_RECORD_LIMIT ? M31RI_RECORD_LIMIT - used : 0;
}

static void take_back(writer *w, size_t length)
{
    if (w->out->length > length) {
        w->out->length = length;
        w->out->data[length] = '\0';
    }
}

/* What the fields from `next` on are worth keeping free, when a string before them is long. */
static size_t needed_later(const writer *w, size_t next)
{
    size_t need = 0;
    for (size_t i = next; i < w->parts->n && need < LATER_LIMIT; i++) {
        const m31r_value *v = &w->parts->values[i];
        size_t key = w->parts->keys[i].length;
        need += 8 + (key < M31RI_KEY_LIMIT ? key : M31RI_KEY_LIMIT);
        need += v->type != M31R_T_STRING ? 24 : v->length < LATER_VALUE ? v->length : LATER_VALUE;
    }
    size_t half = room(w) / 2;
    need = need < LATER_LIMIT ? need : LATER_LIMIT;
    return need < half ? need : half;
}

static bool is_token_byte(char c)
{
    return (unsigned char)c > ' ' && strchr(",;\"'", c) == NULL;
}

/* Where to cut `s` at or before `cut` so that no token is cut through. */
static size_t before_token(const char *s, size_t cut)
{
    if (!is_token_byte(s[cut])) {
        return cut;
    }
    size_t back = 0;
    while (back < cut && back < TOKEN_LIMIT && is_token_byte(s[cut - back - 1])) {
        back++;
    }
    return back < TOKEN_LIMIT ? cut - back : cut;
}

/* Writes a string with its quotes, cut when it is longer than what is free less what the fields
 * from `next` on need. False when there is no room worth using; the caller takes back what was
 * written. */
static bool write_string(writer *w, const char *s, size_t length, size_t next)
{
    size_t free_bytes = room(w);
    if (free_bytes < 2) {
        return false;
    }
    size_t limit = free_bytes - 2;
    m31ri_buf_add_char(w->out, '"');
    size_t body = w->out->length;
    if (length > limit / 6) {
        size_t later = needed_later(w, next);
        limit -= later < limit ? later : limit;
    }
    size_t used = m31ri_json_escape_within(w->out, s, length, limit);
    if (used < length) {
        if (limit < SHORTEST_CUT) {
            return false;
        }
        size_t cut = w->redactor != NULL ? before_token(s, used) : used;
        if (cut < used) {
            take_back(w, body);
            (void)m31ri_json_escape_within(w->out, s, cut, limit);
        }
        w->report.n_cut++;
    }
    m31ri_buf_add_char(w->out, '"');
    return true;
}

/* A string that the privacy rules are asked about first. */
static bool write_judged(writer *w, const m31r_value *key, const char *s, size_t length,
                         size_t next)
{
    if (w->redactor != NULL && w->redactor->redact != NULL) {
        size_t new_length = 0;
        const char *text = w->redactor->redact(w->redactor->context, key->as.s, key->length, s,
                                               length, &new_length);
        if (text != NULL) {
            w->report.n_redacted++;
            s = text;
            length = new_length;
        }
    }
    return write_string(w, s, length, next);
}

/* A name that came in is text too: what must not be in a value must not be in it. Returns the text
 * to write, which dies at the next question to the rules. */
static m31r_value judged_name(writer *w, m31r_value name)
{
    size_t length = 0;
    const char *text = NULL;
    if (w->redactor != NULL && w->redactor->redact != NULL && name.length >= SHORTEST_SECRET) {
        text = w->redactor->redact(w->redactor->context, "", 0, name.as.s, name.length, &length);
    }
    w->report.n_redacted += text != NULL;
    return text != NULL ? m31r_text(text, length) : name;
}

static bool write_bytes(writer *w, const char *s, size_t length)
{
    if (length > room(w)) {
        return false;
    }
    m31ri_buf_add(w->out, s, length);
    return true;
}

/* A number; one that JSON has no form for goes into quotes and is counted. */
static bool write_real(writer *w, const m31r_value *v)
{
    char text[M31RI_NUMBER_BYTES + 2];
    bool finite = v->type == M31R_T_FLOAT ? isfinite(v->as.f) != 0 : isfinite(v->as.d) != 0;
    size_t n = v->type == M31R_T_FLOAT ? m31ri_number_write_float(v->as.f, text + 1)
                                       : m31ri_number_write_double(v->as.d, text + 1);
    if (finite) {
        return write_bytes(w, text + 1, n);
    }
    w->report.n_nonfinite++;
    text[0] = '"';
    text[n + 1] = '"';
    return write_bytes(w, text, n + 2);
}

static bool write_value(writer *w, const m31r_value *key, const m31r_value *v, size_t next)
{
    static const char sensitive[] = "\"[redacted:sensitive]\"";
    char text[M31RI_NUMBER_BYTES];
    switch (v->type) {
    case M31R_T_BOOL:
        return v->as.b ? write_bytes(w, "true", 4) : write_bytes(w, "false", 5);
    case M31R_T_INT:
        return write_bytes(w, text, m31ri_number_write_int(v->as.i, text));
    case M31R_T_UINT:
        return write_bytes(w, text, m31ri_number_write_uint(v->as.u, text));
    case M31R_T_DOUBLE:
    case M31R_T_FLOAT:
        return write_real(w, v);
    case M31R_T_STRING:
        return write_judged(w, key, v->as.s, v->length, next);
    case M31R_T_SENSITIVE:
        w->report.n_redacted++;
        return write_bytes(w, sensitive, sizeof sensitive - 1);
    default:
        return write_bytes(w, "null", 4);
    }
}

static bool is_reserved(const char *key, size_t length)
{
    static const struct {
        const char *name;
        size_t length;
    } names[] = {
        {"ts", 2},        {"level", 5},    {"module", 6},
        {"msg", 3},       {"cut", 3},      {"renamed", 7},
        {"nonfinite", 9}, {"redacted", 8}, {"fields_dropped", 14},
    };
    if (length == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].length == length && memcmp(names[i].name, key, length) == 0) {
            return true;
        }
    }
    return false;
}

/* A written key holds whole escapes only, so that a quote behind the same bytes is the end of the
 * same key. */
static bool is_key_at(const writer *w, uint16_t place, const char *key, size_t length)
{
    const char *there = w->out->data + w->start + place;
    return memcmp(there, key, length) == 0 && there[length] == '"';
}

/* The slot of a key: its own, or the free one where it would go. */
static uint16_t *find_slot(const writer *w, const char *key, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)key[i]) * 0x100000001b3u;
    }
    size_t slot = (hash ^ hash >> 32) % KEY_SLOTS;
    while (w->keys[slot] != 0 && !is_key_at(w, w->keys[slot], key, length)) {
        slot = (slot + 1) % KEY_SLOTS;
    }
    return &w->keys[slot];
}

/* True when the key that was just written, from `at` to the end of the buffer, stands in the line
 * before. */
static bool is_taken(const writer *w, size_t at)
{
    const char *key = w->out->data + at;
    size_t length = w->out->length - at;
    if (w->is_hashed) {
        return *find_slot(w, key, length) != 0;
    }
    for (size_t i = 0; i < w->n_keys; i++) {
        if (is_key_at(w, w->keys[i], key, length)) {
            return true;
        }
    }
    return false;
}

/* Remembers the key from `at` on; its field has been written. */
static void list_key(writer *w, size_t at, size_t length)
{
    uint16_t *slot = w->is_hashed ? find_slot(w, w->out->data + at, length) : &w->keys[w->n_keys];
    *slot = (uint16_t)(at - w->start);
    w->n_keys++;
}

/* Appends the key's text with what is put before it; false when there is no room. */
static bool write_key_text(writer *w, size_t attempt, const m31r_value *key)
{
    if (attempt > 0) {
        char prefix[M31RI_NUMBER_BYTES] = "ctx";
        size_t n = 3;
        n += attempt > 1 ? m31ri_number_write_uint(attempt, prefix + n) : 0;
        prefix[n++] = '_';
        if (!write_bytes(w, prefix, n)) {
            return false;
        }
    }
    bool is_long = key->length > M31RI_KEY_LIMIT;
    size_t kept =
        is_long ? m31ri_utf8_cut(key->as.s, key->length, M31RI_KEY_LIMIT - 3) : key->length;
    return m31ri_json_escape_within(w->out, key->as.s, kept, room(w)) == kept &&
           (!is_long || write_bytes(w, "...", 3));
}

/* The key of field `i`, under the first name that is free. A key that comes a thousand times is not
 * tried under a thousand names each time: after a few, the number is that of a field, which no
 * other field takes. */
static bool write_key(writer *w, const m31r_value *key, size_t i)
{
    size_t at = w->out->length;
    bool renamed = key->length > M31RI_KEY_LIMIT;
    for (size_t attempt = 0;; attempt += attempt == PREFIXES_TRIED ? i + 1 : 1) {
        if (!write_key_text(w, attempt, key) || !m31ri_buf_ok(w->out)) {
            return false;
        }
        if (!is_reserved(w->out->data + at, w->out->length - at) && !is_taken(w, at)) {
            break;
        }
        renamed = true;
        take_back(w, at);
    }
    w->report.n_renamed += renamed;
    return true;
}

/* One field, whole or not at all. */
static void write_field(writer *w, size_t i)
{
    m31r_value key = w->parts->keys[i];
    if (key.type != M31R_T_STRING || key.as.s == NULL) {
        key = m31r_of_string("");
    }
    size_t before = w->out->length;
    size_t at = before + 2; /* behind the comma and the quote */
    m31ri_record_report report = w->report;
    m31r_value written = judged_name(w, key);
    if (write_bytes(w, ",\"", 2) && write_key(w, &written, i)) {
        size_t length = w->out->length - at;
        if (write_bytes(w, "\":", 2) && write_value(w, &key, &w->parts->values[i], i + 1) &&
            m31ri_buf_ok(w->out)) {
            list_key(w, at, length);
            return;
        }
    }
    take_back(w, before);
    w->report = report;
    w->report.n_dropped++;
}

static void write_head(writer *w)
{
    const m31ri_record_parts *parts = w->parts;
    char ts[M31RI_TIMESTAMP_BYTES + 1];
    m31ri_timestamp_write(parts->wall_ns, ts);
    m31ri_buf_add_str(w->out, "{\"ts\":\"");
    m31ri_buf_add(w->out, ts, M31RI_TIMESTAMP_BYTES);
    m31ri_buf_add_str(w->out, "\",\"level\":\"");
    m31ri_buf_add_str(w->out, level_name(parts->level));
    m31ri_buf_add_str(w->out, "\",\"module\":\"");
    m31r_value module = judged_name(w, m31r_text(parts->module, parts->module_length));
    (void)m31ri_json_escape_within(w->out, module.as.s, module.length, MODULE_LIMIT);
    m31ri_buf_add_str(w->out, "\",\"msg\":");
    m31r_value key = m31r_text("msg", 3);
    (void)write_judged(w, &key, parts->message, parts->message_length, 0);
}

typedef struct counter {
    const char *text;
    uint32_t *n;
} counter;

#define COUNTERS 5

static void counters_of(writer *w, counter out[COUNTERS])
{
    out[0] = (counter){",\"cut\":", &w->report.n_cut};
    out[1] = (counter){",\"renamed\":", &w->report.n_renamed};
    out[2] = (counter){",\"nonfinite\":", &w->report.n_nonfinite};
    out[3] = (counter){",\"redacted\":", &w->report.n_redacted};
    out[4] = (counter){",\"fields_dropped\":", &w->report.n_dropped};
}

static void write_trailer(writer *w)
{
    counter counters[COUNTERS];
    counters_of(w, counters);
    for (size_t i = 0; i < COUNTERS; i++) {
        if (*counters[i].n != 0) {
            char text[M31RI_NUMBER_BYTES];
            m31ri_buf_add_str(w->out, counters[i].text);
            m31ri_buf_add(w->out, text, m31ri_number_write_uint(*counters[i].n, text));
        }
    }
    m31ri_buf_add(w->out, "}\n", 2);
}

static void write_line(writer *w)
{
    write_head(w);
    for (size_t i = 0; i < w->parts->n; i++) {
        write_field(w, i);
    }
    write_trailer(w);
}

/* Apart, so that only a record of many fields takes the table's stack. */
__attribute__((noinline)) static void write_wide_line(writer *w)
{
    uint16_t slots[KEY_SLOTS] = {0};
    w->keys = slots;
    w->is_hashed = true;
    write_line(w);
}

void m31ri_record_write(m31ri_buf *out, const m31ri_record_parts *parts,
                        const m31ri_redactor *redactor, m31ri_record_report *report)
{
    uint16_t places[KEYS_LISTED];
    writer w = {.out = out, .start = out->length, .parts = parts, .redactor = redactor};
    w.keys = places;
    if (parts->n > KEYS_LISTED) {
        write_wide_line(&w);
    } else {
        write_line(&w);
    }
    if (report != NULL) {
        *report = w.report;
    }
}

/* Takes the trailer off a whole line, its counters into the report. No field looks like a counter:
 * their names are reserved. */
static void take_trailer(writer *w)
{
    counter counters[COUNTERS];
    counters_of(w, counters);
    take_back(w, w->out->length - 2);
    for (size_t i = COUNTERS; i-- > 0;) {
        const char *line = w->out->data + w->start;
        size_t end = line_length(w), digits = end, name = strlen(counters[i].text);
        uint32_t n = 0, place = 1;
        while (digits > name && line[digits - 1] >= '0' && line[digits - 1] <= '9') {
            n += (uint32_t)(line[--digits] - '0') * place;
            place *= 10;
        }
        if (digits < end && digits > name &&
            memcmp(line + digits - name, counters[i].text, name) == 0) {
            *counters[i].n = n;
            take_back(w, w->start + digits - name);
        }
    }
}

void m31ri_record_add_text(m31ri_buf *out, size_t start, const char *key, const char *text,
                           size_t length, const m31ri_redactor *redactor)
{
    static const m31ri_record_parts no_parts;
    writer w = {.out = out, .start = start, .parts = &no_parts, .redactor = redactor};
    m31r_value name = m31r_of_string(key);
    if (!m31ri_buf_ok(out) || line_length(&w) < 2) {
        return;
    }
    take_trailer(&w);
    size_t before = out->length;
    m31ri_record_report report = w.report;
    if (!write_bytes(&w, ",\"", 2) || !write_bytes(&w, key, name.length) ||
        !write_bytes(&w, "\":", 2) || !write_judged(&w, &name, text, length, 0)) {
        take_back(&w, before);
        w.report = report;
        w.report.n_dropped++;
    }
    write_trailer(&w);
}
