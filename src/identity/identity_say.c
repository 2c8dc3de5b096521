/* identity_say.c - what gathering an identity says: warnings, and that memory is out. */
#include <stdarg.h>
#include <stdio.h>

#include "base/fail.h"
#include "identity/identity_int.h"

m31r_err m31ri_identity_no_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory gathering the run's identity");
}

void m31ri_identity_warn(m31ri_identity *id, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *c = line; *c != '\0'; c++) {
        *c = *c == '\n' || *c == '\r' ? ' ' : *c; /* a value may hold one; a warning is one line */
    }
    m31ri_buf_add_str(&id->warnings, line);
    m31ri_buf_add_char(&id->warnings, '\n');
}
