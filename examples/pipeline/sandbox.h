/* Runs a program that nobody vouches for: with limits of time, memory, files and without a network.
 *
 * The program gets an empty environment but for PATH, no standard input, its output in a file, a
 * process group of its own, and ends with this process. A network is taken away twice where the
 * system allows it: by a network namespace of its own, and by a filter that refuses to make
 * sockets. Files outside its folder are not hidden: what it may read and write is what the user
 * may.
 */
#ifndef PIPELINE_SANDBOX_H
#define PIPELINE_SANDBOX_H

#include <stddef.h>

#include "../train/fault.h"

typedef struct {
    double wall_s;
    int memory_mb; /* address space */
    int file_mb;   /* of one file that it writes */
} sandbox_limits;

typedef struct {
    const char *const *argv; /* ends with NULL; argv[0] is a path */
    const char *folder;      /* working directory */
    const char *output;      /* file for stdout and stderr; replaced */
    sandbox_limits limits;
} sandbox_job;

typedef struct {
    int exit_status; /* -1 when it was ended by a signal */
    int signal;      /* 0 when it was not */
    bool is_timeout;
    double wall_s;
    double peak_mb;
} sandbox_result;

/* How a program is kept from the network here: "namespace+filter", "filter", "namespace" or
 * "none". */
const char *sandbox_network(void);

/* Makes this process the parent of what programs leave behind outside their process group; call it
 * once, before any thread. At the end, when no job runs, the second one ends all of them. */
void sandbox_adopt_orphans(void);
void sandbox_end_orphans(void);

/* Runs a program to its end or to its limit. A program that failed is a result, not an error.
 * Errors: FAULT_RUNTIME when it could not be started at all. */
bool sandbox_run(const sandbox_job *job, sandbox_result *out, fault *error);

#endif
