/* cmd_log.c - m31r log LEVEL MODULE MSG [KEY=VALUE...]: one record from a script. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "m31r/shell.h"

/* True for a JSON number: what a reader of the record would call one. "007" and "1e" are text. */
static bool is_number(const char *text, bool *is_whole)
{
    const char *at = text + (*text == '-');
    size_t digits = strspn(at, "0123456789");
    if (digits == 0 || (digits > 1 && *at == '0')) {
        return false;
    }
    at += digits;
    *is_whole = *at == '\0';
    if (*at == '.') {
        size_t fraction = strspn(at + 1, "0123456789");
        if (fraction == 0) {
            return false;
        }
        at += fraction + 1;
    }
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        size_t exponent = strspn(at, "0123456789");
        if (exponent == 0) {
            return false;
        }
        at += exponent;
    }
    return *at == '\0';
}

static m31r_value typed(const char *text)
{
    bool is_whole = false;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        return m31r_of_bool(text[0] == 't');
    }
    if (strcmp(text, "NaN") == 0) {
        return m31r_of_double(NAN);
    }
    if (strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0) {
        return m31r_of_double(text[0] == '-' ? -INFINITY : INFINITY);
    }
    if (!is_number(text, &is_whole)) {
        return m31r_of_string(text);
    }
    /* A whole number beyond 64 bits stays text: as a double it would lose digits. */
    if (is_whole && strlen(text) <= 18) {
        return m31r_of_int(strtoll(text, NULL, 10));
    }
    return is_whole ? m31r_of_string(text) : m31r_of_double(strtod(text, NULL));
}

static int run(cli *c)
{
    m31r_error e;
    int n = c->n_args - 3;
    m31r_level level = m31r_level_of(c->args[0]);
    if (level == 0) {
        return cli_misuse(c, "level \"%s\" is none of DEBUG, INFO, WARNING, ERROR, CRITICAL",
                          c->args[0]);
    }
    m31r_value *pairs = calloc((size_t)n * 2 + 1, sizeof *pairs);
    if (pairs == NULL) {
        e = (m31r_error){.code = M31R_E_NOMEM, .message = "out of memory for a record"};
        return cli_fail(c, &e);
    }
    for (int i = 0; i < n; i++) {
        const char *pair = c->args[3 + i];
        const char *equals = strchr(pair, '=');
        if (equals == NULL || equals == pair) {
            free(pairs);
            return cli_misuse(c, "\"%s\" is not KEY=VALUE", pair);
        }
        pairs[i] = m31r_text(pair, (size_t)(equals - pair));
        pairs[n + i] = typed(equals + 1);
    }
    const m31r_shell_record record = {level, c->args[1], c->args[2], pairs, pairs + n, (size_t)n};
    m31r_err err = m31r_shell_log(&record, &e);
    free(pairs);
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_log = {
    .name = "log",
    .summary = "write one record from a script",
    .usage = "LEVEL MODULE MSG [KEY=VALUE...]",
    .run = run,
    .details = "Goes into the run that M31R_RUN_DIR names, on the lane shell; outside a run into "
               "logs/shell.log. Numbers, true and\n"
               "false keep their type, everything else is a string. The privacy rules apply as to "
               "any record.",
    .examples = "m31r log INFO backup copied file=model.bin bytes=1048576",
    .min_args = 3,
    .max_args = -1,
};
