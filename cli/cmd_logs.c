/* cmd_logs.c - m31r logs [RUN|FILE|-]: records, filtered, merged over all lanes, followed while
 * they are written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "m31r/groups.h"
#include "m31r/reader.h"
#include "m31r/scan.h"

#define WAIT_MS 500
#define AROUND 10
#define THREADS_LIMIT 8

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"where", 'w', "EXPR", "only records for which it holds: loss>3.5 and msg~\"memory\""},
    {"level", 'l', "LEVEL", "this level and above: DEBUG INFO WARNING ERROR CRITICAL"},
    {"module", 'm', "NAME", "only this module"},
    {"lane", 0, "NAME", "only this lane (main: the main lane) or file"},
    {"step", 0, "A..B", "only records of these steps; A.., ..B and A are fine too"},
    {"since", 0, "TIME", "only records from then on: 2h (ago; s m h d w), 2026-11-23T10:26Z"},
    {"until", 0, "TIME", "only records before then"},
    {"around", 0, "STEP|:LINE", "only records around a step, or a line: :57, train.log:57"},
    {"tail", 'n', "N", "only the last N that match; with --around N on each side (10)"},
    {"follow", 'f', NULL, "wait for more until the run ends, new lanes included"},
    {"fields", 0, "A,B", "only these fields, in this order"},
    {"csv", 0, NULL, "comma-separated (RFC 4180): groups; --fields, else ts,level,module,msg,step"},
    {"count-by", 0, "A,B", "count records by the values of these fields"},
    {"count", 0, NULL, "count the records that match"},
    {"stats", 0, "FIELD", "count, min, max, mean, p50, p90, p99 of a number"},
    {"by", 0, "A,B", "with --stats: of each value of these fields"},
    {"threads", 0, "N",
     "read a large file with so many threads (one for each processor, at most 8)"},
    {"no-index", 0, NULL, "do not use or make the index of a large file (in the user's cache)"},
    {"strict", 0, NULL, "judge every line to its end; exit 4 when one is no record"},
    {NULL, 0, NULL, NULL},
};

typedef struct logs {
    m31r_reader *reader;
    m31r_scan *scan;
    m31r_scan_options options;
    m31r_record_view_options view;
    cli_names fields, by;
    char *around_file;
    bool has_written; /* a record passed */
    bool is_csv;
    m31r_groups *groups; /* NULL when records are written */
} logs;

static bool read_step(const char *text, const char *end, int64_t *out)
{
    char *stop;
    if (text == end) {
        return true;
    }
    *out = strtoll(text, &stop, 10);
    return stop == end;
}

static bool read_steps(cli *c, m31r_filter *filter)
{
    const char *text = cli_value(c, "step");
    if (text == NULL) {
        return true;
    }
    const char *dots = strstr(text, "..");
    const char *end = text + strlen(text);
    filter->has_steps = true;
    filter->first_step = INT64_MIN;
    filter->last_step = INT64_MAX;
    bool is_fine = read_step(text, dots != NULL ? dots : end, &filter->first_step) && *text != '\0';
    if (is_fine && dots == NULL) {
        filter->last_step = filter->first_step;
    } else if (is_fine) {
        is_fine = read_step(dots + 2, end, &filter->last_step);
    }
    if (!is_fine || filter->first_step > filter->last_step) {
        (void)cli_misuse(c, "--step is A..B, A.., ..B or A, not \"%s\"", text);
        return false;
    }
    return true;
}

static bool read_level(cli *c, m31r_filter *filter)
{
    const char *text = cli_value(c, "level");
    if (text == NULL) {
        return true;
    }
    filter->min_level = m31r_level_of(text);
    if (filter->min_level == 0) {
        (void)cli_misuse(c, "level \"%s\" is none of DEBUG, INFO, WARNING, ERROR, CRITICAL", text);
        return false;
    }
    return true;
}

/* --count-by A,B or --stats FIELD [--by A,B]. */
static bool read_groups(cli *c, logs *l)
{
    m31r_groups_options grouping = M31R_GROUPS_OPTIONS_INIT;
    m31r_error e;
    bool counts = cli_has(c, "count-by") || cli_has(c, "count");
    grouping.field = cli_value(c, "stats");
    if (!counts && grouping.field == NULL) {
        if (cli_has(c, "by")) {
            (void)cli_misuse(c, "--by goes with --stats; to count: --count-by");
        }
        return !cli_has(c, "by");
    }
    if (counts && grouping.field != NULL) {
        (void)cli_misuse(c, "--count-by or --stats, not both: --stats counts too");
        return false;
    }
    if (cli_has(c, "count") && cli_has(c, "count-by")) {
        (void)cli_misuse(c, "--count or --count-by, not both");
        return false;
    }
    const char *of_records = cli_has(c, "follow")   ? "follow"
                             : cli_has(c, "fields") ? "fields"
                                                    : NULL;
    if (of_records != NULL) {
        (void)cli_misuse(c, "--%s goes with records, not with --%s", of_records,
                         counts ? "count-by" : "stats");
        return false;
    }
    if (!cli_names_of(c, counts ? "count-by" : "by", M31R_GROUPS_BY_LIMIT, &l->by)) {
        return false;
    }
    grouping.by = l->by.names;
    grouping.n_by = l->by.n;
    if (m31r_groups_open(&l->groups, &grouping, &e) != M31R_OK) {
        (void)cli_fail(c, &e);
        return false;
    }
    return true;
}

