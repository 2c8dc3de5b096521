/* record.h - a record as bytes: one line of JSON, made and read here and nowhere else.
 *
 *     {"ts":"2026-11-23T10:26:51.123456Z","level":"INFO","module":"trainer","msg":"step_complete",
 *      "step":1024,"loss":1.23}                          (one line; docs/FORMAT.md has every rule)
 *
 * Making one is a pure function of its parts, so that the same parts always give the same bytes.
 */
#ifndef M31RI_RECORD_H
#define M31RI_RECORD_H

#include "base/buf.h"
#include "format/json_read.h"
#include "m31r/log.h"
#include "m31r/value.h"

#define M31RI_RECORD_LIMIT (64 * 1024) /* bytes of a line, newline included */
#define M31RI_KEY_LIMIT 256 /* bytes of a context key; longer ones are cut, "..." behind them */

/* Bits of m31ri_record_report: what had to be done to a record to make it fit the form. */
typedef struct m31ri_record_report {
    uint32_t n_cut;       /* values cut: the record ends in "cut":n */
    uint32_t n_renamed;   /* keys renamed: "renamed":n */
    uint32_t n_nonfinite; /* NaN or infinities among the values: kept as strings; "nonfinite":n */
    uint32_t n_redacted;  /* values replaced by [redacted:kind]: "redacted":n */
    uint32_t n_dropped;   /* whole fields left out because the line was full: "fields_dropped":n */
} m31ri_record_report;

/* What may be asked about each string value before it is written: the privacy rules (src/rules)
 * stand behind it. Returns the text to write instead (valid until the next call) with its length in
 * `*out_length`, or NULL to keep `value` as it is. `key` is the field's key ("msg" for the
 * message). */
typedef struct m31ri_redactor {
    const char *(*redact)(void *context, const char *key, size_t key_length, const char *value,
                          size_t length, size_t *out_length);
    void *context;
} m31ri_redactor;

typedef struct m31ri_record_parts {
    int64_t wall_ns;
    m31r_level level;
    const char *module;
    size_t module_length;
    const char *message;
    size_t message_length;
    const m31r_value *keys;   /* n string values */
    const m31r_value *values; /* n values */
    size_t n;
} m31ri_record_parts;

/* Appends the record's line with its newline to `out`, never longer than M31RI_RECORD_LIMIT: string
 * values that do not fit are cut (at a character; with a redactor, before the token that the cut
 * would go through) so that the fields after them find room, and counted; fields that find none are
 * dropped and counted. Keys that are empty, doubled or reserved (the mandatory four and the
 * counters) are renamed "ctx_<key>" (then "ctx2_..."). The counters of `report` that are not 0
 * stand at the record's end, in the order of the struct. A level between two is written as the
 * lower one. `redactor` and `report` may be NULL. */
void m31ri_record_write(m31ri_buf *out, const m31ri_record_parts *parts,
                        const m31ri_redactor *redactor, m31ri_record_report *report);

/* Puts one string field more behind those of a whole line, the last one of `out`, which begins at
 * `start`: `key` is plain and not in the line. Cut, redacted and counted as any other field. */
void m31ri_record_add_text(m31ri_buf *out, size_t start, const char *key, const char *text,
                           size_t length, const m31ri_redactor *redactor);

/* The mandatory fields of a line that was read. Strings are unescaped only when the flag in
 * `member` says so. */
typedef struct m31ri_record_head {
    int64_t wall_ns;                                   /* INT64_MIN when missing or not a time */
    m31r_level level;                                  /* 0 when missing or unknown */
    m31ri_json_member ts, level_text, module, message; /* value NULL when missing or not a string */
    bool has_step;
    int64_t step;
} m31ri_record_head;

/* The level that a record's text names, in any case of letters; 0 when it is none. */
m31r_level m31ri_record_level(const char *name, size_t length);

/* Reads a line (without its newline; a trailing CR is accepted). Class as json_read; on OK the head
 * is filled. */
m31ri_json_class m31ri_record_read(const char *line, size_t length, m31ri_record_head *head);

#endif
