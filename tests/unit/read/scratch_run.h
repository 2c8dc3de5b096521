/* scratch_run.h - a copy of the committed run in a folder of its own, for tests that change it. */
#ifndef SCRATCH_RUN_H
#define SCRATCH_RUN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "m31r/reader.h"
#include "scratch_place.h"

#define FIXTURE_ROOT M31R_SOURCE_DIR "/tests/data/v1"
#define FIXTURE "20261123T140658Z-fc62b753"

static char scratch_root[64];

static inline void shell(const char *format, const char *a, const char *b)
{
    char command[2048];
    snprintf(command, sizeof command, format, a, b);
    assert_int_equal(system(command), 0);
}

static inline int scratch_make(void **state)
{
    (void)state;
    snprintf(scratch_root, sizeof scratch_root, "%s/m31r-read-XXXXXX", scratch_place());
    assert_non_null(mkdtemp(scratch_root));
    shell("cp -r %s/. %s", FIXTURE_ROOT, scratch_root);
    shell("chmod -R u+w %s%s", scratch_root, "");
    return 0;
}

static inline int scratch_remove(void **state)
{
    (void)state;
    shell("rm -rf %s%s", scratch_root, "");
    return 0;
}

/* Runs a shell command inside the scratch run's directory. */
static inline void in_run(const char *command)
{
    shell("cd %s/" FIXTURE " && %s", scratch_root, command);
}

static inline m31r_reader *open_scratch(void)
{
    m31r_reader *reader = NULL;
    m31r_error e = {0};
    if (m31r_reader_open(&reader, scratch_root, "@", &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    return reader;
}

#endif