/* STEP, :LINE or FILE:LINE; --tail then says how many on each side. */
static bool read_around(cli *c, logs *l)
{
    const char *text = cli_value(c, "around");
    m31r_around *around = &l->options.around;
    char *stop = NULL;
    if (text == NULL) {
        return true;
    }
    const char *colon = strrchr(text, ':');
    const char *digits = colon != NULL ? colon + 1 : text;
    long long n = strtoll(digits, &stop, 10);
    if (stop == digits || *stop != '\0' || n < 0) {
        (void)cli_misuse(c, "--around is STEP, :LINE or FILE:LINE, not \"%s\"", text);
        return false;
    }
    if (cli_has(c, "follow")) {
        (void)cli_misuse(c, "--around and --follow do not go together");
        return false;
    }
    around->n = l->options.tail > 0 ? l->options.tail : AROUND;
    l->options.tail = 0;
    around->has_step = colon == NULL;
    around->step = n;
    around->line = (uint64_t)n;
    if (colon != NULL && colon != text) {
        l->around_file = strndup(text, (size_t)(colon - text));
        around->file = l->around_file;
    }
    return true;
}

static bool read_options(cli *c, logs *l)
{
    l->options = (m31r_scan_options)M31R_SCAN_OPTIONS_INIT;
    l->options.filter.module = cli_value(c, "module");
    l->options.lane = cli_value(c, "lane");
    l->options.is_following = cli_has(c, "follow");
    l->is_csv = cli_has(c, "csv");
    if (l->is_csv && cli_has(c, "json")) {
        (void)cli_misuse(c, "--csv or --json, not both");
        return false;
    }
    l->options.has_no_index = cli_has(c, "no-index");
    l->options.is_strict = cli_has(c, "strict");
    return cli_expr(c, M31R_EXPR_RECORD, &l->options.filter.expr) &&
           cli_time(c, "since", &l->options.filter.since_ns) &&
           cli_time(c, "until", &l->options.filter.until_ns) && read_level(c, &l->options.filter) &&
           read_steps(c, &l->options.filter) &&
           cli_names_of(c, "fields", CLI_NAMES_LIMIT, &l->fields) && read_groups(c, l) &&
           cli_number(c, "tail", 1, M31R_SCAN_TAIL_LIMIT, &l->options.tail) && read_around(c, l) &&
           cli_number(c, "threads", 1, THREADS_LIMIT, &l->options.n_threads);
}

/* A word that is a file is a file; everything else is a run. */
static m31r_err open_source(cli *c, logs *l, m31r_error *e)
{
    l->view.fields = l->fields.n > 0 ? l->fields.names : NULL;
    l->view.n_fields = l->fields.n;
    const char *word = c->n_args > 0 ? c->args[0] : "@";
    struct stat st;
    bool is_file = strcmp(word, "-") == 0 || (stat(word, &st) == 0 && !S_ISDIR(st.st_mode));
    if (is_file) {
        l->options.takes_last_line = true;
        l->view.shows_date = true;
        return m31r_scan_open_file(&l->scan, word, &l->options, e);
    }
    m31r_err err = m31r_reader_open(&l->reader, cli_value(c, "root"), word, e);
    if (err != M31R_OK) {
        if (err == M31R_E_NOTFOUND && m31r_level_of(word) != 0) {
            snprintf(e->hint, sizeof e->hint,
                     "to write a record: m31r log %s MODULE MSG; to filter: "
                     "m31r logs --level %s",
                     word, word);
        }
        return err;
    }
    l->view.shows_lane = m31r_reader_lanes(l->reader) > 1 || l->options.is_following;
    return m31r_scan_open_run(&l->scan, l->reader, &l->options, e);
}

static m31r_err write_records(cli *c, logs *l, m31r_error *e)
{
    m31r_record record;
    m31r_err begun = l->is_csv ? m31r_show_csv_names(&c->out, &l->view, e) : M31R_OK;
    for (;;) {
        m31r_err err = begun != M31R_OK ? begun : m31r_scan_next(l->scan, &record, e);
        l->has_written |= err == M31R_OK;
        if (err == M31R_OK) {
            err = l->is_csv ? m31r_show_csv_record(&c->out, &record, &l->view, e)
                            : m31r_show_record(&c->out, &record, &l->view, e);
        } else if (err == M31R_EOF && l->options.is_following) {
            fflush(c->out.out);
            err = m31r_scan_wait(l->scan, WAIT_MS, e);
        }
        if (err != M31R_OK) {
            return err;
        }
    }
}

