#include "config_table.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where in the file the reader is, and what it has met. */
typedef struct {
    const char *path;
    int line;
    bool in_section;
    bool seen[CONFIG_MAX_KEYS];
    const config_key *keys;
    size_t n_keys;
    void *out;
} reader;

bool config_parse_seed(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    /* strtoull would take a minus sign and blanks. */
    if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0) {
        return false;
    }
    *out = value;
    return true;
}

bool config_parse_int(const char *text, int min, int max, int *out)
{
    uint64_t value;
    if (!config_parse_seed(text, &value) || value > INT_MAX || (int)value < min ||
        (int)value > max) {
        return false;
    }
    *out = (int)value;
    return true;
}

static bool parse_decimal(const char *text, double min, double max, double *out)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < min || value > max) {
        return false;
    }
    *out = value;
    return true;
}

static bool value_set(const reader *r, const config_key *k, const char *text, fault *error)
{
    void *field = (char *)r->out + k->offset;
    switch (k->kind) {
    case CONFIG_WHOLE:
        return config_parse_int(text, (int)k->min, (int)k->max, field) ||
               fault_set(error, FAULT_CONFIG, "config_value",
                         "%s:%d: %s: '%s', expected a whole number from %.0f to %.0f", r->path,
                         r->line, k->name, text, k->min, k->max);
    case CONFIG_DECIMAL:
        return parse_decimal(text, k->min, k->max, field) ||
               fault_set(error, FAULT_CONFIG, "config_value",
                         "%s:%d: %s: '%s', expected a number from %g to %g", r->path, r->line,
                         k->name, text, k->min, k->max);
    case CONFIG_SEED:
        return config_parse_seed(text, field) ||
               fault_set(error, FAULT_CONFIG, "config_value",
                         "%s:%d: %s: '%s', expected a whole number from 0 to 2^64 - 1", r->path,
                         r->line, k->name, text);
    case CONFIG_TEXT:
        break;
    }
    if (*text == '\0' || strlen(text) >= CONFIG_TEXT_BYTES) {
        return fault_set(error, FAULT_CONFIG, "config_value", "%s:%d: %s: expected 1 to %d bytes",
                         r->path, r->line, k->name, CONFIG_TEXT_BYTES - 1);
    }
    memcpy(field, text, strlen(text) + 1);
    return true;
}

/* Cuts a comment (a `#` after a blank and outside quotes) and the blanks at the end. */
static void line_trim(char *line)
{
    char quote = '\0';
    size_t length = 0;
    for (size_t i = 0; line[i] != '\0'; i++) {
        char c = line[i];
        if (quote == '\0' && c == '#' && (i == 0 || isspace((unsigned char)line[i - 1]))) {
            break;
        }
        if (c == '"' || c == '\'') {
            quote = quote == '\0' ? c : quote == c ? '\0' : quote;
        }
        if (!isspace((unsigned char)c)) {
            length = i + 1;
        }
    }
    line[length] = '\0';
}

/* The value without the quotes around it. */
static char *unquote(char *value)
{
    size_t length = strlen(value);
    if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
        value[length - 1] = '\0';
        return value + 1;
    }
    return value;
}

static bool pair_set(reader *r, const char *name, char *value, fault *error)
{
    for (size_t i = 0; i < r->n_keys; i++) {
        if (strcmp(r->keys[i].name, name) != 0) {
            continue;
        }
        if (r->seen[i]) {
            return fault_set(error, FAULT_CONFIG, "config_duplicate", "%s:%d: %s is there twice",
                             r->path, r->line, name);
        }
        r->seen[i] = true;
        return value_set(r, &r->keys[i], unquote(value), error);
    }
    return fault_set(error, FAULT_CONFIG, "config_unknown_key", "%s:%d: no key is called '%s'",
                     r->path, r->line, name);
}

static bool line_read(reader *r, char *line, fault *error)
{
    line_trim(line);
    if (*line == '\0' || strcmp(line, "---") == 0) {
        return true;
    }
    if (isspace((unsigned char)*line)) {
        return r->in_section ||
               fault_set(error, FAULT_CONFIG, "config_syntax",
                         "%s:%d: an indented line outside a section", r->path, r->line);
    }
    char *colon = strchr(line, ':');
    if (colon == NULL || (colon[1] != '\0' && !isblank((unsigned char)colon[1]))) {
        return fault_set(error, FAULT_CONFIG, "config_syntax", "%s:%d: expected 'key: value'",
                         r->path, r->line);
    }
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    r->in_section = *value == '\0' && strcmp(line, "observability") == 0;
    return r->in_section || pair_set(r, line, value, error);
}

static bool lines_read(reader *r, FILE *file, fault *error)
{
    char *line = NULL;
    size_t capacity = 0;
    bool ok = true;
    while (ok && getline(&line, &capacity, file) >= 0) {
        r->line++;
        ok = r->line <= CONFIG_MAX_LINES
                 ? line_read(r, line, error)
                 : fault_set(error, FAULT_CONFIG, "config_syntax", "%s: more than %d lines",
                             r->path, CONFIG_MAX_LINES);
    }
    if (ok && ferror(file)) {
        ok =
            fault_set(error, FAULT_CONFIG, "config_unreadable", "%s: %s", r->path, strerror(errno));
    }
    free(line);
    return ok;
}

static bool all_seen(const reader *r, fault *error)
{
    for (size_t i = 0; i < r->n_keys; i++) {
        if (!r->seen[i]) {
            return fault_set(error, FAULT_CONFIG, "config_missing_key", "%s: %s is missing",
                             r->path, r->keys[i].name);
        }
    }
    return true;
}

bool config_read(const char *path, const config_key *keys, size_t n_keys, void *out, fault *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return fault_set(error, FAULT_CONFIG, "config_unreadable", "%s: %s", path, strerror(errno));
    }
    reader r = {.path = path, .keys = keys, .n_keys = n_keys, .out = out};
    bool ok = lines_read(&r, file, error) && all_seen(&r, error);
    (void)fclose(file);
    return ok;
}
