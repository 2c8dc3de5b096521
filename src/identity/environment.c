/* environment.c - see environment.h. */
#include "identity/environment.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os_dir.h"
#include "base/os_elf.h"
#include "base/os_file.h"
#include "base/os_host.h"
#include "base/os_loaded.h"

#define PROCESSES 32 /* below a shell; more are not looked at */
#define VALUE_BYTES 512

/* How many threads, in which order sums are made, which device, how texts are sorted. */
static const char *const settings[] = {
    "OMP_NUM_THREADS",
    "OMP_DYNAMIC",
    "OMP_SCHEDULE",
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "GOMP_CPU_AFFINITY",
    "KMP_AFFINITY",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "GOTO_NUM_THREADS",
    "MKL_NUM_THREADS",
    "MKL_DYNAMIC",
    "MKL_CBWR",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "TORCH_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "NVIDIA_TF32_OVERRIDE",
    "PYTHONHASHSEED",
    "GLIBC_TUNABLES",
    "MALLOC_ARENA_MAX",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_COLLATE",
    "LC_NUMERIC",
    "TZ",
};

const char *const *m31ri_environment_settings(size_t *n)
{
    *n = sizeof settings / sizeof *settings;
    return settings;
}

static json_t *known_settings(const m31ri_privacy *rules)
{
    json_t *o = json_object();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const char *value = getenv(settings[i]);
        m31ri_buf text = M31RI_BUF_INIT;
        if (value != NULL) {
            m31ri_privacy_scrub(rules, NULL, 0, value, strnlen(value, VALUE_BYTES), &text);
            json_t *kept = json_string(m31ri_buf_str(&text)); /* NULL when it is no UTF-8 */
            json_object_set_new(o, settings[i], kept != NULL ? kept : json_string("?"));
        }
        m31ri_buf_release(&text);
    }
    return o;
}

static json_t *known_cpu_flags(void)
{
    char line[8192];
    json_t *flags = json_array();
    if (m31ri_host_cpu_flags(line, sizeof line)) {
        for (char *save = NULL, *word = strtok_r(line, " ", &save); word != NULL;
             word = strtok_r(NULL, " ", &save)) {
            json_array_append_new(flags, json_string(word));
        }
    }
    return flags;
}

/* By what the driver says in /proc: the card's library need not be loaded for it. */
static json_t *known_gpus(void)
{
    json_t *gpus = json_array();
    m31ri_dir_list cards = {0};
    int fd = m31ri_open_dir(AT_FDCWD, "/proc/driver/nvidia/gpus", false);
    if (fd >= 0 && m31ri_dir_list_fd(fd, &cards, NULL) == M31R_OK) {
        for (size_t i = 0; i < cards.n; i++) {
            char path[NAME_MAX + 64];
            char model[128];
            snprintf(path, sizeof path, "/proc/driver/nvidia/gpus/%.255s/information",
                     cards.entries[i].name);
            if (m31ri_host_line(path, "Model", model, sizeof model)) {
                json_array_append_new(gpus, json_string(model));
            }
        }
    }
    m31ri_dir_list_release(&cards);
    if (fd >= 0) {
        close(fd);
    }
    return gpus;
}

json_t *m31ri_environment_known(const m31ri_privacy *rules)
{
    char driver[256];
    bool has_driver =
        m31ri_host_line("/proc/driver/nvidia/version", "NVRM version", driver, sizeof driver);
    return json_pack("{s:o, s:o, s:o, s:o, s:[], s:[], s:n}", "cpu_flags", known_cpu_flags(),
                     "gpus", known_gpus(), "gpu_driver",
                     has_driver ? json_string(driver) : json_null(), "settings",
                     known_settings(rules), "programs", "libraries", "python");
}

/* What is being gathered of one or more processes. */
typedef struct gathering {
    json_t *programs, *libraries, *python;
    m31ri_buf folders;
    char program[PATH_MAX]; /* of the process at hand */
    uint64_t seen;
} gathering;

static void mix(uint64_t *seen, const char *text)
{
    for (; *text != '\0'; text++) {
        *seen = (*seen ^ (unsigned char)*text) * 1099511628211U;
    }
}

static void keep_folder(gathering *g, const char *path, size_t length)
{
    const char *at = m31ri_buf_str(&g->folders);
    const char *end = at + g->folders.length;
    for (; at < end; at += strlen(at) + 1) {
        if (strlen(at) == length && memcmp(at, path, length) == 0) {
            return;
        }
    }
    m31ri_buf_add(&g->folders, path, length);
    m31ri_buf_add_char(&g->folders, '\0');
}

