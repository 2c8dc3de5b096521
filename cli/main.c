/* main.c - m31r COMMAND: finds the command, reads its options, runs it.
 *
 * stdout carries results only; everything else goes to stderr. A closed pipe (`m31r logs | head`)
 * is an ordinary end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "m31r/json.h"
#include "m31r/version.h"

static int show_version(cli *c, bool as_json)
{
    if (!as_json) {
        printf("m31r %s (format %d)\n", m31r_version(), M31R_FORMAT_VERSION);
        return 0;
    }
    m31r_json *j = m31r_json_new("version");
    m31r_json_add_text(j, "version", m31r_version());
    m31r_json_add_int(j, "format_version", M31R_FORMAT_VERSION);
    m31r_error e;
    return m31r_json_write(j, c->out.out, &e) == M31R_OK ? 0 : cli_fail(c, &e);
}

/* Results that could not be written are an error, unless the reader simply went away. */
static int finish_output(cli *c, int status)
{
    errno = 0;
    bool failed = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (!failed || errno == EPIPE || status != 0) {
        return status;
    }
    m31r_error e = {.code = M31R_E_IO, .sys_errno = errno};
    snprintf(e.message, sizeof e.message, "cannot write to stdout: %s", strerror(errno));
    return cli_fail(c, &e);
}

static int run_command(cli *c, const command *cmd, int argc, char **argv)
{
    bool wants_help = false;
    int status = 1;
    c->command = cmd;
    if (cli_parse(c, argc, argv, &wants_help)) {
        if (wants_help) {
            m31r_screen screen;
            m31r_screen_init(&screen, stdout, cli_has(c, "json") ? M31R_FORM_JSON : M31R_FORM_TEXT,
                             M31R_COLOR_AUTO);
            help_show(&screen, cmd);
            status = 0;
        } else {
            status = cmd->run(c);
        }
    }
    status = finish_output(c, status);
    cli_release(c);
    return status;
}

int main(int argc, char **argv)
{
    cli c = {0};
    m31r_screen_init(&c.out, stdout, M31R_FORM_AUTO, M31R_COLOR_AUTO);
    m31r_screen_init(&c.err, stderr, M31R_FORM_AUTO, M31R_COLOR_AUTO);
    if (argc < 2) {
        m31r_screen_init(&c.err, stderr, M31R_FORM_TEXT, M31R_COLOR_AUTO);
        help_overview(&c.err);
        return 1;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        return show_version(&c, argc > 2 && strcmp(argv[2], "--json") == 0);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        word = "help";
    }
    const command *cmd = command_find(word);
    if (cmd == NULL) {
        return help_unknown(&c, word);
    }
    return run_command(&c, cmd, argc - 2, argv + 2);
}
