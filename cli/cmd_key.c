/* cmd_key.c - m31r key new|show: the key that signs the seals of runs. */
#include <string.h>

#include "command.h"
#include "m31r/key.h"

static const cli_option options[] = {
    {"yes", 0, NULL, "new: put the key that is there aside"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_key key;
    m31r_error e;
    m31r_err err;
    if (strcmp(c->args[0], "new") == 0) {
        err = m31r_key_new(cli_has(c, "yes"), &key, &e);
    } else if (strcmp(c->args[0], "show") == 0) {
        err = m31r_key_show(&key, &e);
    } else {
        return cli_misuse(c, "%s is neither new nor show", c->args[0]);
    }
    err = err == M31R_OK ? m31r_show_key(&c->out, &key, &e) : err;
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_key = {
    .name = "key",
    .summary = "make or show the key that signs the seals of runs",
    .usage = "new|show",
    .options = options,
    .run = run,
    .details = "Never required. With a key in ~/.config/m31r/key (Ed25519, PEM, mode 0600, no "
               "passphrase) each run that you seal is\nsigned. A signature tells a run that you "
               "sealed from one that was sealed again without your key. It does not\nprotect "
               "against who can read the key, or run programs as you. docs/seal.md says more.",
    .examples = "m31r key new\nm31r key show --json",
    .min_args = 1,
    .max_args = 1,
};
