/* keeper_anomalies.c - what the rules find in the points, as records of the observer; and the end
 * of the program, where the user asked for it.
 *
 * The records stand in the lane that diff sets aside: what they say of times differs between two
 * runs of the same thing. Nothing else is written or left out because of an anomaly. A program that
 * is to end gets SIGTERM, as all that it started, and SIGKILL when it is still there half a minute
 * later.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "observe/keeper.h"

#define PATIENCE_NS (30LL * 1000 * 1000 * 1000)

static void report(m31ri_keeper *k, const m31ri_run_anomaly *a)
{
    m31ri_field fields[M31RI_ANOMALY_FIELDS];
    size_t n = m31ri_run_anomaly_fields(a, fields);
    m31ri_keeper_report(k, a->is_cleared ? M31R_INFO : M31R_WARNING,
                        a->is_cleared ? "anomaly_cleared" : "anomaly", fields, n);
}

/* To the program and all that descends from it. */
static void signal_program(m31ri_keeper *k, int signal_number)
{
    int64_t roots[M31RI_ROOTS];
    m31ri_keeper_roots(k, roots);
    m31ri_proc_tree *tree = m31ri_proc_tree_new();
    if (tree != NULL) {
        m31ri_proc_tree_signal(tree, roots, M31RI_ROOTS, roots, M31RI_OBSERVERS, signal_number);
    } else {
        m31ri_pidfd_signal(k->program_pidfd, (pid_t)roots[M31RI_OBSERVERS], signal_number);
    }
    m31ri_proc_tree_free(tree);
}

static bool is_running(const m31ri_keeper *k)
{
    return atomic_load(&k->shared->phase) == M31RI_PHASE_RUNNING && k->ended_mono_ns == 0;
}

static void stop_for(m31ri_keeper *k, int reason, const m31ri_run_anomaly *a)
{
    m31ri_shared *s = k->shared;
    const char *option = reason == M31RI_STOP_ON_NAN ? "nan" : "diverged";
    snprintf(s->stop_evidence, sizeof s->stop_evidence, "--stop-on %s: %.64s at step %lld: %.120s",
             option, a->metric, (long long)a->finding.step, a->evidence);
    s->stop_mono_ns = m31ri_mono_ns();
    s->stopped_for = reason;
    const m31ri_field fields[] = {{"because", m31r_of_string(s->stop_evidence)},
                                  {"signal", m31r_of_string("SIGTERM")}};
    m31ri_keeper_report(k, M31R_WARNING, "program_stopped_by_rule", fields, 2);
    signal_program(k, SIGTERM);
}

static void stop_if_asked(m31ri_keeper *k, const m31ri_run_anomaly *a)
{
    m31ri_anomaly_kind kind = a->finding.anomaly.kind;
    int reason = kind == M31RI_ANOMALY_NONFINITE ? M31RI_STOP_ON_NAN
                 : kind == M31RI_ANOMALY_DIVERGE ? M31RI_STOP_ON_DIVERGED
                                                 : 0;
    bool is_asked = (k->plan->stop_on & reason) != 0 && a->finding.role == M31RI_METRIC_LOSS;
    if (is_asked && !a->is_cleared && k->shared->stopped_for == 0 && is_running(k)) {
        stop_for(k, reason, a);
    }
}

static void lose_patience(m31ri_keeper *k)
{
    m31ri_shared *s = k->shared;
    if (s->stopped_for == 0 || s->is_stop_forced || !is_running(k) ||
        m31ri_mono_ns() - s->stop_mono_ns < PATIENCE_NS) {
        return;
    }
    s->is_stop_forced = true;
    const m31ri_field fields[] = {{"because", m31r_of_string("it is still there after 30 s")},
                                  {"signal", m31r_of_string("SIGKILL")}};
    m31ri_keeper_report(k, M31R_WARNING, "program_stopped_by_rule", fields, 2);
    signal_program(k, SIGKILL);
}

void m31ri_keeper_report_anomalies(m31ri_keeper *k)
{
    m31ri_run_anomaly a;
    while (m31ri_run_next_anomaly(k->run, &a)) {
        if (!a.is_old) {
            report(k, &a);
        }
        stop_if_asked(k, &a);
    }
    lose_patience(k);
}
