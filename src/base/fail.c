/* fail.c - making an m31r_error.
 *
 * strerror_r has two incompatible forms; strerrorname-like text is taken from strerror_l-free sys
 * tables via strerror(), which is thread-safe in glibc >= 2.32 and musl for known errnos.
 */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set_text(char *out, size_t size, const char *format, va_list args)
{
    vsnprintf(out, size, format, args);
}

m31r_err m31ri_fail(m31r_error *e, m31r_err code, const char *format, ...)
{
    if (e != NULL) {
        int saved = errno;
        va_list args;
        memset(e, 0, sizeof *e);
        e->code = code;
        va_start(args, format);
        set_text(e->message, sizeof e->message, format, args);
        va_end(args);
        errno = saved;
    }
    return code;
}

static m31r_err code_of_errno(int sys_errno)
{
    switch (sys_errno) {
    case ENOMEM:
        return M31R_E_NOMEM;
    case ENOENT:
        return M31R_E_NOTFOUND;
    case EEXIST:
        return M31R_E_EXISTS;
    default:
        return M31R_E_IO;
    }
}

m31r_err m31ri_fail_sys(m31r_error *e, int sys_errno, const char *path, const char *format, ...)
{
    m31r_err code = code_of_errno(sys_errno);
    if (e != NULL) {
        va_list args;
        memset(e, 0, sizeof *e);
        e->code = code;
        e->sys_errno = sys_errno;
        va_start(args, format);
        set_text(e->message, sizeof e->message, format, args);
        va_end(args);
        size_t used = strlen(e->message);
        snprintf(e->message + used, sizeof e->message - used, ": %s", strerror(sys_errno));
        snprintf(e->path, sizeof e->path, "%s", path != NULL ? path : "");
        errno = sys_errno;
    }
    return code;
}

void m31ri_fail_hint(m31r_error *e, const char *format, ...)
{
    if (e != NULL) {
        va_list args;
        va_start(args, format);
        set_text(e->hint, sizeof e->hint, format, args);
        va_end(args);
    }
}

void m31ri_fail_at(m31r_error *e, const char *path, uint32_t line, uint32_t column)
{
    if (e != NULL) {
        snprintf(e->path, sizeof e->path, "%s", path != NULL ? path : "");
        e->line = line;
        e->column = column;
    }
}
