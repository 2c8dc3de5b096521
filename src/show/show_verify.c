/* show_verify.c - a verification: the five criteria first, then what they rest on, then the
 * verdict. */
#include <stdio.h>

#include "m31r/json.h"
#include "show/rows.h"
#include "show/text.h"

static const char *const answers[] = {"no", "yes", "-"};

static void add_check(m31r_json *j, const m31r_check *c)
{
    m31r_json_open(j, NULL, '{');
    m31r_json_add_text(j, "id", c->id);
    m31r_json_add_text(j, "what", c->what);
    if (c->answer == M31R_NOT_APPLICABLE) {
        m31r_json_add_null(j, "holds");
    } else {
        m31r_json_add_bool(j, "holds", c->answer == M31R_YES);
    }
    m31r_json_add_text(j, "why", c->why);
    m31r_json_add_text(j, "path", c->path[0] != '\0' ? c->path : NULL);
    if (c->line > 0) {
        m31r_json_add_int(j, "line", (int64_t)c->line);
    } else {
        m31r_json_add_null(j, "line");
    }
    if (c->has_byte) {
        m31r_json_add_int(j, "byte", (int64_t)c->byte);
    } else {
        m31r_json_add_null(j, "byte");
    }
    m31r_json_close(j);
}

static m31r_err write_json(const m31r_screen *s, const m31r_reader *r, const m31r_verification *v,
                           m31r_error *e)
{
    const m31r_facts *f = m31r_reader_facts(r);
    m31r_json *j = m31r_json_new("verification");
    m31r_json_add_text(j, "run_id", f->run_id);
    m31r_json_add_text(j, "path", f->path);
    m31r_json_add_text(j, "verdict", m31r_verdict_name(m31r_verification_verdict(v)));
    m31r_json_open(j, "criteria", '[');
    for (size_t i = 0; m31r_verification_criterion(v, i) != NULL; i++) {
        add_check(j, m31r_verification_criterion(v, i));
    }
    m31r_json_close(j);
    m31r_json_open(j, "checks", '[');
    for (size_t i = 0; i < m31r_verification_checks(v); i++) {
        add_check(j, m31r_verification_check(v, i));
    }
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

static void write_why(const m31r_screen *s, const m31r_check *c)
{
    m31r_show_text(s, c->why);
    if (c->path[0] != '\0') {
        fputs(" [", s->out);
        m31r_show_text(s, c->path);
        if (c->line > 0) {
            fprintf(s->out, ":%llu", (unsigned long long)c->line);
        }
        fputc(']', s->out);
    }
}

/* Which check the verdict comes from: one of many below. */
static void write_cause(const m31r_screen *s, const m31r_verification *v)
{
    m31r_verdict verdict = m31r_verification_verdict(v);
    for (size_t i = 0; i < m31r_verification_checks(v); i++) {
        const m31r_check *c = m31r_verification_check(v, i);
        if (c->answer == M31R_NO && c->breaks == verdict && verdict != M31R_VERDICT_VERIFIED) {
            fprintf(s->out, "because not: %s: ", c->what);
            write_why(s, c);
            fputc('\n', s->out);
            return;
        }
    }
}

static void write_check(const m31r_screen *s, const m31r_check *c)
{
    static const m31ri_style styles[] = {M31RI_RED, M31RI_GREEN, M31RI_DIM};
    fprintf(s->out, "  %s%-3s%s %-8s %s", m31ri_style_on(s, styles[c->answer]), answers[c->answer],
            m31ri_style_off(s, styles[c->answer]), c->id, c->what);
    fprintf(s->out, "%s: ", m31ri_style_on(s, M31RI_DIM));
    write_why(s, c);
    fprintf(s->out, "%s\n", m31ri_style_off(s, M31RI_DIM));
}

m31r_err m31r_show_verification(const m31r_screen *s, const m31r_reader *r,
                                const m31r_verification *v, m31r_error *e)
{
    if (s->is_json) {
        return write_json(s, r, v, e);
    }
    m31r_verdict verdict = m31r_verification_verdict(v);
    m31ri_style style = verdict <= M31R_VERDICT_PREFIX ? M31RI_GREEN : M31RI_BOLD_RED;
    fputs(m31ri_style_on(s, M31RI_BOLD), s->out);
    m31r_show_text(s, m31r_reader_facts(r)->run_id);
    fprintf(s->out, "%s   %s%s%s\n", m31ri_style_off(s, M31RI_BOLD), m31ri_style_on(s, style),
            m31r_verdict_name(verdict), m31ri_style_off(s, style));
    write_cause(s, v);
    if (m31r_verification_criterion(v, 0) != NULL) {
        fputs("observable (section 29)\n", s->out);
    }
    for (size_t i = 0; m31r_verification_criterion(v, i) != NULL; i++) {
        write_check(s, m31r_verification_criterion(v, i));
    }
    fputs("checks\n", s->out);
    for (size_t i = 0; i < m31r_verification_checks(v); i++) {
        write_check(s, m31r_verification_check(v, i));
    }
    return M31R_OK;
}
