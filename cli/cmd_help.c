/* cmd_help.c - m31r help [COMMAND]: what the entries of the commands say about them.
 *
 * `m31r help --all --json` is what the man pages and the completion are made from, so that there is
 * one description of each option.
 */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "m31r/json.h"

static const cli_option options[] = {
    {"all", 0, NULL, "the help of every command"},
    {NULL, 0, NULL, NULL},
};

static void add_options_json(m31r_json *j, const cli_option *table)
{
    for (const cli_option *o = table; o != NULL && o->name != NULL; o++) {
        char letter[2] = {o->letter, '\0'};
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "name", o->name);
        m31r_json_add_text(j, "letter", o->letter != 0 ? letter : NULL);
        m31r_json_add_text(j, "value", o->value);
        m31r_json_add_text(j, "help", o->help);
        m31r_json_close(j);
    }
}

static void show_json(const m31r_screen *s, const command *cmd)
{
    m31r_json *j = m31r_json_new("command");
    m31r_json_add_text(j, "name", cmd->name);
    m31r_json_add_text(j, "summary", cmd->summary);
    m31r_json_add_text(j, "usage", cmd->usage);
    m31r_json_add_text(j, "details", cmd->details);
    m31r_json_add_text(j, "examples", cmd->examples);
    m31r_json_open(j, "options", '[');
    add_options_json(j, cmd->options);
    add_options_json(j, common_options);
    m31r_json_close(j);
    (void)m31r_json_write(j, s->out, NULL);
}

static void show_options(const m31r_screen *s, const cli_option *table)
{
    for (const cli_option *o = table; o != NULL && o->name != NULL; o++) {
        char left[64];
        char letter[8] = "";
        if (o->letter != 0) {
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        }
        snprintf(left, sizeof left, "%s--%s%s%s", letter, o->name, o->value != NULL ? " " : "",
                 o->value != NULL ? o->value : "");
        fprintf(s->out, "  %-24s %s\n", left, o->help);
    }
}

static void show_heading(const m31r_screen *s, const char *heading)
{
    fprintf(s->out, s->is_color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", heading);
}

static void show_indented(const m31r_screen *s, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        fprintf(s->out, "%s%.*s\n", length > 0 ? "  " : "", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

void help_show(const m31r_screen *s, const command *cmd)
{
    if (s->is_json) {
        show_json(s, cmd);
        return;
    }
    fprintf(s->out, "m31r %s - %s\n", cmd->name, cmd->summary);
    fprintf(s->out, "\nusage  m31r %s%s%s\n", cmd->name, cmd->usage[0] != '\0' ? " " : "",
            cmd->usage);
    if (cmd->details != NULL) {
        fputc('\n', s->out);
        show_indented(s, cmd->details);
    }
    show_heading(s, "options");
    show_options(s, cmd->options);
    show_options(s, common_options);
    if (cmd->examples != NULL) {
        show_heading(s, "examples");
        show_indented(s, cmd->examples);
    }
}

void help_overview(const m31r_screen *s)
{
    fputs("m31r - the record of every run: logs, metrics, identity, proof\n\n"
          "usage  m31r COMMAND [options] [arguments]\n\n",
          s->out);
    for (size_t i = 0; all_commands[i] != NULL; i++) {
        fprintf(s->out, "  %-12s %s\n", all_commands[i]->name, all_commands[i]->summary);
    }
    fputs("\nA RUN is any unique part of an id or a name, @ (the latest), @-1 (the one before), or "
          "a path.\n"
          "m31r help COMMAND tells more; m31r --version says which this is.\n"
          "exit status  0 success  1 user error  2 config error  3 runtime error  4 validation "
          "error\n",
          s->out);
}

int help_unknown(cli *c, const char *name)
{
    const char *names[64];
    int n = 0;
    for (size_t i = 0; all_commands[i] != NULL && n < 64; i++) {
        names[n++] = all_commands[i]->name;
    }
    const char *nearest = cli_nearest(name, names, n);
    m31r_error e = {.code = M31R_E_ARG};
    snprintf(e.message, sizeof e.message, "unknown command \"%s\"", name);
    if (nearest != NULL) {
        snprintf(e.hint, sizeof e.hint, "did you mean m31r %s? All commands: m31r help", nearest);
    } else {
        snprintf(e.hint, sizeof e.hint, "all commands: m31r help");
    }
    return cli_fail(c, &e);
}

/* Help is text for people also in a pipe, unless JSON is asked for. */
static int run(cli *c)
{
    m31r_screen screen;
    m31r_screen_init(&screen, stdout, cli_has(c, "json") ? M31R_FORM_JSON : M31R_FORM_TEXT,
                     M31R_COLOR_AUTO);
    if (c->n_args == 1) {
        const command *cmd = command_find(c->args[0]);
        if (cmd == NULL) {
            return help_unknown(c, c->args[0]);
        }
        help_show(&screen, cmd);
        return 0;
    }
    if (!cli_has(c, "all") && !screen.is_json) {
        help_overview(&screen);
        return 0;
    }
    for (size_t i = 0; all_commands[i] != NULL; i++) {
        help_show(&screen, all_commands[i]);
        if (!screen.is_json && all_commands[i + 1] != NULL) {
            fputs("\n--\n\n", screen.out);
        }
    }
    return 0;
}

const command command_help = {
    .name = "help",
    .summary = "explain the commands, or one of them",
    .usage = "[COMMAND]",
    .options = options,
    .run = run,
    .examples =
        "m31r help runs\nm31r help --all --json   # every option of every command, for programs",
    .max_args = 1,
};
