/* complete.c - candidates for the word at the cursor: commands, options, runs, and the names that
 * the run itself or the index of runs has: fields, metrics, lanes.
 *
 * Only the beginning of a log or of the points is read for names, so that a key press never waits
 * for gigabytes. In an expression or a list the last name is completed and what stands before it
 * kept. Names with blanks, quotes or controls are left out: no shell would take them as they are.
 */
#include "complete.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "m31r/reader.h"
#include "m31r/runs.h"
#include "m31r/scan.h"
#include "m31r/series.h"

#define RECORDS_READ 5000
#define POINTS_READ 50000
#define NAMES 1024

/* What is being completed: `prefix` bytes of `word` stay, the rest is the beginning of a name. */
typedef struct completion {
    const char *const *words;
    int n;
    const char *word;
    size_t prefix;
    char *said[NAMES];
    size_t n_said;
} completion;

static bool is_plain(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f ||
            strchr("'\"\\`$", name[i]) != NULL) {
            return false;
        }
    }
    return length > 0;
}

static void offer_bytes(completion *c, const char *name, size_t length)
{
    const char *typed = c->word + c->prefix;
    size_t n_typed = strlen(typed);
    if (length < n_typed || memcmp(name, typed, n_typed) != 0 || !is_plain(name, length) ||
        c->n_said == NAMES) {
        return;
    }
    for (size_t i = 0; i < c->n_said; i++) {
        if (strlen(c->said[i]) == length && memcmp(c->said[i], name, length) == 0) {
            return;
        }
    }
    char *copy = strndup(name, length);
    if (copy != NULL) {
        c->said[c->n_said++] = copy;
        printf("%.*s%s\n", (int)c->prefix, c->word, copy);
    }
}

static void offer(completion *c, const char *name)
{
    offer_bytes(c, name, strlen(name));
}

static void offer_all(completion *c, const char *const *names)
{
    for (; *names != NULL; names++) {
        offer(c, *names);
    }
}

/* The last name of an expression or a list is what is typed now; a quote before it all is not. */
static void take_last_name(completion *c)
{
    if (c->word[0] == '\'' || c->word[0] == '"') {
        c->word++;
    }
    c->prefix = strlen(c->word);
    while (c->prefix > 0 && (isalnum((unsigned char)c->word[c->prefix - 1]) != 0 ||
                             strchr("_.", c->word[c->prefix - 1]) != NULL)) {
        c->prefix--;
    }
}

static const cli_option *option_of(const cli_option *table, const char *word)
{
    for (; table != NULL && table->name != NULL; table++) {
        bool is_long = word[0] == '-' && word[1] == '-' && strcmp(word + 2, table->name) == 0;
        bool is_short =
            word[0] == '-' && word[1] == table->letter && word[1] != '\0' && word[2] == '\0';
        if (is_long || is_short) {
            return table;
        }
    }
    return NULL;
}

static const cli_option *find_option(const command *cmd, const char *word)
{
    const cli_option *o = option_of(cmd->options, word);
    return o != NULL ? o : option_of(common_options, word);
}

/* The i-th positional word before the cursor; NULL when there is none. */
static const char *positional(const completion *c, const command *cmd, int i)
{
    for (int k = 1; k < c->n - 1; k++) {
        const char *word = c->words[k];
        if (word[0] == '-' && word[1] != '\0') {
            const cli_option *o = find_option(cmd, word);
            k += o != NULL && o->value != NULL && o->value[0] != '[';
        } else if (i-- == 0) {
            return word;
        }
    }
    return NULL;
}

static const char *root_of(const completion *c)
{
    for (int k = 1; k + 1 < c->n; k++) {
        if (strcmp(c->words[k], "--root") == 0) {
            return c->words[k + 1];
        }
    }
    return NULL;
}

static bool offer_key(void *context, const m31r_field *field)
{
    offer_bytes(context, field->key, field->key_length);
    return true;
}

static void offer_record_fields(completion *c, const command *cmd)
{
    static const char *const always[] = {"ts",   "level", "module", "msg", "step",
                                         "lane", "file",  "line",   NULL};
    const char *run = positional(c, cmd, 0);
    struct stat st;
    m31r_scan_options options = M31R_SCAN_OPTIONS_INIT;
    m31r_reader *reader = NULL;
    m31r_scan *scan = NULL;
    m31r_record record;
    offer_all(c, always);
    if (run != NULL && stat(run, &st) == 0 && S_ISREG(st.st_mode)) {
        (void)m31r_scan_open_file(&scan, run, &options, NULL);
    } else if (m31r_reader_open(&reader, root_of(c), run != NULL ? run : "@", NULL) == M31R_OK) {
        (void)m31r_scan_open_run(&scan, reader, &options, NULL);
    }
    for (int i = 0; scan != NULL && i < RECORDS_READ; i++) {
        if (m31r_scan_next(scan, &record, NULL) != M31R_OK) {
            break;
        }
        m31r_record_each(&record, offer_key, c);
    }
    m31r_scan_close(scan);
    m31r_reader_close(reader);
}

static void offer_metrics(completion *c, const command *cmd)
{
    m31r_reader *reader = NULL;
    m31r_points *points = NULL;
    m31r_point_view point;
    const char *run = positional(c, cmd, 0);
    if (m31r_reader_open(&reader, root_of(c), run != NULL ? run : "@", NULL) == M31R_OK) {
        (void)m31r_points_open(&points, reader, NULL);
    }
    for (int i = 0; points != NULL && i < POINTS_READ; i++) {
        if (m31r_points_next(points, &point, NULL) != M31R_OK) {
            break;
        }
        offer_bytes(c, point.name, point.name_length);
    }
    m31r_points_close(points);
    m31r_reader_close(reader);
}

