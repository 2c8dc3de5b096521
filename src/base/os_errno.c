/* os_errno.c - what an errno means. The C locale is a constant of the C library: making it a handle
 * takes no memory. */
#include "base/os_errno.h"

#include <locale.h>
#include <string.h>

const char *m31ri_errno_text(int number)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0) {
        return "unknown error";
    }
    const char *text = strerror_l(number, c);
    freelocale(c);
    return text;
}