/* What can be done to all records at once, and faster. */
static m31r_err write_all(cli *c, logs *l, m31r_error *e)
{
    if (l->groups != NULL) {
        m31r_err err = m31r_groups_add_scan(l->groups, l->scan, e);
        l->has_written = m31r_groups_records(l->groups) > 0;
        return err;
    }
    if (c->out.is_json && !l->is_csv && !l->options.is_following && l->options.around.n == 0) {
        return m31r_scan_write(l->scan, c->out.out, l->view.fields, l->view.n_fields, e);
    }
    return write_records(c, l, e);
}

static m31r_err write_groups(cli *c, const logs *l, m31r_error *e)
{
    uint64_t n_without = m31r_groups_without(l->groups);
    if (n_without > 0) {
        cli_note(c, "%llu of %llu records have no number %s", (unsigned long long)n_without,
                 (unsigned long long)m31r_groups_records(l->groups),
                 m31r_groups_asked(l->groups)->field);
    }
    m31r_err err = (l->is_csv ? m31r_show_csv_groups : m31r_show_groups)(&c->out, l->groups, e);
    return err == M31R_OK ? M31R_EOF : err;
}

/* What was left out is said on stderr; stdout holds records only. */
static int say_skipped(cli *c, const logs *l)
{
    m31r_scan_counts counts = m31r_scan_count(l->scan);
    if (counts.n_skipped > 0) {
        bool has_why = counts.first_bad_why[0] != '\0';
        bool is_one = counts.n_skipped == 1;
        cli_note(c, "%llu %s left out; %s %s:%llu (%s%s%s)", (unsigned long long)counts.n_skipped,
                 is_one ? "line is no record and was" : "lines are no records and were",
                 is_one ? "it is" : "the first is", counts.first_bad_file,
                 (unsigned long long)counts.first_bad_line,
                 m31r_line_class_name(counts.first_bad_class), has_why ? ": " : "",
                 counts.first_bad_why);
    }
    if (counts.n_torn > 0) {
        cli_note(c, "%llu file%s in a line without newline, which was left out",
                 (unsigned long long)counts.n_torn, counts.n_torn == 1 ? " ends" : "s end");
    }
    if (l->options.around.n > 0 && !l->has_written) {
        cli_note(c, "no record is at or behind %s", cli_value(c, "around"));
    }
    bool is_bad = counts.n_skipped > 0 || counts.n_torn > 0;
    return is_bad && cli_has(c, "strict") ? m31r_err_exit(M31R_E_INVALID) : 0;
}

static int run(cli *c)
{
    logs l = {0};
    m31r_error e;
    int status = 1;
    struct stat st;
    if (c->n_args > 0 && cli_is_filter(c->args[0]) && stat(c->args[0], &st) != 0) {
        return cli_filter_is_no_run(c, c->args[0]);
    }
    if (read_options(c, &l)) {
        m31r_err err = open_source(c, &l, &e);
        if (err == M31R_OK) {
            err = write_all(c, &l, &e);
        }
        if (err == M31R_EOF && l.groups != NULL) {
            err = write_groups(c, &l, &e);
        }
        status = err == M31R_EOF ? say_skipped(c, &l) : cli_fail(c, &e);
    }
    cli_note_expr(c, l.options.filter.expr, "record");
    m31r_scan_close(l.scan);
    m31r_reader_close(l.reader);
    m31r_expr_free(l.options.filter.expr);
    m31r_groups_close(l.groups);
    free(l.fields.text);
    free(l.by.text);
    free(l.around_file);
    return status;
}

const command command_logs = {
    .name = "logs",
    .summary = "read records: filter, follow, pick fields",
    .usage = "[RUN|FILE|-] [-w EXPR] [--level L] [--module M] [--step A..B] [--follow]",
    .options = options,
    .run = run,
    .details = "Without an argument: the latest run. All lanes come merged by ts, each in its own "
               "order. FILE or - (stdin) may be "
               "any\nJSON lines. On a terminal a compact view, in a pipe the lines as they stand; "
               "with --fields in JSON an object of\n"
               "kind fields. -w is explained in docs/expressions.md. Lines that are no records are "
               "left out and counted on stderr.",
    .examples =
        "m31r logs @ --level WARNING\nm31r logs @ --follow\nm31r logs @ --fields step,loss "
        "--module trainer\n"
        "m31r logs @ -w 'level>=WARNING and step in 1000..2000'\nm31r logs @ --since 2h\n"
        "m31r logs @ --count-by module,level\nm31r logs FILE --stats latency_ms --by route\n"
        "m31r logs @ --module trainer --fields ts,step,loss --csv > steps.csv\n"
        "m31r logs - -w 'level>=ERROR' < other.jsonl",
    .max_args = 1,
};
