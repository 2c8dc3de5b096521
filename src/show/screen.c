/* screen.c - what the output is, and how an error looks on it. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "m31r/json.h"
#include "m31r/show.h"
#include "show/human.h"
#include "show/text.h"

static int columns_of(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    const char *columns = getenv("COLUMNS");
    long n = columns != NULL ? strtol(columns, NULL, 10) : 0;
    return n > 0 && n < 10000 ? (int)n : 80;
}

static bool wants_color(bool is_terminal, m31r_color color)
{
    if (color != M31R_COLOR_AUTO) {
        return color == M31R_COLOR_ALWAYS;
    }
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return is_terminal && (no_color == NULL || *no_color == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

void m31r_screen_init(m31r_screen *s, FILE *out, m31r_form form, m31r_color color)
{
    int fd = fileno(out);
    memset(s, 0, sizeof *s);
    s->out = out;
    s->is_terminal = fd >= 0 && isatty(fd) == 1;
    s->is_json = form == M31R_FORM_JSON || (form == M31R_FORM_AUTO && !s->is_terminal);
    s->is_color = !s->is_json && wants_color(s->is_terminal, color);
    s->width = s->is_terminal ? columns_of(fd) : 0;
}

void m31r_show_text(const m31r_screen *s, const char *text)
{
    m31ri_buf safe = M31RI_BUF_INIT;
    m31ri_text_escape(&safe, text, strlen(text), 0);
    fputs(m31ri_buf_str(&safe), s->out);
    m31ri_buf_release(&safe);
}

void m31r_show_progress(const m31r_screen *s, const char *what, uint64_t done, uint64_t total)
{
    char text[160] = "", have[M31RI_HUMAN_BYTES], all[M31RI_HUMAN_BYTES];
    if (!s->is_terminal || s->is_json) {
        return;
    }
    if (what != NULL) {
        snprintf(text, sizeof text, "%s %s of %s, %.0f %%", what,
                 m31ri_human_bytes((int64_t)done, have), m31ri_human_bytes((int64_t)total, all),
                 total > 0 ? 100.0 * (double)done / (double)total : 0);
    }
    fprintf(s->out, "\r\033[K%s", text);
    fflush(s->out);
}

static void show_error_json(const m31r_screen *s, const m31r_error *e)
{
    m31r_json *j = m31r_json_new("error");
    m31r_json_open(j, "error", '{');
    m31r_json_add_text(j, "code", m31r_err_name(e->code));
    m31r_json_add_int(j, "exit", m31r_err_exit(e->code));
    m31r_json_add_text(j, "message", e->message);
    m31r_json_add_text(j, "path", e->path[0] != '\0' ? e->path : NULL);
    if (e->line > 0) {
        m31r_json_add_int(j, "line", e->line);
        m31r_json_add_int(j, "column", e->column);
    } else {
        m31r_json_add_null(j, "line");
        m31r_json_add_null(j, "column");
    }
    m31r_json_add_text(j, "hint", e->hint[0] != '\0' ? e->hint : NULL);
    (void)m31r_json_write(j, s->out, NULL);
}

/* A hint may have several lines (a command to paste): each is made safe on its own and indented. */
static void show_hint(const m31r_screen *s, const char *hint)
{
    while (*hint != '\0') {
        size_t length = strcspn(hint, "\n");
        m31ri_buf safe = M31RI_BUF_INIT;
        m31ri_text_escape(&safe, hint, length, 0);
        fprintf(s->out, "  %s\n", m31ri_buf_str(&safe));
        m31ri_buf_release(&safe);
        hint += length + (hint[length] == '\n');
    }
}

void m31r_show_error(const m31r_screen *s, const m31r_error *e)
{
    if (s->is_json) {
        show_error_json(s, e);
        return;
    }
    fputs(s->is_color ? "\033[1;31merror\033[0m  " : "error  ", s->out);
    m31r_show_text(s, e->message);
    fputc('\n', s->out);
    /* A message made from a failed system call names the path already. */
    if (e->path[0] != '\0' && (e->line > 0 || strstr(e->message, e->path) == NULL)) {
        fputs("  at ", s->out);
        m31r_show_text(s, e->path);
        if (e->line > 0) {
            fprintf(s->out, ":%u:%u", (unsigned)e->line, (unsigned)e->column);
        }
        fputc('\n', s->out);
    }
    show_hint(s, e->hint);
}
