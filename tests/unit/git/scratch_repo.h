/* scratch_repo.h - a folder of its own for a test, and git in it by sh, apart from the settings of
 * who runs the tests. */
#ifndef M31R_SCRATCH_REPO_H
#define M31R_SCRATCH_REPO_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "scratch_place.h"

static char scratch[64];

static void make_scratch(void)
{
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("GIT_TEMPLATE_DIR", "", 1); /* no hooks to copy */
    snprintf(scratch, sizeof scratch, "%s/m31r-git-XXXXXX", scratch_place());
    assert_non_null(mkdtemp(scratch));
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return system(command) == 0 ? 0 : -1;
}

/* Runs the commands in `below` the folder; the test fails when one of them does. */
static void shell_in(const char *below, const char *commands)
{
    m31ri_buf all = M31RI_BUF_INIT;
    m31ri_buf_add_format(
        &all,
        "set -e; cd %s/%s; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
        "GIT_COMMITTER_EMAIL=a@b GIT_ALLOW_PROTOCOL=file; %s",
        scratch, below, commands);
    int status = system(m31ri_buf_str(&all));
    m31ri_buf_release(&all);
    if (status != 0) {
        fail_msg("%s", commands);
    }
}

#endif
