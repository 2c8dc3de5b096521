/* show_chain.c - the attempts of a resumed run: their steps, what was superseded, where two of them
 * part, and what was changed between them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "m31r/json.h"
#include "show/rows.h"
#include "show/text.h"

static void add_place(m31r_json *j, const char *key, const m31r_attempt *a,
                      const m31r_chain_place *p)
{
    m31r_json_open(j, key, '{');
    m31r_json_add_text(j, "run_id", m31r_reader_facts(a->reader)->run_id);
    m31r_json_add_text(j, "file", p->file);
    m31r_json_add_int(j, "line", (int64_t)p->line);
    m31r_json_add_double(j, "value", p->value);
    m31r_json_close(j);
}

/* Null when there is nothing before to overlap with, or no step that both have. */
static void add_overlap(m31r_json *j, const m31r_chain *chain, size_t i)
{
    m31r_overlap o;
    m31r_attempt before;
    m31r_attempt after;
    if (m31r_chain_overlap(chain, i, &o) != M31R_OK || o.first_step == M31R_NO_STEP) {
        m31r_json_add_null(j, "overlap");
        return;
    }
    m31r_chain_attempt(chain, i - 1, &before);
    m31r_chain_attempt(chain, i, &after);
    m31r_json_open(j, "overlap", '{');
    m31ri_add_step(j, "first_step", o.first_step);
    m31ri_add_step(j, "last_step", o.last_step);
    m31r_json_add_int(j, "same", (int64_t)o.n_same);
    m31r_json_add_int(j, "differ", (int64_t)o.n_differ);
    m31r_json_add_int(j, "alone", (int64_t)o.n_alone);
    if (o.name[0] != '\0') {
        m31r_json_open(j, "first_difference", '{');
        m31r_json_add_text(j, "metric", o.name);
        m31ri_add_step(j, "step", o.step);
        add_place(j, "before", &before, &o.before);
        add_place(j, "after", &after, &o.after);
        m31r_json_close(j);
    } else {
        m31r_json_add_null(j, "first_difference");
    }
    m31r_json_close(j);
}

void m31ri_add_attempts(m31r_json *j, const m31r_chain *chain)
{
    m31r_attempt a;
    m31r_json_open(j, "attempts", '[');
    for (size_t i = 0; m31r_chain_attempt(chain, i, &a) == M31R_OK && m31r_chain_count(chain) > 1;
         i++) {
        const m31r_facts *f = m31r_reader_facts(a.reader);
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "run_id", f->run_id);
        m31r_json_add_text(j, "state", m31r_state_name(f->state));
        m31r_json_add_text(j, "cause", f->cause[0] != '\0' ? f->cause : NULL);
        m31ri_add_step(j, "first_step", a.first_step);
        m31ri_add_step(j, "last_step", a.last_step);
        m31r_json_add_int(j, "points", (int64_t)a.n_points);
        m31r_json_add_int(j, "superseded", (int64_t)a.n_superseded);
        m31r_json_add_int(j, "nonfinite", (int64_t)a.n_nonfinite);
        m31r_json_add_text(j, "changed", m31r_chain_changed(chain, i));
        add_overlap(j, chain, i);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    const char *problem = m31r_chain_problem(chain);
    m31r_json_add_text(j, "attempts_problem", problem[0] != '\0' ? problem : NULL);
}

static void label(const m31r_screen *s, const char *name)
{
    fprintf(s->out, "%s%-10s%s", m31ri_style_on(s, M31RI_DIM), name, m31ri_style_off(s, M31RI_DIM));
}

static void put_steps(const m31r_screen *s, int64_t first, int64_t last)
{
    char text[M31RI_HUMAN_BYTES];
    if (first == M31R_NO_STEP) {
        fputs("no steps", s->out);
        return;
    }
    fputs(m31ri_human_count(first, text), s->out);
    fprintf(s->out, "..%s", m31ri_human_count(last, text));
}

