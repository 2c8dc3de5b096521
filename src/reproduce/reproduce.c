/* reproduce.c - m31r/reproduce.h: the reproduction as an object, and the run itself.
 *
 * The run is made by a child of this process: it changes directory and environment, which are the
 * process's, and the observer ends the process that calls it as the program ended.
 */
#include "m31r/reproduce.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "identity/environment.h"
#include "m31r/observe.h"
#include "reproduce/reproduce_int.h"

#define PATTERNS 64

/* The absolute path of the directory that the run lies in. */
static bool find_root(m31r_reproduction *p)
{
    char *real = realpath(p->run->path, NULL);
    char *slash = real != NULL ? strrchr(real, '/') : NULL;
    bool is_found = slash != NULL && slash != real && (size_t)(slash - real) < sizeof p->root;
    if (is_found) {
        snprintf(p->root, sizeof p->root, "%.*s", (int)(slash - real), real);
    }
    free(real);
    return is_found;
}

static m31r_err check_state(const m31r_reproduction *p, m31r_error *e)
{
    const m31r_facts *f = &p->run->facts;
    if (p->run->metadata == NULL) {
        return m31ri_fail(e, M31R_E_CORRUPT, "%s", f->problem);
    }
    if (f->state == M31R_STATE_RUNNING) {
        m31ri_fail(e, M31R_E_ARG, "%s is still running: it can be repeated when it has ended",
                   f->run_id);
        return M31R_E_ARG;
    }
    return M31R_OK;
}

m31r_err m31r_reproduction_open(m31r_reproduction **out, const m31r_reproduce_options *o,
                                m31r_error *e)
{
    m31r_reproduction *p = m31ri_calloc(1, sizeof *p);
    if (p == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a reproduction");
    }
    memcpy(&p->o, o, o->size < sizeof p->o ? o->size : sizeof p->o);
    m31r_err err = m31r_reader_open(&p->run, o->root, o->run, e);
    if (err == M31R_OK) {
        err = check_state(p, e);
    }
    if (err == M31R_OK && !find_root(p)) {
        err = m31ri_fail_sys(e, errno, p->run->path, "finding the directory of %s", p->run->path);
    }
    if (err != M31R_OK) {
        m31r_reproduction_close(p);
        return err;
    }
    const char *dir = m31ri_reader_text(p->run, "command.dir");
    p->dir = strcmp(dir, ".") != 0 && dir[0] != '/' && strstr(dir, "..") == NULL ? dir : "";
    m31ri_look_at_code(p);
    m31ri_look_at_config(p);
    m31ri_look_at_command(p);
    m31ri_look_at_inputs(p);
    m31ri_look_at_environment(p);
    *out = p;
    return M31R_OK;
}

void m31r_reproduction_close(m31r_reproduction *p)
{
    if (p == NULL) {
        return;
    }
    if (!p->o.keeps_tree) {
        m31ri_tree_remove(p);
    }
    m31r_reader_close(p->run);
    m31ri_free(p->findings);
    m31ri_free(p->argv);
    m31ri_free(p);
}

m31r_err m31r_reproduction_finding(const m31r_reproduction *p, size_t i, m31r_finding *out)
{
    if (i >= p->n) {
        return M31R_E_NOTFOUND;
    }
    *out = p->findings[i];
    return M31R_OK;
}

size_t m31r_reproduction_refused(const m31r_reproduction *p)
{
    return p->n_refused;
}

const m31r_reader *m31r_reproduction_of(const m31r_reproduction *p)
{
    return p->run;
}

/* What was said on the command line must be said again; the rest is found where it was found. */
static const char *if_said(const m31r_reproduction *p, const char *source, const char *value)
{
    const char *from = m31ri_reader_text(p->run, source);
    bool is_found_again = strncmp(from, "config:", 7) == 0 || strcmp(from, "project") == 0;
    return is_found_again ? NULL : value;
}

static const char *text_or_none(m31r_reproduction *p, const char *key)
{
    const char *text = m31ri_reader_text(p->run, key);
    const char *home = getenv("HOME");
    if (text[0] == '~' && text[1] == '/' && home != NULL) {
        return m31ri_keep_format(p, "%s%s", home, text + 1);
    }
    return text[0] != '\0' ? text : "none";
}

