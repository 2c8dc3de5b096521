/* keep.h - what is removed, and what is left of it: m31r rm, archive and clean.
 *
 * Nothing is removed but what is asked for, and each removal leaves a tombstone that is on disk
 * before anything goes: of a run its metadata, the digest of every file and its root; of payload
 * (checkpoints and other files of the program) a line in the run's notes.jsonl; of a segment of
 * logs/ a line in logs/removed.jsonl. Releases are refused, and so are runs that live, that another
 * host wrote, or that nobody has ended (`m31r recover` first). The logs of a run that failed are
 * never deleted: they move to its tombstone.
 *
 *     m31r_removal_options o = M31R_REMOVAL_OPTIONS_INIT;
 *     o.run = "@", o.reason = "a try", o.is_dry = true;
 *     m31r_remove(&o, show_one, NULL, &e);
 */
#ifndef M31R_KEEP_H
#define M31R_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"
#include "m31r/expr.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_REASON_BYTES 500 /* of a reason, at most */

typedef struct m31r_removal_options {
    size_t size;      /* sizeof(m31r_removal_options) */
    const char *root; /* directory of runs; NULL is "experiments" */
    const char *run;  /* as m31r_reader_open(); NULL: all for which `expr` holds */
    m31r_expr *expr;  /* compiled for runs */
    const char *reason;
    const char *keep; /* of the payload: "last", "best:METRIC", both with a comma; NULL: nothing */
    bool is_payload;  /* only files of class payload; the record stays */
    bool is_dry;      /* only say what would be done */
} m31r_removal_options;

#define M31R_REMOVAL_OPTIONS_INIT                                                                  \
    {                                                                                              \
        .size = sizeof(m31r_removal_options)                                                       \
    }

/* One run. Texts are "" when they say nothing. */
typedef struct m31r_removal {
    char run_id[160];
    char name[160];
    char state[16];
    char refused[320];       /* why nothing is removed; "" when it is */
    char tombstone[512];     /* where what is left is told */
    uint64_t n_files, bytes; /* that go */
    uint64_t n_kept;         /* files of the payload that stay */
    bool is_done;
} m31r_removal;

/* Removes runs, or their payload, and tells `each`, which returns false to stop.
 *
 * Returns: M31R_OK when all were looked at; a run that was refused is told to `each`.
 * Errors:  M31R_E_NOTFOUND, M31R_E_ARG (no such run, no reason, a `keep` that is none),
 *          M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing; what `each` gets is valid during the call.
 * Thread:  any; two at once on one run exclude each other by its name.
 */
M31R_API m31r_err m31r_remove(const m31r_removal_options *o,
                              bool (*each)(void *context, const m31r_removal *r), void *context,
                              m31r_error *e);

typedef struct m31r_archive_options {
    size_t size; /* sizeof(m31r_archive_options) */
    const char *root, *run;
    const char *directory; /* another directory of runs; made when it is not there */
    bool is_copy;          /* leave the run where it is */
    bool is_dry;
} m31r_archive_options;

#define M31R_ARCHIVE_OPTIONS_INIT                                                                  \
    {                                                                                              \
        .size = sizeof(m31r_archive_options)                                                       \
    }

typedef struct m31r_archived {
    char run_id[160];
    char to[4096];
    char verdict[16]; /* of the run before it was moved */
    uint64_t n_files, bytes;
    bool is_done;
} m31r_archived;

/* Moves a run to another directory of runs, whole and verified: it must verify before; its files
 * are copied with modes and times, read back and compared; only then the old one goes, leaving a
 * tombstone. A release is copied only.
 *
 * Returns: M31R_OK and what was done in `*out`.
 * Errors:  M31R_E_NOTFOUND, M31R_E_ARG (no such run; a release without `is_copy`; it lives),
 *          M31R_E_EXISTS (there is one of that id), M31R_E_INVALID (it does not verify, or the copy
 *          is not equal), M31R_E_IO, M31R_E_NOMEM. On failure the run is where it was.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_archive(const m31r_archive_options *o, m31r_archived *out, m31r_error *e);

typedef struct m31r_redaction_options {
    size_t size; /* sizeof(m31r_redaction_options) */
    const char *root, *run;
    const char *line; /* "FILE:LINE", a record of a lane; NULL: whatever the privacy rules find */
    const char *key;  /* only the value of this key of it; NULL: all but when and whose it was */
    const char *reason;
    bool whole_block; /* also the other records of the block, of about 64 KiB */
    bool is_dry;
} m31r_redaction_options;

#define M31R_REDACTION_OPTIONS_INIT                                                                \
    {                                                                                              \
        .size = sizeof(m31r_redaction_options)                                                     \
    }

typedef struct m31r_redaction {
    char run_id[160];
    uint64_t n_files, n_blocks, n_records; /* in which something is replaced */
    uint64_t n_unreadable;                 /* compressed files that cannot be read: not looked at */
    bool is_done;
} m31r_redaction;

/* Takes out of a sealed run what must not be in it. A record's value is replaced by a marker, its
 * line keeps its length; the digest of its block as it was sealed is kept, with the reason, in
 * redactions.jsonl, which is sealed like a run. The root holds, and verifying says what was
 * redacted. Finding nothing is no error.
 *
 * Returns: M31R_OK and what was done in `*out`.
 * Errors:  M31R_E_NOTFOUND (no such run, file, line or key), M31R_E_ARG (no reason; a release; it
 *          lives, or is not sealed; the file is compressed), M31R_E_INVALID (a block is not what
 *          was sealed), M31R_E_LIMIT, M31R_E_IO, M31R_E_NOMEM. What was begun says so, and is
 *          finished by the same call.
 * Owns:    nothing.
 * Thread:  any; two at once exclude each other by the lock of the chain of seals.
 */
M31R_API m31r_err m31r_redact(const m31r_redaction_options *o, m31r_redaction *out, m31r_error *e);

typedef struct m31r_clean_options {
    size_t size;              /* sizeof(m31r_clean_options) */
    const char *logs;         /* the directory; NULL is "logs" */
    const char *project;      /* where the policy is; NULL: ./m31r.yaml when it is there */
    int64_t days, mib, count; /* over those of the policy when 0 or more; -1: not given */
    bool is_dry;
} m31r_clean_options;

#define M31R_CLEAN_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(m31r_clean_options), .days = -1, .mib = -1, .count = -1                     \
    }

typedef enum m31r_clean_kind {
    M31R_CLEAN_STAYS = 0,   /* within the policy, or not to be removed: `why` says it */
    M31R_CLEAN_PLANNED = 1, /* a dry run */
    M31R_CLEAN_REMOVED = 2
} m31r_clean_kind;

typedef struct m31r_cleaned {
    m31r_clean_kind kind;
    const char *file; /* in the directory */
    const char *why;  /* the part of the policy, or what keeps it */
    uint64_t bytes;
} m31r_cleaned;

/* Removes rotated segments of logs/ by age, size and number, the oldest first. Never removed: what
 * is still written to, the newest segment of a lane, and a segment that holds an ERROR or CRITICAL
 * record or that cannot be read. Runs are never looked at.
 *
 * Returns: M31R_OK when all were looked at.
 * Errors:  M31R_E_CONFIG (the policy is wrong), M31R_E_ARG (there is none), M31R_E_IO,
 *          M31R_E_NOMEM.
 * Owns:    nothing; what `each` gets is valid during the call.
 * Thread:  any.
 */
M31R_API m31r_err m31r_clean(const m31r_clean_options *o,
                             void (*each)(void *context, const m31r_cleaned *c), void *context,
                             m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
