/* cmd_metric.c - m31r metric NAME VALUE [--step N]: one point from a script. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "m31r/shell.h"

static const cli_option options[] = {
    {"step", 0, "N", "the step that the point belongs to"},
    {NULL, 0, NULL, NULL},
};

static int run(cli *c)
{
    m31r_error e;
    int64_t step = M31R_NO_STEP;
    char *end;
    if (!cli_number(c, "step", 0, INT64_MAX, &step)) {
        return 1;
    }
    errno = 0;
    double value = strtod(c->args[1], &end);
    if (end == c->args[1] || *end != '\0' || strpbrk(c->args[1], "xXpP(") != NULL) {
        return cli_misuse(c, "\"%s\" is not a number (NaN, Infinity and -Infinity are)",
                          c->args[1]);
    }
    if (errno == ERANGE && isinf(value)) {
        return cli_misuse(c, "%s is larger than a double", c->args[1]);
    }
    m31r_err err = m31r_shell_metric(c->args[0], value, step, &e);
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_metric = {
    .name = "metric",
    .summary = "add one point from a script",
    .usage = "NAME VALUE [--step N]",
    .options = options,
    .run = run,
    .details = "Goes into metrics.csv of the run that M31R_RUN_DIR names.",
    .examples = "m31r metric val_loss 2.31 --step 1000",
    .min_args = 2,
    .max_args = 2,
};