static void offer_lanes(completion *c, const command *cmd)
{
    m31r_reader *reader = NULL;
    const char *run = positional(c, cmd, 0);
    if (m31r_reader_open(&reader, root_of(c), run != NULL ? run : "@", NULL) != M31R_OK) {
        return;
    }
    for (size_t i = 0; i < m31r_reader_lanes(reader); i++) {
        const char *name = m31r_reader_lane(reader, i)->name;
        offer(c, name[0] != '\0' ? name : "main");
    }
    m31r_reader_close(reader);
}

static bool offer_field(void *context, const char *field)
{
    offer(context, field);
    return true;
}

/* The fields of the newest run: those of its config and metrics too. */
static void offer_run_fields(completion *c)
{
    m31r_runs *runs = NULL;
    if (m31r_runs_open(&runs, root_of(c), NULL) == M31R_OK) {
        (void)m31r_runs_each_field(runs, 0, offer_field, c, NULL);
    }
    m31r_runs_close(runs);
}

static void offer_words(completion *c, const char *words)
{
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        offer_bytes(c, words, length);
        words += length + (words[length] == ' ');
    }
}

static void offer_runs(completion *c)
{
    m31r_runs *runs = NULL;
    const m31r_facts *facts;
    offer(c, "@");
    if (m31r_runs_open(&runs, root_of(c), NULL) == M31R_OK) {
        for (size_t i = 0; i < m31r_runs_count(runs); i++) {
            if (m31r_runs_facts(runs, i, &facts, NULL) == M31R_OK) {
                offer(c, facts->run_id);
                offer(c, facts->name);
                offer_words(c, facts->tags);
                offer(c, facts->release);
            }
        }
    }
    m31r_runs_close(runs);
}

static void offer_options(completion *c, const command *cmd)
{
    const cli_option *const tables[] = {cmd->options, common_options};
    for (size_t k = 0; k < 2; k++) {
        for (const cli_option *o = tables[k]; o != NULL && o->name != NULL; o++) {
            char text[80];
            snprintf(text, sizeof text, "--%s", o->name);
            offer(c, text);
        }
    }
}

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(word, *words) != 0) {
        words++;
    }
    return *words != NULL;
}

/* A value of an option. What is not known here is left to the shell: files. */
static void offer_values(completion *c, const command *cmd, const char *option)
{
    static const char *const of_records[] = {"fields", "by", "count-by", "stats", NULL};
    static const char *const of_runs[] = {"cols", "sort", NULL};
    static const char *const of_points[] = {"name", "step", "value", "ts", "segment", NULL};
    static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", NULL};
    bool is_where = strcmp(option, "where") == 0;
    bool is_runs = strcmp(cmd->name, "runs") == 0;
    if (strcmp(option, "level") == 0) {
        offer_all(c, levels);
    } else if (strcmp(option, "lane") == 0) {
        offer_lanes(c, cmd);
    } else if (strcmp(option, "resume") == 0) {
        offer_runs(c);
    } else if ((is_where && is_runs) || is_one_of(option, of_runs)) {
        take_last_name(c);
        offer_run_fields(c);
    } else if (is_where && strcmp(cmd->name, "metrics") == 0) {
        take_last_name(c);
        offer_all(c, of_points);
    } else if (is_where || is_one_of(option, of_records)) {
        take_last_name(c);
        offer_record_fields(c, cmd);
    }
}

/* The option whose value the cursor is in; NULL for none. A shell may have cut an expression at its
 * operators, so for --where the option may stand further back. */
static const cli_option *option_at(const completion *c, const command *cmd)
{
    for (int k = c->n - 2; k >= 1; k--) {
        const char *word = c->words[k];
        if (word[0] != '-' || word[1] == '\0') {
            continue;
        }
        const cli_option *o = find_option(cmd, word);
        bool is_it = o != NULL && o->value != NULL && o->value[0] != '[' &&
                     (k == c->n - 2 || strcmp(o->name, "where") == 0);
        return is_it ? o : NULL;
    }
    return NULL;
}

static void complete(completion *c)
{
    if (c->n == 1) {
        for (size_t i = 0; all_commands[i] != NULL; i++) {
            offer(c, all_commands[i]->name);
        }
        offer(c, "--version");
        offer(c, "--help");
        return;
    }
    const command *cmd = command_find(c->words[0]);
    if (cmd == NULL) {
        return;
    }
    const cli_option *option = option_at(c, cmd);
    if (option != NULL) {
        offer_values(c, cmd, option->name);
    } else if (c->word[0] == '-') {
        offer_options(c, cmd);
    } else if (strcmp(cmd->name, "metrics") == 0 && positional(c, cmd, 0) != NULL) {
        offer_metrics(c, cmd);
    } else if (strcmp(cmd->name, "help") == 0) {
        for (size_t i = 0; all_commands[i] != NULL; i++) {
            offer(c, all_commands[i]->name);
        }
    } else if (cmd->max_args > 0) {
        offer_runs(c);
    }
}

void complete_words(const char *const *words, int n)
{
    completion c = {.words = words, .n = n, .word = n > 0 ? words[n - 1] : ""};
    if (n > 0) {
        complete(&c);
    }
    for (size_t i = 0; i < c.n_said; i++) {
        free(c.said[i]);
    }
}
