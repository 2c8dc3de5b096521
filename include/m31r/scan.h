/* scan.h - records read back, one after another, from a run's lanes, a file or a stream.
 *
 * A scan streams: memory is bounded by the longest line, whatever the size. A lane is read with all
 * that was rotated away and compressed of it as one file, and its lines are counted through. Lines
 * that are no records are skipped and counted by class, and a line torn at the end is left out and
 * said; nothing is guessed or mended. Several lanes come merged by ts with each lane's own order
 * kept. It is not a query engine: what to keep is a filter that is given at the start, so that a
 * faster way to find it can stand beneath without a change here.
 *
 * Invariants: a record's view points into the scan and dies at the next call. A scan never writes.
 *
 *     m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
 *     options.filter.min_level = M31R_WARNING;
 *     m31r_scan_open_run(&scan, reader, &options, &e);
 *     while (m31r_scan_next(scan, &record, &e) == M31R_OK) {
 *         fwrite(record.line, 1, record.length, stdout);
 *     }
 *     m31r_scan_close(scan);
 *
 * One thread at a time for each scan; different scans are independent.
 */
#ifndef M31R_SCAN_H
#define M31R_SCAN_H

#include <stdio.h>

#include "m31r/expr.h"
#include "m31r/log.h"
#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_SCAN_LINE_LIMIT (16 * 1024 * 1024) /* bytes; longer lines are skipped and counted */
#define M31R_SCAN_TAIL_LIMIT 100000             /* records that `tail` can ask for */

typedef struct m31r_scan m31r_scan;

/* What a line turned out to be. The numbers are pinned. */
typedef enum m31r_line_class {
    M31R_LINE_OK = 0,
    M31R_LINE_EMPTY = 1,
    M31R_LINE_NOT_JSON = 2,
    M31R_LINE_NOT_OBJECT = 3,
    M31R_LINE_INVALID_UTF8 = 4,
    M31R_LINE_TOO_DEEP = 5,
    M31R_LINE_DUP_KEY = 6,
    M31R_LINE_LONE_SURROGATE = 7,
    M31R_LINE_TOO_LONG = 8,
    M31R_LINE_UNREADABLE = 9, /* inside a damaged piece of a compressed file */
    M31R_LINE_CLASSES = 10
} m31r_line_class;

/* What a scan has met so far. A torn line is in no class. Without `is_strict` a line that ends like
 * an object, and that the filter turns down by what it begins with, counts as OK without being read
 * further; what is given out is the same. */
typedef struct m31r_scan_counts {
    uint64_t lines[M31R_LINE_CLASSES];
    uint64_t n_skipped;         /* lines of all classes but OK and EMPTY */
    uint64_t n_torn;            /* files that end in a line without a newline */
    uint64_t n_kept;            /* records that the filter let through */
    const char *first_bad_file; /* where the first skipped line stands; "" for none */
    const char *first_bad_why;  /* of M31R_LINE_UNREADABLE: what is wrong there; else "" */
    uint64_t first_bad_line;
    m31r_line_class first_bad_class;
} m31r_scan_counts;

/* Which records to keep. All zero keeps everything. */
typedef struct m31r_filter {
    m31r_level min_level; /* 0: also records without a level */
    const char *module;   /* exact; NULL any */
    bool has_steps;
    int64_t first_step, last_step; /* inclusive */
    int64_t since_ns;              /* records from then on; 0 any */
    int64_t until_ns;              /* records before then; 0 any */
    m31r_expr *expr; /* compiled for records, and must live as long as the scan; NULL any */
} m31r_filter;

/* The place that a person wants to see: the first record, in merged order, whose step is `step` or
 * more; or, without a step, the first at or behind a line of a file. */
typedef struct m31r_around {
    int64_t n; /* records to give before it, and as many after it; 0: the whole scan */
    bool has_step;
    int64_t step;
    const char *file; /* as in m31r_record; NULL: the main lane, or the file itself */
    uint64_t line;
} m31r_around;

/* Start from M31R_SCAN_OPTIONS_INIT. Strings must live as long as the scan. */
typedef struct m31r_scan_options {
    size_t size; /* sizeof(m31r_scan_options): lets the struct grow */
    m31r_filter filter;
    const char *lane;     /* lane's name or file; "main" is the main lane; NULL all */
    int64_t tail;         /* only the last `tail` records that pass; 0 all */
    m31r_around around;   /* only the records around a place; not with tail or is_following */
    bool is_following;    /* M31R_EOF means "nothing now": see m31r_scan_wait() */
    bool takes_last_line; /* a last line without newline that parses is a record: foreign files */
    int64_t n_threads; /* for what reads all at once, and a large file; 0: one for each processor */
    bool has_no_index; /* neither uses nor makes the index of a large file in the cache */
    bool is_strict;    /* reads to its end also a line that the filter turns down before */
} m31r_scan_options;

