/* cmd_metrics.c - m31r metrics RUN [NAME...]: summaries, points, or a plot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "m31r/chain.h"
#include "m31r/pattern.h"
#include "m31r/reader.h"
#include "m31r/series.h"
#include "m31r/thin.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"csv", 0, NULL, "write every point: name,step,value,ts,segment"},
    {"points", 0, "N", "write at most N points of each metric, its peaks among them"},
    {"where", 'w', "EXPR", "write the points for which it holds: name==\"loss\" and value>3"},
    {"plot", 0, NULL, "draw the course of each metric"},
    {"alone", 0, NULL, "a resumed run without the runs that it continues"},
    {"pattern", 0, "NAME=REGEX", "take the points from kept lines instead; may be given often"},
    {NULL, 0, NULL, NULL},
};

/* Where the points come from: the run's own, or lines by patterns. */
typedef struct origin {
    const m31r_reader *reader;
    m31r_chain *chain;       /* NULL: of the run alone */
    m31r_patterns *patterns; /* NULL: the run's own points */
    m31r_pattern_count counts[M31R_PATTERN_LIMIT];
} origin;

static m31r_err compile(cli *c, origin *o, m31r_error *e)
{
    const char *specs[M31R_PATTERN_LIMIT + 1];
    size_t n = 0;
    for (int i = 0; i < cli_count(c, "pattern") && n <= M31R_PATTERN_LIMIT; i++) {
        specs[n++] = cli_value_at(c, "pattern", i);
    }
    return n > 0 ? m31r_patterns_new(specs, n, &o->patterns, e) : M31R_OK;
}

/* Says which patterns gave nothing, and why that may be. */
static void note_unmatched(cli *c, const origin *o)
{
    const char *capture = m31r_reader_facts(o->reader)->capture;
    bool has_lines = strcmp(capture, "full") == 0 || capture[0] == '\0';
    for (size_t i = 0; i < m31r_patterns_count(o->patterns); i++) {
        if (o->counts[i].n_matched == 0) {
            cli_note(c, "pattern \"%s\" matched no kept line%s%s",
                     m31r_patterns_name(o->patterns, i),
                     has_lines ? "" : ": the run was made with capture ", has_lines ? "" : capture);
        }
    }
}

static bool is_wanted(const cli *c, const char *name, size_t length)
{
    bool is_any = c->n_args <= 1;
    for (int i = 1; i < c->n_args && !is_any; i++) {
        is_any = strlen(c->args[i]) == length && memcmp(c->args[i], name, length) == 0;
    }
    return is_any;
}

static m31r_err open_points(origin *o, m31r_points **out, m31r_error *e)
{
    if (o->patterns != NULL) {
        return m31r_points_open_lines(out, o->reader, o->patterns, o->counts, e);
    }
    return o->chain != NULL ? m31r_points_open_chain(out, o->chain, e)
                            : m31r_points_open(out, o->reader, e);
}

static m31r_err open_series(origin *o, m31r_series **out, m31r_error *e)
{
    if (o->patterns != NULL) {
        return m31r_series_open_lines(out, o->reader, o->patterns, o->counts, e);
    }
    return o->chain != NULL ? m31r_series_open_chain(out, o->chain, e)
                            : m31r_series_open(out, o->reader, e);
}

/* Says that the points are those of several runs. */
static void note_chain(cli *c, const m31r_chain *chain)
{
    m31r_attempt a;
    uint64_t n = 0;
    for (size_t i = 0; m31r_chain_attempt(chain, i, &a) == M31R_OK; i++) {
        n += a.n_superseded;
    }
    if (m31r_chain_count(chain) > 1) {
        cli_note(c,
                 "%zu attempts as one series; %llu points are superseded and left out (--alone: "
                 "the newest attempt only)",
                 m31r_chain_count(chain), (unsigned long long)n);
    }
    if (m31r_chain_problem(chain)[0] != '\0') {
        cli_note(c, "%s", m31r_chain_problem(chain));
    }
}

static void write_line(const m31r_point_view *p)
{
    fwrite(p->line, 1, p->length, stdout);
    putchar('\n');
}

/* All points that are wanted, or with `limit` those that a plot needs. */
static m31r_err write_points(cli *c, origin *o, m31r_expr *expr, int64_t limit, m31r_error *e)
{
    m31r_points *points = NULL;
    m31r_thin *thin = NULL;
    m31r_point_view p;
    m31r_err err = limit > 0 ? m31r_thin_new(&thin, (size_t)limit, e) : M31R_OK;
    err = err == M31R_OK ? open_points(o, &points, e) : err;
    puts("name,step,value,ts,segment");
    while (err == M31R_OK && (err = m31r_points_next(points, &p, e)) == M31R_OK) {
        bool is_asked_for = is_wanted(c, p.name, p.name_length) &&
                            (expr == NULL || m31r_expr_holds_point(expr, &p));
        if (is_asked_for && thin != NULL) {
            err = m31r_thin_add(thin, &p, e);
        } else if (is_asked_for) {
            write_line(&p);
        }
    }
    err = err == M31R_EOF ? M31R_OK : err;
    while (err == M31R_OK && thin != NULL && (err = m31r_thin_next(thin, &p)) == M31R_OK) {
        write_line(&p);
    }
    m31r_points_close(points);
    m31r_thin_free(thin);
    return err == M31R_EOF ? M31R_OK : err;
}

