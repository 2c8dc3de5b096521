/* cmd_run.c - m31r run: options into a struct, m31r_observe(), and the end of this process as the
 * program ended. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "m31r/json.h"
#include "m31r/observe.h"

#define METRICS 64

static const cli_option options[] = {
    {"config", 0, "FILE", "the training config, or none"},
    {"seed", 0, "N", "the seed, or none; {seed} in the arguments and M31R_SEED pass it on"},
    {"dataset", 0, "D", "version of the dataset, a path to fingerprint, or none"},
    {"tokenizer", 0, "T", "version of the tokenizer, a path to fingerprint, or none"},
    {"commit", 0, "C", "the commit; taken from git when not given, or none"},
    {"stage", 0, "S", "train, data, tokenizer, eval, serve or a word of your own (train)"},
    {"name", 0, "NAME", "a name for people"},
    {"root", 0, "DIR", "directory of runs (experiments)"},
    {"resume", 0, "RUN", "the run that this one continues"},
    {"project", 0, "FILE", "the project file (m31r.yaml)"},
    {"try", 0, NULL, "none for whatever is not found; the run is marked a trial"},
    {"check", 0, NULL, "try the identity, run nothing"},
    {"id-file", 0, "FILE", "write the run's id there before the program starts"},
    {"metric", 'm', "NAME=REGEX", "take points from printed lines; may be given often"},
    {"capture", 0, "MODE", "full, patterns or off (patterns when the stage is serve or eval)"},
    {"tee", 0, NULL, "pass the program's bytes on untouched instead of records"},
    {"stop-on", 0, "KINDS", "end the program when a loss is no number or grows: nan,diverged"},
    {"sample-interval", 0, "S", "seconds between samples of the system, 0 for none (1)"},
    {"no-cache", 0, NULL, "hash every file, also those untouched since they were hashed"},
    {"no-sample", 0, NULL, "no samples of the system"},
    {NULL, 0, NULL, NULL},
};

/* Seconds, or false with the error printed. */
static bool read_interval(cli *c, double *out)
{
    const char *text = cli_value(c, "sample-interval");
    if (cli_has(c, "no-cache")) {
        setenv("M31R_NO_CACHE", "1", 1); /* the program inherits it */
    }
    if (cli_has(c, "no-sample")) {
        *out = 0;
    } else if (text != NULL) {
        char *end;
        *out = strtod(text, &end);
        if (end == text || *end != '\0' || !(*out >= 0)) {
            (void)cli_misuse(c, "--sample-interval is a number of seconds, not \"%s\"", text);
            return false;
        }
    }
    return true;
}

static bool read_metrics(cli *c, const char **metrics, m31r_observe_options *o)
{
    int n = cli_count(c, "metric");
    if (n > METRICS) {
        (void)cli_misuse(c, "--metric is given %d times, at most %d", n, METRICS);
        return false;
    }
    for (int i = 0; i < n; i++) {
        metrics[i] = cli_value_at(c, "metric", i);
    }
    o->metrics = metrics;
    o->n_metrics = (size_t)n;
    return true;
}

static int check(cli *c, const m31r_observe_options *o)
{
    char *json = NULL;
    m31r_error e;
    if (m31r_observe_check(o, &json, &e) != M31R_OK) {
        return cli_fail(c, &e);
    }
    fprintf(c->out.out, "%s\n", json);
    m31r_observe_free(json);
    return 0;
}

static int run(cli *c)
{
    m31r_observe_options o = M31R_OBSERVE_OPTIONS_INIT;
    const char *metrics[METRICS];
    o.run.config = cli_value(c, "config");
    o.run.seed = cli_value(c, "seed");
    o.run.dataset = cli_value(c, "dataset");
    o.run.tokenizer = cli_value(c, "tokenizer");
    o.run.commit = cli_value(c, "commit");
    o.run.stage = cli_value(c, "stage");
    o.run.name = cli_value(c, "name");
    o.run.root = cli_value(c, "root");
    o.run.resume = cli_value(c, "resume");
    o.run.is_trial = cli_has(c, "try");
    o.run.argc = c->n_program;
    o.run.argv = (const char *const *)c->program;
    o.project = cli_value(c, "project");
    o.id_file = cli_value(c, "id-file");
    o.capture = cli_value(c, "capture");
    o.stop_on = cli_value(c, "stop-on");
    o.is_tee = cli_has(c, "tee");
    if (!read_interval(c, &o.sample_interval_s) || !read_metrics(c, metrics, &o)) {
        return 1;
    }
    if (c->n_program < 1) {
        return cli_misuse(c, "no program: m31r run [options] -- PROGRAM [ARG...]");
    }
    if (cli_has(c, "check")) {
        return check(c, &o);
    }
    m31r_observe_end end;
    m31r_error e;
    fflush(stdout);
    if (m31r_observe(&o, &end, &e) != M31R_OK) {
        return cli_fail(c, &e);
    }
    m31r_observe_end_as(&end);
    return 0;
}

const command command_run = {
    .name = "run",
    .summary = "run a program and record it: logs, metrics, identity, how it ended",
    .usage = "[options] -- PROGRAM [ARG...]",
    .options = options,
    .run = run,
    .details =
        "Nothing has to be changed in the program. Its stdin, exit status and signals pass "
        "as if nobody stood\n"
        "between; a terminal stays a terminal. In a pipe, stdout becomes JSON lines: the "
        "program's lines as\n"
        "records, its own records, and the observer's; --tee keeps its own bytes instead. "
        "stderr ends with\n"
        "one line {\"event\":\"run_end\",...}; when that is missing, nothing was started.\n"
        "Started for each rank of a job (RANK, SLURM_PROCID, OMPI_COMM_WORLD_RANK and the job's "
        "key), all make one\nrun: rank 0 makes and ends it.\n"
        "Its points are watched: NaN, spikes, divergence, slow steps, leaks, stalls become records "
        "`anomaly` of the\nobserver (m31r help anomalies). They end nothing, unless --stop-on nan "
        "or diverged says so: then the program\nand all it started get SIGTERM, after 30 s "
        "SIGKILL, and the run failed with cause nonfinite or diverged.\n"
        "Killing this command, or closing its terminal, neither stops the program nor loses "
        "its record.",
    .examples = "m31r run -- ./train --seed {seed}   # all the rest from m31r.yaml\n"
                "m31r run --try -- python3 train.py   # no project file: a trial\n"
                "m31r run --metric 'loss=loss:? ([0-9.eE+-]+)' --metric 'step=step (?<step>\\d+)' "
                "-- ./train",
    .takes_program = true,
};
