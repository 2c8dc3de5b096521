/* launch.c - the program's environment, and its start.
 *
 * The program is started before the keeper takes a session of its own, so that it stays in the
 * process group of the front: Ctrl-C on our terminal reaches it as if nobody stood between.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_proc_tree.h"
#include "observe/observe_int.h"

#define OWN_VARIABLES 4

static const char *const own_names[OWN_VARIABLES] = {
    "M31R_RUN_DIR=", "M31R_RUN_ID=", "M31R_SEED=", "M31R_OBSERVED="};

static bool is_own(const char *entry)
{
    for (int i = 0; i < OWN_VARIABLES; i++) {
        if (strncmp(entry, own_names[i], strlen(own_names[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* Our environment with our variables in it. The entries that are new lie in `text`. */
static char **make_environment(const m31ri_plan *p, m31ri_buf *text)
{
    const char *seed = p->identity->seed != NULL ? p->identity->seed : "none";
    const char *values[OWN_VARIABLES] = {p->shared->run_dir, p->shared->run_id, seed, "1"};
    size_t starts[OWN_VARIABLES];
    size_t n = 0;
    while (environ[n] != NULL) {
        n++;
    }
    char **list = m31ri_calloc(n + OWN_VARIABLES + 1, sizeof *list);
    for (int i = 0; i < OWN_VARIABLES; i++) {
        starts[i] = text->length;
        m31ri_buf_add_str(text, own_names[i]);
        m31ri_buf_add(text, values[i], strlen(values[i]) + 1);
    }
    if (list == NULL || !m31ri_buf_ok(text)) {
        m31ri_free(list);
        return NULL;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_own(environ[i])) {
            list[kept++] = environ[i];
        }
    }
    for (int i = 0; i < OWN_VARIABLES; i++) {
        if (i != 2 || strcmp(seed, "none") != 0) {
            list[kept++] = text->data + starts[i];
        }
    }
    return list;
}

static void note_exec_failure(m31ri_shared *s, pid_t pid, int exec_errno)
{
    int status = 0;
    s->exec_errno = exec_errno;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    atomic_store(&s->wait_status, status);
    atomic_store(&s->has_status, 1);
    atomic_store(&s->phase, M31RI_PHASE_ENDED);
}

static m31r_err start(m31ri_plan *p, char **environment, m31ri_program_hook hook, m31r_error *e)
{
    const m31ri_wiring *w = &p->wiring;
    const m31ri_program program = {
        .argv = p->argv,
        .environment = environment,
        .in = w->is_interactive ? w->inner[M31RI_OUT] : 0,
        .out = w->inner[M31RI_OUT],
        .err = w->inner[M31RI_ERR],
        .terminal = w->is_interactive ? w->inner[M31RI_OUT] : -1,
        .ignores_hangup =
            w->ours_is_terminal[0] || w->ours_is_terminal[1] || w->ours_is_terminal[2],
        .signals = &p->signals,
        .begun = hook.begun,
        .context = hook.context,
    };
    pid_t pid = -1;
    int exec_errno = 0;
    int err = m31ri_program_start(&program, &pid, &exec_errno);
    if (err != 0) {
        return m31ri_fail_sys(e, err, NULL, "starting %s", p->argv[0]);
    }
    atomic_store(&p->shared->program_pid, pid);
    if (exec_errno != 0) {
        note_exec_failure(p->shared, pid, exec_errno);
    } else {
        atomic_store(&p->shared->phase, M31RI_PHASE_RUNNING);
    }
    return M31R_OK;
}

m31r_err m31ri_launch(m31ri_plan *p, m31ri_program_hook hook, m31r_error *e)
{
    bool is_own_cgroup;
    m31ri_buf text = M31RI_BUF_INIT;
    char **environment = make_environment(p, &text);
    p->shared->oom_kills = m31ri_cgroup_oom_kills(getpid(), &is_own_cgroup);
    m31r_err err = environment != NULL ? start(p, environment, hook, e)
                                       : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    m31ri_free(environment);
    m31ri_buf_release(&text);
    return err;
}
