/* say.c - what a command says on stderr: errors with what to do, and notes. */
#include <stdarg.h>
#include <stdio.h>

#include "command.h"
#include "m31r/json.h"

int cli_fail(cli *c, const m31r_error *e)
{
    fflush(stdout);
    m31r_show_error(&c->err, e);
    return m31r_err_exit(e->code);
}

int cli_misuse(cli *c, const char *format, ...)
{
    m31r_error e = {.code = M31R_E_ARG};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(e.message, sizeof e.message, format, arguments);
    va_end(arguments);
    snprintf(e.hint, sizeof e.hint, "see m31r help %s", c->command != NULL ? c->command->name : "");
    return cli_fail(c, &e);
}

void cli_note(cli *c, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fflush(stdout);
    if (c->err.is_json) {
        m31r_json *j = m31r_json_new("note");
        m31r_json_add_text(j, "note", text);
        (void)m31r_json_write(j, c->err.out, NULL);
        return;
    }
    m31r_show_text(&c->err, text);
    fputc('\n', c->err.out);
}
