/* ending.c - state and cause from the wait status and from what was seen; the line that ends
 * stderr.
 *
 * What is certain is said as it is; a cause that is only likely says what it rests on. An exit
 * status that the program gave wins over guesses about why: hints from its output only name the
 * cause of a failure that happened.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os_proc_tree.h"
#include "format/json_text.h"
#include "observe/observe_int.h"

#define ASKED_NS                                                                                   \
    (60LL * 1000 * 1000 *                                                                          \
     1000) /* a program that goes on longer after a signal did not end because of it */
#define SHELL_SIGNAL 128 /* a shell's status for «my child was killed by signal n» */

static void say(m31ri_ending *out, const char *state, const char *cause, const char *evidence)
{
    out->end.state = state;
    out->end.cause = cause;
    if (evidence != NULL) {
        snprintf(out->evidence, sizeof out->evidence, "%s", evidence);
        out->end.evidence = out->evidence;
    }
}

/* True, with the evidence, when the kernel killed for want of memory in our cgroup since the start.
 */
static bool was_oom(const m31ri_shared *s, m31ri_ending *out)
{
    bool is_own = false;
    int64_t now = m31ri_cgroup_oom_kills(getpid(), &is_own);
    if (s->oom_kills < 0 || now <= s->oom_kills) {
        return false;
    }
    snprintf(out->evidence, sizeof out->evidence,
             "likely: oom_kill of the %s memory cgroup rose from %lld to %lld",
             is_own ? "run's" : "machine's root", (long long)s->oom_kills, (long long)now);
    out->end.evidence = out->evidence;
    return true;
}

static void judge_signal(const m31ri_shared *s, int number, int asked, m31ri_ending *out)
{
    out->end.signal = m31ri_signal_name(number, out->signal);
    if (number == SIGKILL && was_oom(s, out)) {
        say(out, "killed", "kernel_oom", NULL);
    } else if (number == SIGINT) {
        say(out, "interrupted", "signal", NULL);
    } else if (asked != 0 && number == asked) {
        say(out, "interrupted", asked == SIGTERM ? "preempted" : "signal", NULL);
    } else {
        say(out, "killed", "signal", NULL);
    }
}

static void judge_failure(const m31ri_shared *s, int status, m31ri_ending *out)
{
    if (s->exec_errno != 0) {
        say(out, "failed", "exec", strerror(s->exec_errno));
    } else if (status == SHELL_SIGNAL + SIGKILL && was_oom(s, out)) {
        say(out, "failed", "kernel_oom", NULL);
    } else if ((s->seen & M31RI_SEEN_CUDA_OOM) != 0) {
        say(out, "failed", "cuda_oom", "likely: the program printed that CUDA was out of memory");
    } else if ((s->seen & M31RI_SEEN_DISK_FULL) != 0) {
        say(out, "failed", "disk", "likely: the program printed \"No space left on device\"");
    } else if (s->nonfinite_metric[0] != '\0') {
        char text[256];
        snprintf(text, sizeof text, "likely: the last value of %s was not a finite number",
                 s->nonfinite_metric);
        say(out, "failed", "nonfinite", text);
    } else {
        say(out, "failed", "exit_status", NULL);
    }
}

/* We ended it ourselves, whatever it made of the signal. */
static void judge_stopped(const m31ri_shared *s, int status, m31ri_ending *out)
{
    say(out, "failed", s->stopped_for == M31RI_STOP_ON_NAN ? "nonfinite" : "diverged",
        s->stop_evidence);
    if (WIFSIGNALED(status)) {
        out->end.signal = m31ri_signal_name(WTERMSIG(status), out->signal);
    } else {
        out->end.has_exit_status = true;
        out->end.exit_status = WEXITSTATUS(status);
    }
}

void m31ri_ending_judge(const m31ri_shared *s, m31ri_ending *out)
{
    memset(out, 0, sizeof *out);
    if (atomic_load(&s->has_status) == 0) {
        say(out, "failed", "unknown",
            "the program's end could not be seen: the observer was killed");
        return;
    }
    int status = atomic_load(&s->wait_status);
    if (s->stopped_for != 0) {
        judge_stopped(s, status, out);
        return;
    }
    int asked = atomic_load(&s->asked_signal);
    if (asked != 0 && m31ri_mono_ns() - atomic_load(&s->asked_mono_ns) > ASKED_NS) {
        asked = 0;
    }
    if (WIFSIGNALED(status)) {
        judge_signal(s, WTERMSIG(status), asked, out);
        return;
    }
    out->end.has_exit_status = true;
    out->end.exit_status = WEXITSTATUS(status);
    if (asked != 0) {
        char name[16];
        char text[64];
        snprintf(text, sizeof text, "it exited after %s was passed on",
                 m31ri_signal_name(asked, name));
        say(out, "interrupted", asked == SIGTERM ? "preempted" : "signal", text);
    } else if (out->end.exit_status != 0) {
        judge_failure(s, out->end.exit_status, out);
    } else {
        say(out, "finished", NULL, NULL);
    }
}

static void add_text(m31ri_buf *out, const char *key, const char *value)
{
    m31ri_buf_add_format(out, ",\"%s\":", key);
    if (value != NULL) {
        m31ri_json_string(out, value, strlen(value));
    } else {
        m31ri_buf_add_str(out, "null");
    }
}

void m31ri_ending_line(const m31ri_shared *s, const m31ri_run_end *end, int rank, m31ri_buf *out)
{
    m31ri_buf_add_str(out, "{\"event\":\"run_end\"");
    add_text(out, "run_id", s->run_id[0] != '\0' ? s->run_id : NULL);
    add_text(out, "state", end->state);
    add_text(out, "cause", end->cause);
    if (end->signal != NULL || !end->has_exit_status) {
        add_text(out, "child_exit", end->signal);
    } else {
        m31ri_buf_add_format(out, ",\"child_exit\":%d", end->exit_status);
    }
    if (rank > 0) {
        m31ri_buf_add_format(out, ",\"rank\":%d", rank);
    }
    m31ri_buf_add_str(out, "}\n");
}
