/* cmd_verify.c - m31r verify RUN: whole, conforming, unchanged, clean? */
#include "command.h"
#include "m31r/reader.h"
#include "m31r/verify.h"

static const cli_option options[] = {
    {"root", 0, "DIR", "directory of runs (default: experiments)"},
    {"complete", 0, NULL, "demand a recorded end and a seal"},
    {"seal", 0, NULL, "only whether every byte is as it was sealed"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_reader *reader = NULL;
    m31r_verification *v = NULL;
    m31r_error e;
    const m31r_verify_options o = {.is_complete = cli_has(c, "complete"),
                                   .seal_only = cli_has(c, "seal")};
    int status = 0;
    m31r_err err =
        m31r_reader_open(&reader, cli_value(c, "root"), c->n_args > 0 ? c->args[0] : "@", &e);
    if (err == M31R_OK) {
        err = m31r_verify(&v, reader, &o, &e);
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
    .usage = "[RUN] [--complete] [--seal]",
    .options = options,
    .run = run,
    .details = "Answers the five criteria of section 29 and the checks that they rest on, each "
               "with its requirement. The verdict "
               "is\nverified, prefix (a live or crashed run, up to its end so far), changed, "
               "incomplete, invalid\n(a record breaks its stage's schema, docs/stages.md) or "
               "unreadable; the exit status is 0 for the\nfirst two, else 4. Nothing is changed.",
    .examples = "m31r verify @\nm31r verify @ --complete --json",
    .max_args = 1,
};