/* The wanted metrics, in the run's order or in that of the arguments. */
static m31r_err select_metrics(cli *c, const m31r_series *series, m31r_metric_facts *out, size_t *n,
                               m31r_error *e)
{
    *n = 0;
    if (c->n_args <= 1) {
        while (m31r_series_get(series, *n, &out[*n]) == M31R_OK) {
            (*n)++;
        }
        return M31R_OK;
    }
    for (int i = 1; i < c->n_args; i++) {
        const char *names[256];
        int n_names = 0;
        m31r_metric_facts m;
        if (m31r_series_find(series, c->args[i], &out[*n]) == M31R_OK) {
            (*n)++;
            continue;
        }
        for (size_t k = 0; n_names < 256 && m31r_series_get(series, k, &m) == M31R_OK; k++) {
            names[n_names++] = m.name;
        }
        const char *nearest = cli_nearest(c->args[i], names, n_names);
        memset(e, 0, sizeof *e);
        e->code = M31R_E_NOTFOUND;
        snprintf(e->message, sizeof e->message, "the run has no metric \"%s\"", c->args[i]);
        snprintf(e->hint, sizeof e->hint,
                 nearest != NULL ? "did you mean %s?" : "all of them: m31r metrics %s",
                 nearest != NULL ? nearest : c->args[0]);
        return M31R_E_NOTFOUND;
    }
    return M31R_OK;
}

static m31r_err write_summaries(cli *c, origin *o, m31r_error *e)
{
    m31r_series *series = NULL;
    size_t n = 0;
    m31r_err err = open_series(o, &series, e);
    if (err != M31R_OK) {
        return err;
    }
    size_t limit = m31r_series_count(series) + (size_t)c->n_args;
    m31r_metric_facts *metrics = calloc(limit, sizeof *metrics);
    if (metrics == NULL) {
        *e = (m31r_error){.code = M31R_E_NOMEM, .message = "out of memory for the metrics"};
        err = M31R_E_NOMEM;
    } else {
        err = select_metrics(c, series, metrics, &n, e);
    }
    if (err == M31R_OK && cli_has(c, "plot")) {
        for (size_t i = 0; i < n; i++) {
            m31r_show_plot(&c->out, &metrics[i]);
        }
    } else if (err == M31R_OK) {
        err = m31r_show_metrics(&c->out, metrics, n, e);
    }
    uint64_t n_bad = m31r_series_bad_lines(series);
    if (err == M31R_OK && n_bad > 0) {
        cli_note(c, "%llu lines of metrics.csv are no points and were left out",
                 (unsigned long long)n_bad);
    }
    free(metrics);
    m31r_series_close(series);
    return err;
}

static int run(cli *c)
{
    m31r_reader *reader = NULL;
    m31r_expr *expr = NULL;
    m31r_error e;
    if (c->n_args > 0 && cli_is_filter(c->args[0])) {
        return cli_filter_is_no_run(c, c->args[0]);
    }
    int64_t limit = 0;
    if (!cli_number(c, "points", M31R_THIN_LEAST, M31R_THIN_MOST, &limit) ||
        !cli_expr(c, M31R_EXPR_POINT, &expr)) {
        return 1;
    }
    m31r_err err =
        m31r_reader_open(&reader, cli_value(c, "root"), c->n_args > 0 ? c->args[0] : "@", &e);
    origin o = {.reader = reader};
    err = err == M31R_OK ? compile(c, &o, &e) : err;
    if (err == M31R_OK && o.patterns == NULL && !cli_has(c, "alone")) {
        err = m31r_chain_open(&o.chain, reader, &e);
    }
    if (err == M31R_OK) {
        bool wants_points = cli_has(c, "csv") || expr != NULL || limit > 0;
        err = wants_points ? write_points(c, &o, expr, limit, &e) : write_summaries(c, &o, &e);
    }
    if (err == M31R_OK) {
        note_unmatched(c, &o);
    }
    if (err == M31R_OK && o.chain != NULL) {
        note_chain(c, o.chain);
    }
    m31r_chain_close(o.chain);
    m31r_patterns_free(o.patterns);
    m31r_reader_close(reader);
    int status = err == M31R_OK ? 0 : cli_fail(c, &e);
    cli_note_expr(c, expr, "point");
    m31r_expr_free(expr);
    return status;
}

const command command_metrics = {
    .name = "metrics",
    .summary = "summaries, points or plots of a run's metrics",
    .usage = "[RUN [NAME...]] [--csv | --points N | -w EXPR | --plot] [--alone] [--pattern "
             "NAME=REGEX]...",
    .options = options,
    .run = run,
    .details =
        "Computed from metrics.csv and from the files of other ranks. Non-finite values are "
        "counted and left out of "
        "the\nstatistics. The runs that a resumed run continues belong to it: the newest attempt "
        "wins a "
        "step, what it supersedes\nis left out and counted. JSON: one object of kind metric each.\n"
        "--points N thins a metric out for a plot: of N/2 stretches of equally many points the "
        "smallest and the\nlargest are kept, the first that is not finite, and the first and the "
        "last of all.\n"
        "--pattern takes the points from the printed lines that the run has kept, as `m31r run "
        "--metric` does\nwhile it runs; the run itself is not changed.",
    .examples = "m31r metrics @\nm31r metrics @ loss --plot\nm31r metrics @ loss --csv > loss.csv\n"
                "m31r metrics @ --points 1000 > plot.csv\n"
                "m31r metrics @ -w 'name==\"loss\" and value>3'\n"
                "m31r metrics @ --pattern 'loss=loss:? ([0-9.eE+-]+)'",
    .max_args = -1,
};
