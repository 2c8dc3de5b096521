/* fuzz_history.c - any bytes as a file of `m31r export --history`.
 *
 * A file is refused as a whole with the line named, or read as a whole; then every run of it is in
 * a group or set aside, an expression leaves out and adds none, and every verdict has a reason.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "m31r/trend.h"
#include "trend/history_rows.h"
#include "fuzz.h"

static const char *const by[] = {"host", "config.layers"};

static size_t count_of(const m31r_trend *t)
{
    const m31r_trend_facts *f = m31r_trend_summary(t);
    m31r_trend_group group;
    m31r_trend_aside aside;
    size_t n = 0, n_compared = 0;
    for (size_t i = 0; m31r_trend_group_at(t, i, &group) == M31R_OK; i++) {
        REQUIRE(group.n_runs > 0 && group.verdict != M31R_GATE_NONE && group.reason[0] != '\0');
        n_compared += group.n_runs;
    }
    REQUIRE(n_compared == f->n_runs);
    for (size_t i = 0; m31r_trend_aside_at(t, i, &aside) == M31R_OK; i++) {
        n += aside.n_runs;
    }
    return n + n_compared;
}

static void ask(const char *path, size_t n_rows, size_t n_by, m31r_expr *expr)
{
    m31r_trend_options o = M31R_TREND_OPTIONS_INIT;
    m31r_trend *t = NULL;
    m31r_error e;
    o.metric = "step_ms";
    o.history = path;
    o.root = "/nonexistent/experiments";
    o.has_gate = true;
    o.better = M31R_BETTER_LOWER;
    o.by = by;
    o.n_by = n_by;
    o.expr = expr;
    if (m31r_trend_open(&t, &o, &e) == M31R_OK) {
        size_t n = count_of(t);
        REQUIRE(expr != NULL ? n <= n_rows : n == n_rows);
    }
    m31r_trend_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    m31ri_history h = {0};
    m31r_error e = {0};
    m31r_expr *expr = NULL;
    int fd = memfd_create("history", MFD_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    m31r_err err = m31ri_history_read(&h, path, &e);
    REQUIRE(err == M31R_OK || (err == M31R_E_ARG && e.line > 0));
    if (err == M31R_OK) {
        REQUIRE(m31r_expr_compile(&expr,
                                  "config.lr<1 and metrics.step_ms.mean>0 and ts>\"2026-01-02\"",
                                  M31R_EXPR_RUN, &e) == M31R_OK);
        ask(path, h.n, 0, NULL);
        ask(path, h.n, 2, expr);
    }
    m31r_expr_free(expr);
    m31ri_history_release(&h);
    close(fd);
    return 0;
}
