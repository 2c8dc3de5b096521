/* environment.h - what a result may depend on besides config, code and data: processor, GPU,
 * settings of threads and locale, and the programs and libraries that were loaded.
 *
 * Kept is what matters for having a result again, and nothing of a person: of files their name,
 * never their folder, with the build id that the linker wrote; of variables those of a fixed list.
 * What is known before the program starts is metadata.json's `environment` from the first save;
 * what was loaded is told by notices, since libraries come while a program runs.
 */
#ifndef M31RI_ENVIRONMENT_H
#define M31RI_ENVIRONMENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/privacy.h"

/* {"cpu_flags":[...],"gpus":[...],"gpu_driver","settings":{NAME:value},"programs":[],
 * "libraries":[],"python":null}; NULL when memory is out. */
json_t *m31ri_environment_known(const m31ri_privacy *rules);

/* The names of the variables that are kept, `*n` of them; a constant list. */
const char *const *m31ri_environment_settings(size_t *n);

/* What process `pid` has loaded, as a notice of kind "environment" (store/notices.h): {"programs":
 * [{"name","build_id","compiler"}], "libraries": [{"name","build_id"}], "python": {"version",
 * "packages": ["numpy 1.24.2", ...]}}. Of a shell the programs that it has started too. `*seen` is
 * a fingerprint of what was found: NULL when it is the same as before, when nothing can be seen, or
 * when memory is out. */
json_t *m31ri_environment_loaded(int64_t pid, uint64_t *seen);

/* The same notice of a program that was not looked at: its path, and the paths of what it links,
 * each ended by NUL and an empty one after the last. Symbolic links are followed, as the system
 * does that tells of what is loaded. NULL when memory is out. */
json_t *m31ri_environment_linked(const char *program, const char *libraries);

/* environment_python.c: {"version","packages"} for an interpreter at `program` (a path such as
 * /usr/bin/python3.11) that was started as `argv0`; `folders` are the folders, ended by NUL each
 * and by an empty one, that it has loaded libraries from. NULL when it is no Python. */
json_t *m31ri_environment_python(const char *program, const char *argv0, const char *folders);

#endif