#define M31R_SCAN_OPTIONS_INIT                                                                     \
    {                                                                                              \
        .size = sizeof(m31r_scan_options)                                                          \
    }

/* A record's view. Pointers are not NUL-terminated, and NULL when the field is missing or no
 * string; strings are still escaped as in the line. */
typedef struct m31r_record {
    const char *line; /* one JSON object, without its newline */
    size_t length;
    int64_t wall_ns;  /* M31R_UNKNOWN when missing or not a time */
    m31r_level level; /* 0 when missing or unknown */
    const char *module, *message;
    size_t module_length, message_length;
    bool has_step;
    int64_t step;
    const char *file;     /* where it stands: the lane's file, also for a rotated segment; "-" for a
                           * stream */
    const char *lane;     /* "" for the main lane and for files */
    uint64_t line_number; /* 1-based */
} m31r_record;

/* One member of a record. */
typedef struct m31r_field {
    const char *key, *value; /* into the record; strings without quotes, still escaped */
    size_t key_length, value_length;
    char type; /* 's' string, 'n' number, 't' true, 'f' false, '0' null, 'o' object, 'a' array */
} m31r_field;

/* Starts reading a run's lanes, merged.
 *
 * Returns: M31R_OK and the scan in `*out`; a run without lanes is an empty scan.
 * Errors:  M31R_E_NOTFOUND (no lane of that name), M31R_E_IO, M31R_E_NOMEM, M31R_E_ARG (options).
 * Owns:    the caller closes it; `reader` must stay open as long.
 * Thread:  any.
 */
M31R_API m31r_err m31r_scan_open_run(m31r_scan **out, const m31r_reader *reader,
                                     const m31r_scan_options *options, m31r_error *e);

/* Starts reading one file of JSON lines, ours or foreign, compressed by zstd or not; "-" is
 * standard input. A lane's file (*.log) is read with the segments that were rotated away from it.
 *
 * Returns: M31R_OK and the scan in `*out`.
 * Errors:  M31R_E_NOTFOUND, M31R_E_IO, M31R_E_NOMEM, M31R_E_ARG (options, a directory).
 * Owns:    the caller closes it.
 * Thread:  any.
 */
M31R_API m31r_err m31r_scan_open_file(m31r_scan **out, const char *path,
                                      const m31r_scan_options *options, m31r_error *e);

/* Gives the next record that passes the filter in `*out`.
 *
 * Returns: M31R_OK, or M31R_EOF when there is none (when following: none now).
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing; the view dies at the next call on `s`.
 * Thread:  one at a time per scan.
 */
M31R_API m31r_err m31r_scan_next(m31r_scan *s, m31r_record *out, m31r_error *e);

/* Writes all records that are left as lines of JSON: whole, as they stand in the file; or, with
 * `fields`, an object of kind fields with these each, null for one that is missing. Faster than one
 * by one, and a large file is read by several threads; the lines come in order all the same.
 *
 * Returns: M31R_EOF when all is written (when following: all that there is now).
 * Errors:  M31R_E_IO, M31R_E_NOMEM, M31R_E_LIMIT (more than 64 fields).
 * Owns:    nothing.
 * Thread:  one at a time per scan.
 */
M31R_API m31r_err m31r_scan_write(m31r_scan *s, FILE *out, const char *const *fields,
                                  size_t n_fields, m31r_error *e);

/* When following: waits up to `wait_ms` for more bytes or new lanes.
 *
 * Returns: M31R_OK when it is worth calling m31r_scan_next() again, M31R_EOF when the run has ended
 *          and all of it was read (never for a file).
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per scan.
 */
M31R_API m31r_err m31r_scan_wait(m31r_scan *s, int wait_ms, m31r_error *e);

/* What was met so far.
 *
 * Returns: the counts.
 * Owns:    the scan; strings are valid until m31r_scan_close().
 * Thread:  one at a time per scan.
 */
M31R_API m31r_scan_counts m31r_scan_count(const m31r_scan *s);

/* Frees a scan. NULL is fine.
 *
 * Owns:   frees `s`.
 * Thread: excludes every other call on the same scan.
 */
M31R_API void m31r_scan_close(m31r_scan *s);

/* Calls `each` for every member of a record, in order, until it returns false.
 *
 * Owns:   nothing; the fields point into the record.
 * Thread: any.
 */
M31R_API void m31r_record_each(const m31r_record *record,
                               bool (*each)(void *context, const m31r_field *field), void *context);

/* Name of a class, such as "not_json".
 *
 * Returns: the name; "?" for a number that is none.
 * Owns:    nothing; a constant string.
 * Thread:  any.
 */
M31R_API const char *m31r_line_class_name(m31r_line_class c);

#ifdef __cplusplus
}
#endif
#endif
