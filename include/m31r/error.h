/* error.h - how a failing call says what happened.
 *
 * Every function that can fail returns `m31r_err` (0 is fine, negative is an error) and takes an
 * optional `m31r_error *` that receives the sentence for a person: what was wrong, where, and what
 * to do. Nothing is kept in a thread-local and nothing is allocated, so an m31r_error may live on
 * the stack and be copied.
 *
 * Invariants: on failure all other outputs are untouched. `message` is one line without a final
 * newline.
 *
 *     m31r_error e;
 *     if (m31r_run_open(&run, &options, &e) != M31R_OK) {
 *         fprintf(stderr, "%s\n%s\n", e.message, e.hint);
 *         return m31r_err_exit(e.code);
 *     }
 */
#ifndef M31R_ERROR_H
#define M31R_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define M31R_API __attribute__((visibility("default")))
#else
#define M31R_API
#endif

/* Result of a call. The values are pinned: they are part of the binary interface and never change.
 */
typedef enum m31r_err {
    M31R_OK = 0,
    M31R_EOF = 1,         /* nothing further; not a failure */
    M31R_E_ARG = -1,      /* the caller or user asked for something impossible */
    M31R_E_CONFIG = -2,   /* a config file or the identity of a run is wrong or missing */
    M31R_E_IO = -3,       /* the operating system refused; `sys_errno` says why */
    M31R_E_NOMEM = -4,    /* out of memory */
    M31R_E_CORRUPT = -5,  /* bytes are not what the format demands; `offset` or `line` says where */
    M31R_E_NOTFOUND = -6, /* no such run, file, key */
    M31R_E_EXISTS = -7,   /* it is there already and is never overwritten */
    M31R_E_BUSY = -8,     /* another process holds it */
    M31R_E_LIMIT = -9,    /* larger, deeper or more than a stated limit */
    M31R_E_CLOSED = -10,  /* the run is ended or inert */
    M31R_E_INVALID = -11  /* validation failed: differs, regressed, does not verify */
} m31r_err;

#define M31R_ERROR_MESSAGE_BYTES 512
#define M31R_ERROR_HINT_BYTES 1024
#define M31R_ERROR_PATH_BYTES 256

/* What went wrong, for a person and for a program. Fields that do not apply are 0 or "". */
typedef struct m31r_error {
    m31r_err code;
    int sys_errno;   /* errno of the failed system call */
    uint32_t line;   /* 1-based line in `path` */
    uint32_t column; /* 1-based column in that line, in bytes */
    uint64_t offset; /* byte offset in `path` */
    char path[M31R_ERROR_PATH_BYTES];
    char message[M31R_ERROR_MESSAGE_BYTES];
    char hint[M31R_ERROR_HINT_BYTES]; /* what to do about it */
} m31r_error;

/* Name of a code as it stands in this header.
 *
 * Returns: such as "M31R_E_IO"; "M31R_E_?" for a value outside the list.
 * Owns:   nothing; a constant string.
 * Thread: any.
 */
M31R_API const char *m31r_err_name(m31r_err code);

/* Process exit status for a code.
 *
 * Returns: 0 success (also M31R_EOF), 1 user error, 2 config error, 3 runtime error, 4 validation
 *          error.
 * Thread: any.
 */
M31R_API int m31r_err_exit(m31r_err code);

#ifdef __cplusplus
}
#endif
#endif
