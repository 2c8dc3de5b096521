/* options.c - long options as people type them: --key value, --key=value, flags, "--" to end them.
 *
 * Nothing is guessed: an option that is not in the table is an error that names the nearest one. A
 * minus before a digit is a number, not an option, so that `m31r metric loss -0.5` needs no "--".
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define WORD_LIMIT 48 /* of an unknown option, in its error */

const cli_option common_options[] = {
    {"json", 0, NULL, "write JSON lines (the default when stdout is no terminal)"},
    {"text", 0, NULL, "write for people, also into a pipe"},
    {"color", 0, "WHEN", "always, never or auto (on a terminal without NO_COLOR)"},
    {"help", 'h', NULL, "show this help"},
    {NULL, 0, NULL, NULL},
};

static const cli_option *find_in(const cli_option *table, const char *name, size_t length,
                                 char letter)
{
    for (const cli_option *o = table; o != NULL && o->name != NULL; o++) {
        bool is_it = name != NULL ? strlen(o->name) == length && memcmp(o->name, name, length) == 0
                                  : o->letter == letter;
        if (is_it) {
            return o;
        }
    }
    return NULL;
}

static const cli_option *find_option(const cli *c, const char *name, size_t length, char letter)
{
    const cli_option *o = find_in(c->command->options, name, length, letter);
    return o != NULL ? o : find_in(common_options, name, length, letter);
}

static void collect_names(const cli_option *table, const char **names, int *n, int limit)
{
    for (const cli_option *o = table; o != NULL && o->name != NULL && *n < limit; o++) {
        names[(*n)++] = o->name;
    }
}

static int unknown_option(cli *c, const char *text, size_t length)
{
    const char *names[96];
    int n = 0;
    char word[WORD_LIMIT + 2];
    collect_names(c->command->options, names, &n, 96);
    collect_names(common_options, names, &n, 96);
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    const char *nearest = cli_nearest(word, names, n);
    m31r_error e = {.code = M31R_E_ARG};
    snprintf(e.message, sizeof e.message, "unknown option --%.*s", (int)length, text);
    if (nearest != NULL) {
        snprintf(e.hint, sizeof e.hint, "did you mean --%s? All options: m31r help %s", nearest,
                 c->command->name);
    } else {
        snprintf(e.hint, sizeof e.hint, "all options: m31r help %s", c->command->name);
    }
    return cli_fail(c, &e);
}

static void keep_option(cli *c, const cli_option *o, const char *value)
{
    c->names[c->n_given] = o->name;
    c->values[c->n_given] = value != NULL ? value : "";
    c->n_given++;
}

/* Reads the option at argv[*i]; moves *i to its last word. */
static bool parse_long(cli *c, int argc, char **argv, int *i)
{
    const char *text = argv[*i] + 2;
    const char *equals = strchr(text, '=');
    size_t length = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const cli_option *o = find_option(c, text, length, 0);
    if (o == NULL) {
        (void)unknown_option(c, text, length);
        return false;
    }
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (o->value == NULL && value != NULL) {
        (void)cli_misuse(c, "option --%s takes no value", o->name);
        return false;
    }
    bool is_optional = o->value != NULL && o->value[0] == '[';
    if (is_optional && value == NULL) {
        bool has_number = *i + 1 < argc && isdigit((unsigned char)argv[*i + 1][0]);
        value = has_number ? argv[++*i] : NULL;
    } else if (o->value != NULL && value == NULL) {
        if (*i + 1 >= argc) {
            (void)cli_misuse(c, "option --%s needs a value: --%s %s", o->name, o->name, o->value);
            return false;
        }
        value = argv[++*i];
    }
    keep_option(c, o, value);
    return true;
}

