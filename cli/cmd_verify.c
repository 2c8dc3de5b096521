/* cmd_verify.c - m31r verify RUN: whole, conforming, unchanged, clean? */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "m31r/clean.h"
#include "m31r/proof.h"
#include "m31r/reader.h"
#include "m31r/verify.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"complete", 0, NULL, "demand a recorded end and a seal"},
    {"privacy", 0, NULL, "look for secrets and personal data in a run, file or directory"},
    {"config", 0, "FILE", "with --privacy: the rules of this config for what is in no run"},
    {"seal", 0, NULL, "only whether every byte is as it was sealed"},
    {"no-cache", 0, NULL, "read every file, also those untouched since they were hashed"},
    {"key", 0, "HEX", "demand that this public key signed the seal"},
    {"prove", 0, "FILE:LINE", "write a proof that this line stood in the sealed run"},
    {"proof", 0, "FILE", "check such a proof (- is standard input); no RUN is needed"},
    {NULL, 0, NULL, NULL},
};

#define PROOF_BYTES (64 * 1024 * 1024)

/* FILE:LINE, with the file's name in `file`. False when it is not that. */
static bool split_place(const char *text, char *file, size_t size, uint64_t *line)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    if (colon == NULL || colon == text || (size_t)(colon - text) >= size || colon[1] < '1' ||
        colon[1] > '9') {
        return false;
    }
    memcpy(file, text, (size_t)(colon - text));
    file[colon - text] = '\0';
    *line = strtoull(colon + 1, &end, 10);
    return *end == '\0';
}

static int prove(cli *c, const m31r_reader *reader)
{
    char file[256];
    uint64_t line;
    m31r_error e;
    if (!split_place(cli_value(c, "prove"), file, sizeof file, &line)) {
        return cli_misuse(c, "%s is not FILE:LINE", cli_value(c, "prove"));
    }
    m31r_err err = m31r_proof_write(reader, file, line, c->out.out, &e);
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

static int check_proof(cli *c, const char *path)
{
    m31r_proof proof;
    m31r_error e = {.code = M31R_OK};
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char *text = in != NULL ? malloc(PROOF_BYTES) : NULL;
    size_t length = text != NULL ? fread(text, 1, PROOF_BYTES, in) : 0;
    if (in != NULL && in != stdin) {
        fclose(in);
    }
    if (text == NULL) {
        return cli_misuse(c, "%s cannot be read", path);
    }
    m31r_err err = m31r_proof_check(text, length, &proof, &e);
    free(text);
    if (err == M31R_OK) {
        err = m31r_show_proof(&c->out, &proof, &e);
        m31r_proof_release(&proof);
    }
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

static void show_leak(void *context, const m31r_leak *f)
{
    cli *c = context;
    m31r_show_leak(&c->out, f, NULL);
}

static void show_unproved(void *context, const m31r_unproved *u)
{
    cli *c = context;
    m31r_show_unproved(&c->out, u, NULL);
}

/* A path that exists is taken as it is; else it names a run. */
static int run_privacy(cli *c)
{
    m31r_error e;
    m31r_reader *reader = NULL;
    m31r_privacy_summary sum;
    m31r_privacy_check_options o = M31R_PRIVACY_CHECK_OPTIONS_INIT;
    o.found = show_leak;
    o.unproved = show_unproved;
    o.context = c;
    o.config = cli_value(c, "config");
    const char *path = c->n_args > 0 ? c->args[0] : "@";
    m31r_err err = m31r_privacy_check(path, &o, &sum, &e);
    if (err == M31R_E_NOTFOUND && access(path, F_OK) != 0) {
        err = m31r_reader_open(&reader, cli_value(c, "root"), path, &e);
        path = err == M31R_OK ? m31r_reader_facts(reader)->path : path;
        if (err == M31R_OK) {
            err = m31r_privacy_check(path, &o, &sum, &e);
        }
    }
    if (err == M31R_OK) {
        err = m31r_show_privacy(&c->out, path, &sum, &e);
    }
    int status = err != M31R_OK     ? cli_fail(c, &e)
                 : sum.n_found != 0 ? m31r_err_exit(M31R_E_INVALID)
                                    : 0;
    m31r_reader_close(reader);
    return status;
}

typedef struct {
    const m31r_screen *screen;
    atomic_bool is_shown;
} progress;

static void show_hashing(void *context, uint64_t done, uint64_t total)
{
    progress *p = context;
    atomic_store(&p->is_shown, true);
    m31r_show_progress(p->screen, "hashing", done, total);
}

static int run(cli *c)
{
    if (cli_has(c, "no-cache")) {
        setenv("M31R_NO_CACHE", "1", 1);
    }
    if (cli_has(c, "privacy")) {
        return run_privacy(c);
    }
    m31r_reader *reader = NULL;
    m31r_verification *v = NULL;
    m31r_error e;
    progress hashing = {.screen = &c->err};
    const m31r_verify_options o = {.is_complete = cli_has(c, "complete"),
                                   .seal_only = cli_has(c, "seal"),
                                   .key = cli_value(c, "key"),
                                   .hashing = show_hashing,
                                   .context = &hashing};
    int status = 0;
    if (cli_has(c, "proof")) {
        return check_proof(c, cli_value(c, "proof"));
    }
    m31r_err err =
        m31r_reader_open(&reader, cli_value(c, "root"), c->n_args > 0 ? c->args[0] : "@", &e);
    if (err == M31R_OK && cli_has(c, "prove")) {
        status = prove(c, reader);
        m31r_reader_close(reader);
        return status;
    }
    if (err == M31R_OK) {
        err = m31r_verify(&v, reader, &o, &e);
        if (atomic_load(&hashing.is_shown)) {
            m31r_show_progress(&c->err, NULL, 0, 0);
        }
    }
    if (err == M31R_OK) {
        err = m31r_show_verification(&c->out, reader, v, &e);
    }
    if (err != M31R_OK) {
        status = cli_fail(c, &e);
    } else if (m31r_verification_verdict(v) > M31R_VERDICT_PREFIX) {
        status = m31r_err_exit(M31R_E_INVALID);
    }
    m31r_verification_free(v);
    m31r_reader_close(reader);
    return status;
}

const command command_verify = {
    .name = "verify",
    .summary = "check that a run's record is whole, conforming and clean",
    .usage = "[RUN] [--complete] [--seal] | RUN --prove FILE:LINE | --proof FILE | "
             "--privacy [RUN|FILE|DIRECTORY] [--config FILE]",
    .options = options,
    .run = run,
    .details =
        "Answers the five criteria of section 29 and the checks that they rest on, each "
        "with its requirement. The verdict "
        "is\nverified, prefix (a live or crashed run, up to its end so far), changed, "
        "incomplete, invalid\n(a record breaks its stage's schema, docs/stages.md) or "
        "unreadable; the exit status is 0 for the\nfirst two, else 4. Nothing is changed.\n\n"
        "--privacy looks through every line of a run, a file (also another program's) or a "
        "directory, and\ntells kind, file, line and column of what must not be there, never "
        "the value: exit status 4. It names\nthe files of which nobody can say that they "
        "are clean, such as captured output. In a run the rules of its recorded config hold;\n"
        "elsewhere those of --config, or of the config that ./m31r.yaml names.",
    .examples = "m31r verify @\nm31r verify @ --complete --json\nm31r verify --privacy @",
    .max_args = 1,
};
