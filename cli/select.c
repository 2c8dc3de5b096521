/* select.c - what commands that choose share: -w EXPR, --since and --until, and what is said at the
 * end about fields that were never there. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

bool cli_expr(cli *c, m31r_expr_subject subject, m31r_expr **out)
{
    m31r_error e;
    const char *text = cli_value(c, "where");
    if (text == NULL) {
        return true;
    }
    if (cli_count(c, "where") > 1) {
        (void)cli_misuse(c, "-w stands once: join expressions with and, or");
        return false;
    }
    if (m31r_expr_compile(out, text, subject, &e) != M31R_OK) {
        (void)cli_fail(c, &e);
        return false;
    }
    return true;
}

static void note_field(cli *c, const m31r_expr_field *f, const char *subjects)
{
    if (f->n_met == 0 && f->nearest != NULL) {
        cli_note(c, "no %s has the field %s; there is %s: did you mean that?", subjects, f->name,
                 f->nearest);
    } else if (f->n_met == 0) {
        cli_note(c, "no %s has the field %s", subjects, f->name);
    }
    if (f->n_other > 0) {
        cli_note(c,
                 "%s was of another type than what it is compared with, which counts as false: "
                 "%" PRIu64 " times",
                 f->name, f->n_other);
    }
    if (f->n_too_hard > 0) {
        cli_note(c, "the regular expression for %s was given up on %" PRIu64 " texts", f->name,
                 f->n_too_hard);
    }
}

void cli_note_expr(cli *c, const m31r_expr *expr, const char *subjects)
{
    m31r_expr_field f;
    if (expr == NULL || m31r_expr_asked(expr) == 0) {
        return;
    }
    for (size_t i = 0; m31r_expr_field_get(expr, i, &f) == M31R_OK; i++) {
        note_field(c, &f, subjects);
    }
}

bool cli_time(cli *c, const char *name, int64_t *out_ns)
{
    m31r_error e;
    const char *text = cli_value(c, name);
    if (text == NULL) {
        return true;
    }
    if (m31r_time_read(text, out_ns, &e) != M31R_OK) {
        (void)cli_misuse(c,
                         "--%s is a time such as 2h (ago), 2026-11-23 or 2026-11-23T10:26Z, not "
                         "\"%s\"",
                         name, text);
        return false;
    }
    return true;
}

bool cli_is_filter(const char *word)
{
    return strpbrk(word, "<>=~") != NULL || strchr(word, ' ') != NULL;
}

int cli_filter_is_no_run(cli *c, const char *word)
{
    m31r_error e = {.code = M31R_E_ARG};
    snprintf(e.message, sizeof e.message, "\"%.300s\" is no run or file", word);
    snprintf(e.hint, sizeof e.hint, "an expression stands behind -w: m31r %s -w '%.300s'",
             c->command->name, word);
    return cli_fail(c, &e);
}

bool cli_names_of(cli *c, const char *option, int limit, cli_names *out)
{
    const char *text = cli_value(c, option);
    if (text == NULL) {
        return true;
    }
    out->text = strdup(text);
    for (char *at = out->text; at != NULL;) {
        char *comma = strchr(at, ',');
        if (out->n == (size_t)limit || at == comma || *at == '\0') {
            (void)cli_misuse(c, "--%s is 1 to %d names between commas, not \"%s\"", option, limit,
                             text);
            return false;
        }
        out->names[out->n++] = at;
        if (comma != NULL) {
            *comma = '\0';
        }
        at = comma != NULL ? comma + 1 : NULL;
    }
    return true;
}
