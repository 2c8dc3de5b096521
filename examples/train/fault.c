#include "fault.h"

#include <stdarg.h>
#include <stdio.h>

bool fault_set(fault *out, int exit_code, const char *reason, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    out->exit_code = exit_code;
    out->reason = reason;
    (void)vsnprintf(out->text, sizeof out->text, format, values);
    va_end(values);
    return false;
}
