/* train: a small language model of Rust code, learned from a directory of .rs files. See README.md.
 *
 * This file is the command line: it finds out what to do, opens the run, and turns what went wrong
 * into one record and an exit status: 0 success, 1 user error, 2 config error, 3 runtime error.
 */
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trainer.h"

#ifndef TRAIN_OWN_CORPUS
#define TRAIN_OWN_CORPUS "examples/corpus"
#endif

/* A token is a byte: this name is all there is to the tokenizer. */
static const char TOKENIZER[] = "bytes-256@1";

static const char USAGE[] =
    "usage: train --config FILE [--corpus DIR] [--seed N] [--steps N] [--resume CHECKPOINT]\n"
    "             [--out DIR] [--losses FILE]\n"
    "  --config FILE    settings; see examples/train/train.yaml\n"
    "  --corpus DIR     directory of .rs files, instead of the config's\n"
    "  --seed N         instead of the config's; so does M31R_SEED\n"
    "  --steps N        instead of the config's\n"
    "  --resume FILE    go on from a checkpoint\n"
    "  --out DIR        directory of checkpoints (default: the run's, else ./checkpoints)\n"
    "  --losses FILE    write the loss of every step as a hexadecimal float\n";

/* What the command line says; NULL where it says nothing. */
typedef struct {
    const char *config;
    const char *corpus;
    const char *seed;
    const char *steps;
    const char *resume;
    const char *out;
    const char *losses;
    bool wants_help;
} arguments;

static volatile sig_atomic_t stop_signal;

static void on_stop(int signal_number)
{
    stop_signal = signal_number;
}

/* A first SIGINT or SIGTERM asks for a checkpoint and an orderly end; a second one ends at once. */
static void signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

static bool arguments_parse(arguments *out, int argc, char **argv, fault *error)
{
    static const struct option OPTIONS[] = {
        {"config", required_argument, NULL, 'c'},
        {"corpus", required_argument, NULL, 'd'},
        {"seed", required_argument, NULL, 's'},
        {"steps", required_argument, NULL, 'n'},
        {"resume", required_argument, NULL, 'r'},
        {"out", required_argument, NULL, 'o'},
        {"losses", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int found;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", OPTIONS, NULL)) != -1) {
        switch (found) {
        case 'c':
            out->config = optarg;
            break;
        case 'd':
            out->corpus = optarg;
            break;
        case 's':
            out->seed = optarg;
            break;
        case 'n':
            out->steps = optarg;
            break;
        case 'r':
            out->resume = optarg;
            break;
        case 'o':
            out->out = optarg;
            break;
        case 'l':
            out->losses = optarg;
            break;
        case 'h':
            out->wants_help = true;
            return true;
        default:
            return fault_set(error, FAULT_USER, "usage", "%s %s", argv[optind - 1],
                             found == ':' ? "needs a value" : "is not an option");
        }
    }
    if (optind < argc || out->config == NULL) {
        return fault_set(error, FAULT_USER, "usage", "%s %s",
                         optind < argc ? argv[optind] : "--config",
                         optind < argc ? "is not an option" : "is missing");
    }
    return true;
}

/* The command line stands above the environment, and that above the config. */
static bool settings_override(settings *s, const arguments *a, fault *error)
{
    const char *seed = a->seed != NULL ? a->seed : getenv("M31R_SEED");
    if (seed != NULL && !config_parse_seed(seed, &s->seed)) {
        return fault_set(error, FAULT_USER, "seed",
                         "%s '%s', expected a whole number from 0 to 2^64 - 1",
                         a->seed != NULL ? "--seed" : "M31R_SEED", seed);
    }
    if (a->steps != NULL && !config_parse_int(a->steps, 1, INT_MAX, &s->steps)) {
        return fault_set(error, FAULT_USER, "steps",
                         "--steps '%s', expected a whole number from 1 to %d", a->steps, INT_MAX);
    }
    s->optimiser.steps = s->steps;
    return true;
}

/* Writes the directory to `out`: the given one, or for "auto" the last rust-src of Debian, else
 * our own files. */
static void corpus_find(const char *wanted, char *out, size_t size)
{
    const char *found = wanted;
    glob_t matches = {0};
    if (strcmp(wanted, "auto") == 0) {
        bool is_installed = glob("/usr/src/rustc-*/library", GLOB_ONLYDIR, NULL, &matches) == 0;
        found = is_installed ? matches.gl_pathv[matches.gl_pathc - 1] : TRAIN_OWN_CORPUS;
    }
    (void)snprintf(out, size, "%s", found);
    globfree(&matches);
}

static bool corpus_open(corpus *out, const char *directory, int held_out_percent, m31r_log *log,
                        fault *error)
{
    if (!corpus_read(out, directory, held_out_percent, error)) {
        return false;
    }
    char digest[17];
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, out->digest);
    m31r_info(log, "corpus_read", "path", directory, "files", out->n_files, "training_bytes",
              out->training.size, "validation_bytes", out->validation.size, "fnv1a", digest);
    return true;
}

