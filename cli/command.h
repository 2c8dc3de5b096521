/* command.h - what a command is, and what it gets from the command line.
 *
 * One file a command: cmd_<name>.c ends with `const command command_<name> = {...}`, which is
 * listed in commands.c. Help, completion and the man page's options are made from that entry. A
 * command wires reader, analysis and display; it computes nothing itself and includes only m31r/
 * headers and this one.
 */
#ifndef M31R_COMMAND_H
#define M31R_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "m31r/error.h"
#include "m31r/expr.h"
#include "m31r/notes.h"
#include "m31r/show.h"

typedef struct cli cli;

/* One option; a table of them ends with {NULL}. --help, --json and --color are every command's and
 * not listed. */
typedef struct cli_option {
    const char *name;  /* long name without dashes */
    char letter;       /* short form, such as 'w' for -w; 0 for none */
    const char *value; /* what its value is called in the help, such as "FILE"; NULL for a flag;
                        * "[N]" for a number that may be missing */
    const char *help;  /* one line, no full stop */
} cli_option;

typedef struct command {
    const char *name;
    const char *summary; /* one line, no full stop */
    const char *usage;   /* what follows the name, such as "RUN [NAME...]" */
    const cli_option *options;
    int (*run)(cli *c);     /* returns the exit status: 0 to 4 */
    const char *details;    /* paragraphs for the help and the man page; NULL for none */
    const char *examples;   /* lines "command   # what it does"; NULL for none */
    int min_args, max_args; /* positional arguments; max -1: any number */
    bool takes_program;     /* the first positional argument or "--" ends the options: the rest is a
                               program's */
} command;

/* What main() understood. `args` are the positional arguments; those after "--" come last. */
struct cli {
    const command *command;
    m31r_screen out; /* stdout: results */
    m31r_screen err; /* stderr: everything else */
    const char **args;
    int n_args;
    char **program; /* takes_program: what follows, NULL-terminated; else NULL */
    int n_program;
    const char **names; /* options as given, in order: name and value ("" for a flag) */
    const char **values;
    int n_given;
};

/* All commands, in the order of the help; ends with NULL. */
extern const command *const all_commands[];

const command *command_find(const char *name); /* NULL when there is none */

/* values.c: last value given for an option; NULL when it was not given; "" for a flag that was.
 */
const char *cli_value(const cli *c, const char *name);
bool cli_has(const cli *c, const char *name);

/* values.c: how often it was given, and the value of the i-th time. */
int cli_count(const cli *c, const char *name);
const char *cli_value_at(const cli *c, const char *name, int i);

/* values.c: the value as a whole number from `low` to `high` into `*out`, which is left alone when
 * the option was not given. False: it was wrong, the error is printed, and the command returns 1.
 */
bool cli_number(cli *c, const char *name, int64_t low, int64_t high, int64_t *out);

/* say.c: prints the error and returns its exit status: `return cli_fail(c, &e);` */
int cli_fail(cli *c, const m31r_error *e);

/* say.c: prints a user error with "see m31r help NAME" as its hint and returns 1. */
int cli_misuse(cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* add_note.c: adds the note to the run that the first argument names, and shows it. Returns the
 * command's exit status. */
int cli_add_note(cli *c, const m31r_note *note);

/* say.c: a line on stderr that is no error: {"v":1,"kind":"note","note":...} or plain text. */
void cli_note(cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* select.c: the value of --where compiled, or NULL when it was not given. False: it was wrong, the
 * error is printed, and the command returns 1. */
bool cli_expr(cli *c, m31r_expr_subject subject, m31r_expr **out);

/* select.c: notes about fields that no `subject` ("record") had or whose type did not fit. */
void cli_note_expr(cli *c, const m31r_expr *expr, const char *subject);

#define CLI_NAMES_LIMIT 64

/* Names between commas; `text` holds them, and whoever has the list frees it. */
typedef struct cli_names {
    char *text;
    const char *names[CLI_NAMES_LIMIT];
    size_t n;
} cli_names;

/* select.c: the value of --fields and the like, at most `limit` names; as cli_number(). */
bool cli_names_of(cli *c, const char *option, int limit, cli_names *out);

/* select.c: the value of --since and the like; as cli_number(). */
bool cli_time(cli *c, const char *name, int64_t *out_ns);

/* select.c: true for a word that looks like an expression and cannot be a run. Then: the error that
 * asks whether -w was meant; returns 1. */
bool cli_is_filter(const char *word);
int cli_filter_is_no_run(cli *c, const char *word);

/* options.c: fills `c` from argv after the command's name. False: the error is printed, exit
 * status 1. `*wants_help`: --help was there. */
bool cli_parse(cli *c, int argc, char **argv, bool *wants_help);
void cli_release(cli *c);

/* nearest.c: the entry of a list nearest to `word` by edit distance, or NULL when
 * none is near. */
const char *cli_nearest(const char *word, const char *const *words, int n);

/* options.c: options that every command has; ends with {NULL}. */
extern const cli_option common_options[];

/* cmd_help.c: the help of one command, as text or JSON. */
void help_show(const m31r_screen *s, const command *cmd);
void help_overview(const m31r_screen *s);

/* cmd_help.c: prints that there is no such command, and the nearest one; returns 1. */
int help_unknown(cli *c, const char *name);

#endif
