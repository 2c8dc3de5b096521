/* The library, or nothing in its place.
 *
 * With TRAIN_NO_M31R the program builds without the library: every call evaluates its arguments
 * and does nothing. It exists to show that observing changes no bit of what is
 * computed.
 */
#ifndef TRAIN_OBSERVE_H
#define TRAIN_OBSERVE_H

#ifndef TRAIN_NO_M31R
#include <m31r/m31r.h>
#else
#include <m31r/stage_calls.h>

typedef void m31r_run;
typedef void m31r_log;

static inline void observe_nothing(const void *handle, ...)
{
    (void)handle;
}

/* The typed calls are macros over this one; their fields are evaluated. */
static inline void m31r_stage_emit(m31r_run *run, int call, const void *fields, size_t size_bytes)
{
    (void)run, (void)call, (void)fields, (void)size_bytes;
}

#define m31r_run_here(config) ((m31r_run *)observe_null(config))
#define m31r_run_logger(run, module) ((m31r_log *)observe_null(module))
#define m31r_run_dir(run) ((void)(run), "")
#define m31r_run_is_live(run) ((void)(run), false)
#define m31r_run_end(run, how, cause) ((void)(run), (void)(cause))
#define m31r_run_identify observe_nothing
#define m31r_info observe_nothing
#define m31r_warning observe_nothing
#define m31r_critical observe_nothing

static inline void *observe_null(const char *unused)
{
    (void)unused;
    return 0;
}

#endif
#endif