/* From the environment, so that the config stays the same: what a slower commit looks like. */
static bool slow_percent_read(int *out, fault *error)
{
    const char *text = getenv("TRAIN_SLOW_PERCENT");
    *out = 0;
    if (text != NULL && !config_parse_int(text, 0, 1000, out)) {
        return fault_set(error, FAULT_USER, "slow_percent",
                         "TRAIN_SLOW_PERCENT '%s', expected a whole number from 0 to 1000", text);
    }
    return true;
}

static bool train(const arguments *a, m31r_run *run, fault *error)
{
    int slow_percent;
    settings s;
    char corpus_directory[PATH_MAX];
    char checkpoints[PATH_MAX];
    char seed[24];
    if (!settings_read(&s, a->config, error) || !settings_override(&s, a, error) ||
        !slow_percent_read(&slow_percent, error)) {
        return false;
    }
    (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)s.seed);
    m31r_run_identify(run, "seed", seed);
    m31r_run_identify(run, "tokenizer", TOKENIZER);

    const char *run_directory = m31r_run_dir(run);
    (void)snprintf(checkpoints, sizeof checkpoints, "%s%scheckpoints", run_directory,
                   *run_directory == '\0' ? "" : "/");
    corpus_find(a->corpus != NULL ? a->corpus : s.corpus, corpus_directory,
                sizeof corpus_directory);
    corpus text;
    if (!corpus_open(&text, corpus_directory, s.held_out_percent, m31r_run_logger(run, "trainer"),
                     error)) {
        return false;
    }
    bool ok = trainer_run(&(trainer_options){.settings = &s,
                                             .text = &text,
                                             .checkpoints = a->out != NULL ? a->out : checkpoints,
                                             .resume = a->resume,
                                             .losses = a->losses,
                                             .run = run,
                                             .slow_percent = slow_percent,
                                             .stop = &stop_signal},
                          error);
    corpus_release(&text);
    return ok;
}

/* One record, CRITICAL because the program gives up: the run is then `failed`. On stderr instead
 * when no run takes it, because an error must reach somebody. */
static void fault_report(m31r_run *run, const fault *error)
{
    m31r_log *log = m31r_run_logger(run, "train");
    if (!m31r_run_is_live(run)) {
        (void)fprintf(stderr, "train: %s: %s\n", error->reason, error->text);
    } else if (error->exit_code > 128) {
        m31r_warning(log, "train_interrupted", "reason", error->reason, "detail", error->text);
    } else {
        m31r_critical(log, "train_failed", "reason", error->reason, "detail", error->text,
                      "exit_code", error->exit_code);
    }
}

int main(int argc, char **argv)
{
    arguments a = {0};
    fault error = {0};
    if (!arguments_parse(&a, argc, argv, &error)) {
        (void)fprintf(stderr, "train: %s\n%s", error.text, USAGE);
        return error.exit_code;
    }
    if (a.wants_help) {
        return fputs(USAGE, stdout) < 0 ? FAULT_RUNTIME : 0;
    }
    signals_catch();
    m31r_run *run = m31r_run_here(a.config);
    bool ok = train(&a, run, &error);
    if (!ok) {
        fault_report(run, &error);
    }
    if (error.exit_code > 128) {
        /* Whoever waits for this process sees the signal that it was sent. */
        (void)m31r_run_end(run, M31R_END_INTERRUPTED, "signal");
        (void)signal(error.exit_code - 128, SIG_DFL);
        (void)raise(error.exit_code - 128);
    }
    (void)m31r_run_end(run, ok ? M31R_END_FINISHED : M31R_END_FAILED, ok ? NULL : error.reason);
    return ok ? 0 : error.exit_code;
}
