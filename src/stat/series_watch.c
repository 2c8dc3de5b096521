/* series_watch.c - a role's rules in one object. */
#include "stat/series_watch.h"

#include <math.h>

#include "base/alloc.h"
#include "stat/series_rules.h"

typedef struct loss_rules {
    m31ri_spike_rule spike;
    m31ri_diverge_rule diverge;
    m31ri_stuck_rule stuck;
    m31ri_plateau_rule plateau;
} loss_rules;

struct m31ri_series_watch {
    m31ri_metric_role role;
    m31ri_nonfinite_rule nonfinite;
    union {
        loss_rules loss;
        m31ri_slow_rule slow;
        m31ri_leak_rule leak;
        m31ri_idle_rule idle;
    } of;
};

static size_t bytes_of(m31ri_metric_role role)
{
    static const size_t sizes[M31RI_METRIC_ROLES] = {
        [M31RI_METRIC_LOSS] = sizeof(loss_rules),
        [M31RI_METRIC_DURATION] = sizeof(m31ri_slow_rule),
        [M31RI_METRIC_THROUGHPUT] = sizeof(m31ri_slow_rule),
        [M31RI_METRIC_MEMORY] = sizeof(m31ri_leak_rule),
        [M31RI_METRIC_BUSY] = sizeof(m31ri_idle_rule),
    };
    return offsetof(m31ri_series_watch, of) + sizes[role];
}

m31ri_series_watch *m31ri_series_watch_new(m31ri_metric_role role)
{
    m31ri_series_watch *w = m31ri_calloc(1, bytes_of(role));
    if (w == NULL) {
        return NULL;
    }
    w->role = role;
    m31ri_nonfinite_init(&w->nonfinite);
    switch (role) {
    case M31RI_METRIC_LOSS:
        m31ri_spike_init(&w->of.loss.spike);
        m31ri_diverge_init(&w->of.loss.diverge);
        m31ri_stuck_init(&w->of.loss.stuck);
        m31ri_plateau_init(&w->of.loss.plateau);
        break;
    case M31RI_METRIC_DURATION:
    case M31RI_METRIC_THROUGHPUT:
        m31ri_slow_init(&w->of.slow);
        break;
    case M31RI_METRIC_MEMORY:
        m31ri_leak_init(&w->of.leak);
        break;
    case M31RI_METRIC_BUSY:
        m31ri_idle_init(&w->of.idle);
        break;
    default:
        break;
    }
    return w;
}

void m31ri_series_watch_free(m31ri_series_watch *w)
{
    m31ri_free(w);
}

typedef struct changes {
    m31ri_series_change *out;
    size_t n;
} changes;

static void note(changes *c, m31ri_anomaly_kind kind, m31ri_anomaly_event verdict,
                 m31ri_anomaly found)
{
    if (verdict != M31RI_NOTHING) {
        found.kind = kind;
        c->out[c->n++] = (m31ri_series_change){verdict, found};
    }
}

static void add_loss(loss_rules *r, double x, changes *c)
{
    m31ri_anomaly found = {0};
    note(c, M31RI_ANOMALY_SPIKE, m31ri_spike_add(&r->spike, x, &found), found);
    note(c, M31RI_ANOMALY_DIVERGE, m31ri_diverge_add(&r->diverge, x, &found), found);
    note(c, M31RI_ANOMALY_STUCK, m31ri_stuck_add(&r->stuck, x, &found), found);
    note(c, M31RI_ANOMALY_PLATEAU, m31ri_plateau_add(&r->plateau, x, &found), found);
}

/* `is_rate`: judged as a duration, told as the rate that it is. */
static void add_pace(m31ri_slow_rule *r, double x, bool is_rate, changes *c)
{
    size_t first = c->n;
    double duration = is_rate ? 1 / x : x;
    m31ri_anomaly found = {0};
    note(c, M31RI_ANOMALY_OUTLIER, m31ri_outlier_check(r, duration, &found), found);
    note(c, M31RI_ANOMALY_SLOW, m31ri_slow_add(r, duration, &found), found);
    for (size_t i = first; is_rate && i < c->n; i++) {
        m31ri_anomaly *a = &c->out[i].anomaly;
        a->value = 1 / a->value;
        a->usual = 1 / a->usual;
        a->limit = 1 / a->limit;
    }
}

size_t m31ri_series_watch_add(m31ri_series_watch *w, double x,
                              m31ri_series_change out[M31RI_SERIES_CHANGES])
{
    changes c = {out, 0};
    m31ri_anomaly found = {0};
    note(&c, M31RI_ANOMALY_NONFINITE, m31ri_nonfinite_add(&w->nonfinite, x, &found), found);
    if (!isfinite(x)) {
        return c.n;
    }
    switch (w->role) {
    case M31RI_METRIC_LOSS:
        add_loss(&w->of.loss, x, &c);
        break;
    case M31RI_METRIC_DURATION:
        add_pace(&w->of.slow, x, false, &c);
        break;
    case M31RI_METRIC_THROUGHPUT:
        if (x > 0 && isfinite(1 / x)) {
            add_pace(&w->of.slow, x, true, &c);
        }
        break;
    case M31RI_METRIC_MEMORY:
        note(&c, M31RI_ANOMALY_LEAK, m31ri_leak_add(&w->of.leak, x, &found), found);
        break;
    case M31RI_METRIC_BUSY:
        note(&c, M31RI_ANOMALY_GPU_IDLE, m31ri_idle_add(&w->of.idle, x, &found), found);
        break;
    default:
        break;
    }
    return c.n;
}
