/* os_errno.h - errno in words. */
#ifndef M31RI_OS_ERRNO_H
#define M31RI_OS_ERRNO_H

/* Such as "No such file or directory", in English whatever the locale is; a constant string.
 * Thread: any. */
const char *m31ri_errno_text(int number);

#endif
