/* show_gate.c - verdicts of a gate for other programs: JUnit's XML, and Markdown for a comment. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fail.h"
#include "m31r/show.h"

/* Text between tags or quotes; what XML 1.0 does not allow becomes '?'. */
static void put_xml(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        const char *name = c == '<'   ? "&lt;"
                           : c == '>' ? "&gt;"
                           : c == '&' ? "&amp;"
                           : c == '"' ? "&quot;"
                                      : NULL;
        if (name != NULL) {
            fputs(name, out);
        } else {
            fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
        }
    }
}

static void write_case(FILE *out, const m31r_trend_facts *f, const m31r_trend_group *g)
{
    fputs("    <testcase classname=\"m31r.trend.", out);
    put_xml(out, f->metric);
    fputs("\" name=\"", out);
    put_xml(out, g->name);
    fputs("\"", out);
    if (g->verdict == M31R_GATE_PASSED || g->verdict == M31R_GATE_NONE) {
        fputs("/>\n", out);
        return;
    }
    const char *element = g->verdict == M31R_GATE_FAILED ? "failure" : "skipped";
    fprintf(out, ">\n      <%s message=\"", element);
    put_xml(out, g->reason);
    fputs("\"/>\n    </testcase>\n", out);
}

static m31r_err finish(FILE *out, m31r_error *e)
{
    if (fflush(out) != 0 || ferror(out)) {
        return m31ri_fail(e, M31R_E_IO, "the report could not be written");
    }
    return M31R_OK;
}

m31r_err m31r_show_trend_junit(FILE *out, const m31r_trend *t, m31r_error *e)
{
    const m31r_trend_facts *f = m31r_trend_summary(t);
    m31r_trend_group g;
    size_t n_of[4] = {0};
    for (size_t i = 0; m31r_trend_group_at(t, i, &g) == M31R_OK; i++) {
        n_of[g.verdict]++;
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite "
            "name=\"m31r trend\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\">\n",
            f->n_groups, n_of[M31R_GATE_FAILED], n_of[M31R_GATE_UNDECIDED]);
    for (size_t i = 0; m31r_trend_group_at(t, i, &g) == M31R_OK; i++) {
        write_case(out, f, &g);
    }
    fputs("  </testsuite>\n</testsuites>\n", out);
    return finish(out, e);
}

/* Text in a cell: what Markdown or HTML would act on is escaped. */
static void put_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (strchr("|\\`*_<>[]", c) != NULL) {
            fputc('\\', out);
        }
        fputc(c < 0x20 || c == 0x7f ? ' ' : c, out);
    }
}

static void put_number(FILE *out, double x)
{
    if (isnan(x)) {
        fputs(" - |", out);
    } else {
        fprintf(out, " %.4g |", x);
    }
}

m31r_err m31r_show_trend_markdown(FILE *out, const m31r_trend *t, m31r_error *e)
{
    static const char *const words[] = {"-", "passed", "undecided", "**FAILED**"};
    const m31r_trend_facts *f = m31r_trend_summary(t);
    m31r_trend_group g;
    m31r_trend_aside aside;
    fputs("### ", out);
    put_cell(out, f->metric);
    fprintf(out, " (%s): %s\n\n", f->statistic, words[f->verdict]);
    fputs("| group | runs | baseline | now | verdict | why |\n|---|---|---|---|---|---|\n", out);
    for (size_t i = 0; m31r_trend_group_at(t, i, &g) == M31R_OK; i++) {
        double now = m31r_changes_summary(g.changes)->level;
        fputs("| ", out);
        put_cell(out, g.name);
        fprintf(out, " | %zu |", g.n_runs);
        put_number(out, g.verdict == M31R_GATE_NONE ? NAN : g.baseline_level);
        put_number(out, now);
        fprintf(out, " %s | ", words[g.verdict]);
        put_cell(out, g.reason);
        fputs(" |\n", out);
    }
    for (size_t i = 0; m31r_trend_aside_at(t, i, &aside) == M31R_OK; i++) {
        fprintf(out, "%s%zu %s", i == 0 ? "\nset aside: " : ", ", aside.n_runs, aside.reason);
    }
    fputs(f->n_aside > 0 ? "\n" : "", out);
    return finish(out, e);
}
