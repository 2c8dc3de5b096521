/* cmd_trend.c - m31r trend: where a measurement changed its level, by how much and how surely. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "m31r/changes.h"

static const cli_option options[] = {
    {"series", 0, "FILE", "values from a file, one a line, oldest first; - is standard input"},
    {"preset", 0, "NAME", "generic (any series) or perf (a measurement around a level)"},
    {"indices", 0, NULL, "only the 0-based index of the first value of each new level"},
    {NULL, 0, NULL, NULL},
};

static bool read_preset(cli *c, m31r_preset *out)
{
    const char *name = cli_value(c, "preset");
    if (name == NULL) {
        return true;
    }
    *out = strcmp(name, "perf") == 0 ? M31R_PRESET_PERF : M31R_PRESET_GENERIC;
    if (*out == M31R_PRESET_GENERIC && strcmp(name, "generic") != 0) {
        (void)cli_misuse(c, "--preset is generic or perf, not \"%s\"", name);
        return false;
    }
    return true;
}

static void print_indices(const cli *c, const m31r_changes *changes)
{
    m31r_change change;
    for (size_t i = 0; m31r_changes_get(changes, i, &change) == M31R_OK; i++) {
        fprintf(c->out.out, "%zu\n", change.at);
    }
}

static int run(cli *c)
{
    m31r_preset preset = M31R_PRESET_GENERIC;
    m31r_changes *changes = NULL;
    double *values = NULL;
    size_t n = 0;
    m31r_error e;
    if (!cli_has(c, "series")) {
        return cli_misuse(c, "--series FILE says where the values are");
    }
    if (!read_preset(c, &preset)) {
        return 1;
    }
    m31r_err err = m31r_values_read(&values, &n, cli_value(c, "series"), &e);
    if (err == M31R_OK) {
        err = m31r_changes_find(&changes, values, n, preset, &e);
    }
    if (err == M31R_OK && cli_has(c, "indices")) {
        print_indices(c, changes);
    } else if (err == M31R_OK) {
        err = m31r_show_changes(&c->out, changes, values, n, &e);
    }
    m31r_changes_free(changes);
    m31r_values_free(values);
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}

const command command_trend = {
    .name = "trend",
    .summary = "where a measurement changed its level, by how much and how surely",
    .usage = "--series FILE|- [--preset generic|perf] [--indices]",
    .options = options,
    .run = run,
    .details =
        "Cuts a series, one value a line, into levels (or lines, for a trend) by an exact search. "
        "Bursts of up to four\nvalues and single outliers are no level. With less than 10 finite "
        "values there is no verdict; of more than 2,000\nthe newest are looked at. An empty line, "
        "nan, na or null is a missing value.\nThe newest one to four values are called suspect "
        "when all of them are far off their level: repeat the run.\nJSON: one object of kind "
        "trend_change for each change, then one of kind trend.",
    .examples = "m31r trend --series step_ms.txt --preset perf\n"
                "m31r trend --series - --indices < loss.txt   # one index a line",
};
