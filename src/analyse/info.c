/* info.c - m31r/info.h. A GPU library is looked for as the observer does: opened by name, closed
 * again, never linked. */
#include "m31r/info.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "format/json_read.h"
#include "format/record.h"
#include "format/yaml.h"
#include "m31r/scan.h"
#include "m31r/version.h"

typedef struct info_call {
    void (*each)(void *context, const m31r_info_fact *fact);
    void *context;
} info_call;

static void say(const info_call *call, const char *group, const char *name, const char *value)
{
    m31r_info_fact fact = {group, name, value};
    call->each(call->context, &fact);
}

static void say_number(const info_call *call, const char *group, const char *name, long value)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", value);
    say(call, group, name, text);
}

static bool opens(const char *library)
{
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (handle == NULL) {
        return false;
    }
    dlclose(handle);
    return true;
}

static void say_paths(const info_call *call)
{
    m31ri_buf path = M31RI_BUF_INIT;
    char directory[4096];
    const char *home = getenv("HOME");
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *run = getenv("M31R_RUN_DIR");
    m31ri_buf_add_format(&path, "%s/experiments",
                         getcwd(directory, sizeof directory) != NULL ? directory : "?");
    say(call, "path", "runs", m31ri_buf_str(&path));
    m31ri_buf_clear(&path);
    if (cache != NULL && cache[0] == '/') {
        m31ri_buf_add_format(&path, "%s/m31r", cache);
    } else {
        m31ri_buf_add_format(&path, "%s/.cache/m31r", home != NULL ? home : "");
    }
    say(call, "path", "cache", m31ri_buf_str(&path));
    say(call, "path", "current_run", run != NULL ? run : "none");
    m31ri_buf_release(&path);
}

void m31r_info_each(void (*each)(void *context, const m31r_info_fact *fact), void *context)
{
    info_call call = {each, context};
    struct utsname system;
    say(&call, "version", "m31r", m31r_version());
    say_number(&call, "version", "format", M31R_FORMAT_VERSION);
    if (uname(&system) == 0) {
        say(&call, "version", "kernel", system.release);
        say(&call, "version", "machine", system.machine);
    }
    say_number(&call, "limit", "record_bytes", M31RI_RECORD_LIMIT);
    say_number(&call, "limit", "key_bytes", M31RI_KEY_LIMIT);
    say_number(&call, "limit", "read_line_bytes", M31R_SCAN_LINE_LIMIT);
    say_number(&call, "limit", "json_depth", M31RI_JSON_DEPTH);
    say_number(&call, "limit", "config_bytes", M31RI_YAML_BYTES);
    say_paths(&call);
    say(&call, "feature", "libnvidia-ml", opens("libnvidia-ml.so.1") ? "found" : "not found");
    say(&call, "feature", "cgroup_v2",
        access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0 ? "found" : "not found");
    say_number(&call, "feature", "cpus", sysconf(_SC_NPROCESSORS_ONLN));
}