/* "2  40,001..41,872  killed signal, from step 40,000 of attempt 1" */
static void write_attempt(const m31r_screen *s, const m31r_chain *chain, size_t i)
{
    char text[M31RI_HUMAN_BYTES];
    m31r_attempt a;
    m31r_chain_attempt(chain, i, &a);
    const m31r_facts *f = m31r_reader_facts(a.reader);
    label(s, i == 0 ? "attempts" : "");
    fprintf(s->out, "%zu: ", i + 1);
    put_steps(s, a.first_step, a.last_step);
    fprintf(s->out, " %s", m31r_state_name(f->state));
    if (f->cause[0] != '\0') {
        fputc(' ', s->out);
        m31r_show_text(s, f->cause);
    }
    if (f->resumes[0] != '\0' && f->resumes_step != M31R_UNKNOWN) {
        fprintf(s->out, ", from step %s", m31ri_human_count(f->resumes_step, text));
    }
    if (a.n_superseded > 0) {
        fprintf(s->out, ", %s of its points superseded, kept",
                m31ri_human_count((int64_t)a.n_superseded, text));
    }
    if (a.n_nonfinite > 0) {
        fprintf(s->out, ", %s non-finite", m31ri_human_count((int64_t)a.n_nonfinite, text));
    }
    if (i + 1 < m31r_chain_count(chain)) {
        fputs("  (", s->out);
        m31r_show_text(s, m31ri_short_id(f->run_id));
        fputc(')', s->out);
    }
    fputc('\n', s->out);
}

/* "steps 41..60 of attempts 1 and 2: 40 points, equal" */
static void write_overlap(const m31r_screen *s, const m31r_chain *chain, size_t i)
{
    char text[M31RI_HUMAN_BYTES];
    char other[M31RI_HUMAN_BYTES];
    m31r_overlap o;
    m31r_attempt before;
    m31r_chain_overlap(chain, i, &o);
    m31r_chain_attempt(chain, i - 1, &before);
    label(s, "overlap");
    if (o.first_step == M31R_NO_STEP) {
        fprintf(s->out, "none: attempts %zu and %zu have no step of a metric in common\n", i,
                i + 1);
        return;
    }
    fputs("steps ", s->out);
    put_steps(s, o.first_step, o.last_step);
    fprintf(s->out, " of attempts %zu and %zu: ", i, i + 1);
    if (o.name[0] == '\0') {
        fprintf(s->out, "%s points, equal",
                m31ri_human_count((int64_t)(o.n_same + o.n_differ), text));
    } else {
        fprintf(s->out, "differ from step %s: ", m31ri_human_count(o.step, text));
        m31r_show_text(s, o.name);
        fprintf(s->out, " %s, then %s [../", m31ri_human_number(o.before.value, text),
                m31ri_human_number(o.after.value, other));
        m31r_show_text(s, m31r_reader_facts(before.reader)->run_id);
        fprintf(s->out, "/%s:%" PRIu64 ", %s:%" PRIu64 "]", o.before.file, o.before.line,
                o.after.file, o.after.line);
    }
    if (o.n_alone > 0) {
        fprintf(s->out, "; %s points of one alone", m31ri_human_count((int64_t)o.n_alone, text));
    }
    fputc('\n', s->out);
}

void m31ri_write_attempts(const m31r_screen *s, const m31r_chain *chain)
{
    size_t n = m31r_chain_count(chain);
    const char *problem = m31r_chain_problem(chain);
    for (size_t i = 0; i < n && n > 1; i++) {
        write_attempt(s, chain, i);
    }
    for (size_t i = 1; i < n; i++) {
        const char *changed = m31r_chain_changed(chain, i);
        write_overlap(s, chain, i);
        label(s, "changed");
        fprintf(s->out, "since attempt %zu: ", i);
        m31r_show_text(s, changed[0] != '\0' ? changed : "nothing in config, code, data or seed");
        fputc('\n', s->out);
    }
    if (problem[0] != '\0') {
        label(s, n > 1 ? "" : "attempts");
        m31r_show_text(s, problem);
        fputc('\n', s->out);
    }
}