/* The options of `m31r run` that make the same identity. */
static void fill_options(m31r_reproduction *p, const char **patterns, const char *id_file,
                         m31r_observe_options *o)
{
    const m31r_facts *f = &p->run->facts;
    const json_t *list = m31ri_reader_get(p->run, "command.patterns");
    o->run.root = p->root;
    o->run.config = if_said(p, "sources.config", text_or_none(p, "config_path"));
    o->run.seed = if_said(p, "sources.seed", f->seed.value[0] != '\0' ? f->seed.value : "none");
    o->run.dataset = if_said(p, "sources.dataset", text_or_none(p, "dataset_version"));
    o->run.tokenizer = if_said(p, "sources.tokenizer", text_or_none(p, "tokenizer_version"));
    o->run.commit = strcmp(f->commit.value, "none") == 0 ? "none" : NULL;
    o->run.stage = f->stage;
    o->run.resume = f->resumes[0] != '\0' ? f->resumes : NULL;
    o->run.reproduces = f->run_id;
    o->run.is_trial = strcmp(f->kind, "trial") == 0;
    o->run.argv = p->argv;
    while (p->argv[o->run.argc] != NULL) {
        o->run.argc++;
    }
    o->capture = f->capture[0] != '\0' ? f->capture : NULL;
    o->id_file = id_file;
    o->is_tee = true;
    o->metrics = patterns;
    while (o->n_metrics < json_array_size(list) && o->n_metrics < PATTERNS) {
        const char *text = json_string_value(json_array_get(list, o->n_metrics));
        patterns[o->n_metrics++] = text != NULL ? text : "";
    }
}

/* As recorded, and none of those that were not set then. */
static void restore_settings(const m31r_reproduction *p)
{
    const json_t *settings = m31ri_reader_get(p->run, "environment.settings");
    size_t n;
    const char *const *names = m31ri_environment_settings(&n);
    unsetenv("M31R_RUN_DIR");
    unsetenv("M31R_SEED");
    for (size_t i = 0; i < n && settings != NULL && !p->o.keeps_environment; i++) {
        const char *value = json_string_value(json_object_get(settings, names[i]));
        if (value != NULL) {
            setenv(names[i], value, 1);
        } else {
            unsetenv(names[i]);
        }
    }
}

/* The child: never returns. */
static void observe(m31r_reproduction *p, const char *work, const char *id_file)
{
    const char *patterns[PATTERNS];
    m31r_observe_options o = M31R_OBSERVE_OPTIONS_INIT;
    m31r_observe_end end;
    m31r_error e = {0};
    if (chdir(work) != 0) {
        m31ri_fail_sys(&e, errno, work, "entering %s", work);
    } else {
        dup2(2, 1); /* our stdout is for results */
        restore_settings(p);
        fill_options(p, patterns, id_file, &o);
        if (m31r_observe(&o, &end, &e) == M31R_OK) {
            m31r_observe_end_as(&end);
        }
    }
    m31ri_write_all(2, e.message, strlen(e.message), NULL);
    m31ri_write_all(2, "\n", 1, NULL);
    _exit(m31r_err_exit(e.code));
}

static m31r_err read_id(m31r_reproduction *p, const char *id_file, char *out, size_t size,
                        m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31ri_read_file(AT_FDCWD, id_file, 4096, &text, NULL);
    int length = (int)strcspn(m31ri_buf_str(&text), "\n");
    int n = snprintf(out, size, "%s/%.*s", p->root, length, m31ri_buf_str(&text));
    m31ri_buf_release(&text);
    if (err != M31R_OK || length == 0) {
        return m31ri_fail(e, M31R_E_IO, "no run was made: what stderr says above is why");
    }
    return n > 0 && (size_t)n < size
               ? M31R_OK
               : m31ri_fail(e, M31R_E_LIMIT, "the path of the run is too long");
}

static m31r_err run_and_wait(m31r_reproduction *p, char *out_path, size_t size, m31r_error *e)
{
    const char *base = p->tree[0] != '\0' ? p->tree : p->top;
    bool has_dir = p->dir[0] != '\0';
    const char *work = m31ri_keep_format(p, "%s%s%s", base, has_dir ? "/" : "", p->dir);
    const char *id_file = m31ri_keep_format(p, "%s/id", p->scratch);
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        observe(p, work, id_file);
    }
    if (pid < 0) {
        return m31ri_fail_sys(e, errno, NULL, "starting a process");
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return read_id(p, id_file, out_path, size, e);
}

m31r_err m31r_reproduction_run(m31r_reproduction *p, char *out_path, size_t size, m31r_error *e)
{
    if (p->n_refused > 0) {
        return m31ri_fail(e, M31R_E_INVALID, "%s cannot be repeated: %zu reasons", p->run->path,
                          p->n_refused);
    }
    m31r_err err = m31ri_tree_make(p, e);
    if (err == M31R_OK && p->n_refused > 0) {
        err = m31ri_fail(e, M31R_E_INVALID, "the code could not be made what it was");
    }
    return err == M31R_OK ? run_and_wait(p, out_path, size, e) : err;
}
