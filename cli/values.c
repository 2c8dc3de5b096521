/* values.c - the values that were given for options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

const char *cli_value(const cli *c, const char *name)
{
    for (int i = c->n_given - 1; i >= 0; i--) {
        if (strcmp(c->names[i], name) == 0) {
            return c->values[i];
        }
    }
    return NULL;
}

bool cli_has(const cli *c, const char *name)
{
    return cli_value(c, name) != NULL;
}

int cli_count(const cli *c, const char *name)
{
    int n = 0;
    for (int i = 0; i < c->n_given; i++) {
        n += strcmp(c->names[i], name) == 0;
    }
    return n;
}

const char *cli_value_at(const cli *c, const char *name, int i)
{
    for (int k = 0; k < c->n_given; k++) {
        if (strcmp(c->names[k], name) == 0 && i-- == 0) {
            return c->values[k];
        }
    }
    return NULL;
}

bool cli_number(cli *c, const char *name, int64_t low, int64_t high, int64_t *out)
{
    const char *text = cli_value(c, name);
    if (text == NULL) {
        return true;
    }
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || n < low || n > high) {
        (void)cli_misuse(c, "--%s is a whole number from %lld to %lld, not \"%s\"", name,
                         (long long)low, (long long)high, text);
        return false;
    }
    *out = n;
    return true;
}