static bool parse_short(cli *c, int argc, char **argv, int *i)
{
    const char *text = argv[*i];
    const cli_option *o = find_option(c, NULL, 0, text[1]);
    if (o == NULL) {
        (void)cli_misuse(c, "unknown option -%c", isprint((unsigned char)text[1]) ? text[1] : '?');
        return false;
    }
    const char *value = text[2] != '\0' ? text + 2 : NULL;
    if (o->value == NULL && value != NULL) {
        (void)cli_misuse(c, "option -%c takes no value: write options apart", o->letter);
        return false;
    }
    if (o->value != NULL && value == NULL) {
        if (*i + 1 >= argc) {
            (void)cli_misuse(c, "option -%c needs a value: -%c %s", o->letter, o->letter, o->value);
            return false;
        }
        value = argv[++*i];
    }
    keep_option(c, o, value);
    return true;
}

static bool is_positional(const char *word)
{
    if (word[0] != '-' || word[1] == '\0') {
        return true;
    }
    return isdigit((unsigned char)word[1]) || word[1] == '.' || strcmp(word, "-Infinity") == 0 ||
           strcmp(word, "-inf") == 0;
}

static bool parse_words(cli *c, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        bool is_end = strcmp(argv[i], "--") == 0;
        if (c->command->takes_program && (is_end || is_positional(argv[i]))) {
            c->program = argv + i + is_end;
            c->n_program = argc - i - is_end;
            return true;
        }
        if (is_end) {
            while (++i < argc) {
                c->args[c->n_args++] = argv[i];
            }
        } else if (is_positional(argv[i])) {
            c->args[c->n_args++] = argv[i];
        } else if (!(argv[i][1] == '-' ? parse_long(c, argc, argv, &i)
                                       : parse_short(c, argc, argv, &i))) {
            return false;
        }
    }
    return true;
}

static bool set_screens(cli *c)
{
    static const struct {
        const char *name;
        m31r_color color;
    } colors[] = {
        {"auto", M31R_COLOR_AUTO}, {"always", M31R_COLOR_ALWAYS}, {"never", M31R_COLOR_NEVER}};
    const char *when = cli_value(c, "color");
    m31r_color color = M31R_COLOR_AUTO;
    bool is_known = when == NULL;
    for (int i = 0; i < 3 && !is_known; i++) {
        is_known = strcmp(when, colors[i].name) == 0;
        color = colors[i].color;
    }
    m31r_form form = cli_has(c, "json")   ? M31R_FORM_JSON
                     : cli_has(c, "text") ? M31R_FORM_TEXT
                                          : M31R_FORM_AUTO;
    m31r_screen_init(&c->out, stdout, form, is_known ? color : M31R_COLOR_AUTO);
    m31r_screen_init(&c->err, stderr, form, is_known ? color : M31R_COLOR_AUTO);
    if (!is_known) {
        (void)cli_misuse(c, "--color is always, never or auto, not \"%s\"", when);
    }
    return is_known;
}

bool cli_parse(cli *c, int argc, char **argv, bool *wants_help)
{
    size_t n = (size_t)argc + 1;
    c->args = calloc(n, sizeof *c->args);
    c->names = calloc(n, sizeof *c->names);
    c->values = calloc(n, sizeof *c->values);
    if (c->args == NULL || c->names == NULL || c->values == NULL) {
        m31r_error e = {.code = M31R_E_NOMEM, .message = "out of memory for the command line"};
        (void)cli_fail(c, &e);
        return false;
    }
    if (!parse_words(c, argc, argv) || !set_screens(c)) {
        return false;
    }
    *wants_help = cli_has(c, "help");
    if (*wants_help) {
        return true;
    }
    int max = c->command->max_args;
    if (c->n_args < c->command->min_args) {
        (void)cli_misuse(c, "too few arguments: m31r %s %s", c->command->name, c->command->usage);
        return false;
    }
    if (max >= 0 && c->n_args > max) {
        if (cli_is_filter(c->args[max]) && find_in(c->command->options, "where", 5, 0) != NULL) {
            return cli_filter_is_no_run(c, c->args[max]) == 0;
        }
        (void)cli_misuse(c, "unexpected argument \"%s\"", c->args[max]);
        return false;
    }
    return true;
}

void cli_release(cli *c)
{
    free(c->args);
    free(c->names);
    free(c->values);
}
