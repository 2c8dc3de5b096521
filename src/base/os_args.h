/* os_args.h - the arguments this process was started with. */
#ifndef M31RI_OS_ARGS_H
#define M31RI_OS_ARGS_H

#include <stdbool.h>

typedef struct m31ri_args {
    int n;
    char **items; /* NULL-terminated; one allocation with the text behind it */
} m31ri_args;

/* False when the system does not tell or memory is out; `out` is then empty. */
bool m31ri_args_of_process(m31ri_args *out);
void m31ri_args_release(m31ri_args *args);

#endif
