/* fail.h - making an m31r_error where its cause is known; above that it is carried up unchanged. */
#ifndef M31RI_FAIL_H
#define M31RI_FAIL_H

#include "m31r/error.h"

/* Fills `e` (NULL is fine) with `code` and the formatted message, clears the rest, and returns
 * `code`: return m31ri_fail(e, M31R_E_ARG, "lane name \"%s\" is not [a-z0-9_-]{1,32}", name); Errno
 * is kept. A message that is too long is cut. */
m31r_err m31ri_fail(m31r_error *e, m31r_err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As m31ri_fail with code M31R_E_IO (M31R_E_NOMEM for ENOMEM, M31R_E_NOTFOUND for ENOENT,
 * M31R_E_EXISTS for EEXIST), `sys_errno` and `path` set, and ": <text of the errno>" after the
 * message. */
m31r_err m31ri_fail_sys(m31r_error *e, int sys_errno, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds what to do about it. Does nothing when `e` is NULL. */
void m31ri_fail_hint(m31r_error *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds where in which file. line or column 0: not known. */
void m31ri_fail_at(m31r_error *e, const char *path, uint32_t line, uint32_t column);

#endif
