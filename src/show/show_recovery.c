/* show_recovery.c - what was, or would be, done with a run that nobody ended. */
#include <stdio.h>

#include "m31r/json.h"
#include "show/rows.h"
#include "show/text.h"

static m31r_err write_json(const m31r_screen *s, const m31r_recovery *r, m31r_error *e)
{
    m31r_json *j = m31r_json_new("recovery");
    m31r_json_add_text(j, "run_id", r->run_id);
    m31r_json_add_text(j, "path", r->path);
    m31r_json_add_text(j, "recovery", m31r_recovery_kind_name(r->kind));
    m31r_json_add_text(j, "why", r->why);
    m31r_json_add_text(j, "state", r->state);
    m31r_json_add_text(j, "cause", r->cause[0] != '\0' ? r->cause : NULL);
    m31r_json_add_bool(j, "ends", r->ends);
    m31r_json_add_bool(j, "seals", r->seals);
    m31r_json_add_int(j, "torn", r->n_torn);
    return m31r_json_write(j, s->out, e);
}

static void write_steps(const m31r_screen *s, const m31r_recovery *r)
{
    if (r->n_torn > 0) {
        fprintf(s->out, ", %u torn %s taken off and recorded", r->n_torn,
                r->n_torn == 1 ? "end" : "ends");
    }
    if (r->ends) {
        fputs(", end recorded, metrics.json computed", s->out);
    }
    if (r->seals) {
        fputs(", manifest made", s->out);
    }
    fputs(", .live removed\n", s->out);
}

m31r_err m31r_show_recovery(const m31r_screen *s, const m31r_recovery *r, m31r_error *e)
{
    static const m31ri_style styles[] = {M31RI_DIM, M31RI_GREEN, M31RI_YELLOW, M31RI_YELLOW,
                                         M31RI_GREEN};
    static const char *const words[] = {"ended", "live", "elsewhere", "to recover", "recovered"};
    if (s->is_json) {
        return write_json(s, r, e);
    }
    fputs(m31ri_style_on(s, M31RI_BOLD), s->out);
    m31r_show_text(s, r->run_id);
    fprintf(s->out, "%s   %s%s%s   ", m31ri_style_off(s, M31RI_BOLD),
            m31ri_style_on(s, styles[r->kind]), words[r->kind],
            m31ri_style_off(s, styles[r->kind]));
    m31r_show_text(s, r->state);
    fputs(": ", s->out);
    m31r_show_text(s, r->why);
    if (r->kind >= M31R_RECOVERY_NEEDED) {
        write_steps(s, r);
    } else {
        fputc('\n', s->out);
    }
    return M31R_OK;
}