/* Adds {"name","build_id"} to the list, unless it is there. */
static void add_file(json_t *list, const char *path, bool is_program)
{
    m31ri_elf_facts facts = {0};
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    int fd = m31ri_open_input(path);
    bool is_elf = fd >= 0 && m31ri_elf_read(fd, &facts);
    if (fd >= 0) {
        close(fd);
    }
    json_t *one = is_elf || is_program || strstr(name, ".so") != NULL ? json_object() : NULL;
    if (one == NULL) {
        return; /* mapped to execute, and no code of the system's: a cache of a compiler */
    }
    json_object_set_new(one, "name", json_string(name));
    json_object_set_new(one, "build_id",
                        facts.build_id[0] != '\0' ? json_string(facts.build_id) : json_null());
    if (is_program) {
        json_object_set_new(one, "compiler",
                            facts.compiler[0] != '\0' ? json_string(facts.compiler) : json_null());
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (json_equal(json_array_get(list, i), one)) {
            json_decref(one);
            return;
        }
    }
    json_array_append_new(list, one);
}

static void see_path(void *context, const char *path)
{
    gathering *g = context;
    mix(&g->seen, path);
}

static void take_path(void *context, const char *path)
{
    gathering *g = context;
    const char *slash = strrchr(path, '/');
    if (strcmp(path, g->program) != 0) {
        add_file(g->libraries, path, false);
        keep_folder(g, path, slash != NULL ? (size_t)(slash - path) : 0);
    }
}

static bool is_shell(const char *program)
{
    static const char *const shells[] = {"sh",  "dash", "bash",    "zsh",     "ksh", "fish",
                                         "env", "time", "timeout", "busybox", NULL};
    const char *slash = strrchr(program, '/');
    const char *name = slash != NULL ? slash + 1 : program;
    size_t i = 0;
    while (shells[i] != NULL && strcmp(name, shells[i]) != 0) {
        i++;
    }
    return shells[i] != NULL;
}

/* The first argument of a process, as it was started. */
static void first_argument(int64_t pid, m31ri_buf *out)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/%lld/cmdline", (long long)pid);
    (void)m31ri_read_file(AT_FDCWD, name, 1 << 20, out, NULL);
}

/* Shells below a shell come and go, and do nothing themselves. False when the process became
 * another program meanwhile: then the libraries are not those of the program. */
static bool take_process(gathering *g, int64_t pid, bool is_first)
{
    char after[PATH_MAX];
    m31ri_buf arguments = M31RI_BUF_INIT;
    if (!m31ri_loaded_program(pid, g->program, sizeof g->program) ||
        (!is_first && is_shell(g->program))) {
        return true;
    }
    add_file(g->programs, g->program, true);
    m31ri_buf_clear(&g->folders);
    m31ri_loaded_each(pid, take_path, g);
    m31ri_buf_add_char(&g->folders, '\0');
    first_argument(pid, &arguments);
    if (g->python == NULL && m31ri_buf_ok(&g->folders)) {
        g->python = m31ri_environment_python(g->program, m31ri_buf_str(&arguments),
                                             m31ri_buf_str(&g->folders));
    }
    m31ri_buf_release(&arguments);
    return m31ri_loaded_program(pid, after, sizeof after) && strcmp(after, g->program) == 0;
}

/* The process, and below a shell what it has started. */
static size_t list_processes(int64_t pid, int64_t out[PROCESSES])
{
    char program[PATH_MAX];
    size_t n = 1;
    out[0] = pid;
    for (size_t i = 0; i < n; i++) {
        if (m31ri_loaded_program(out[i], program, sizeof program) && is_shell(program)) {
            n += m31ri_loaded_children(out[i], out + n, PROCESSES - n);
        }
    }
    return n;
}

json_t *m31ri_environment_loaded(int64_t pid, uint64_t *seen)
{
    int64_t pids[PROCESSES];
    gathering g = {.seen = 14695981039346656037U};
    size_t n = list_processes(pid, pids);
    bool is_there = false;
    for (size_t i = 0; i < n; i++) {
        is_there |= m31ri_loaded_each(pids[i], see_path, &g);
    }
    if (!is_there || g.seen == *seen) {
        return NULL;
    }
    g.programs = json_array();
    g.libraries = json_array();
    bool is_steady = true;
    for (size_t i = 0; i < n && is_steady; i++) {
        is_steady = take_process(&g, pids[i], i == 0);
    }
    m31ri_buf_release(&g.folders);
    if (!is_steady) { /* the next look sees the new program */
        json_decref(g.programs);
        json_decref(g.libraries);
        json_decref(g.python);
        return NULL;
    }
    *seen = g.seen;
    return json_pack("{s:s, s:o, s:o, s:o}", "kind", "environment", "programs", g.programs,
                     "libraries", g.libraries, "python", g.python != NULL ? g.python : json_null());
}

static void add_real(json_t *list, const char *path, bool is_program)
{
    char *real = realpath(path, NULL);
    add_file(list, real != NULL ? real : path, is_program);
    free(real);
}

json_t *m31ri_environment_linked(const char *program, const char *libraries)
{
    json_t *programs = json_array();
    json_t *list = json_array();
    add_real(programs, program, true);
    for (const char *path = libraries; *path != '\0'; path += strlen(path) + 1) {
        add_real(list, path, false);
    }
    return json_pack("{s:s, s:o, s:o, s:n}", "kind", "environment", "programs", programs,
                     "libraries", list, "python");
}
