/* removal_check.c - what stands against removing a run, or a part of it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "keep/keep_int.h"
#include "rules/privacy_run.h"
#include "store/run_dir.h"

/* The path leads to the directory that was opened, and not through a link at its end: else what is
 * removed would lie elsewhere than where it was looked for. */
static bool is_itself(const m31r_reader *r)
{
    struct stat named;
    struct stat opened;
    return lstat(r->path, &named) == 0 && fstat(r->fd, &opened) == 0 && S_ISDIR(named.st_mode) &&
           named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

void m31ri_removal_check(const m31r_reader *r, bool allows_release, char *why, size_t size)
{
    const m31r_facts *f = &r->facts;
    m31ri_run_life life = M31RI_RUN_LIVE;
    why[0] = '\0';
    if (r->notes.tags == NULL) {
        snprintf(why, size, "whether it is a release is not known: %.200s", f->problem);
    } else if (!is_itself(r)) {
        snprintf(why, size, "it is reached through a link, or was exchanged meanwhile");
    } else if (f->release[0] != '\0' && !allows_release) {
        snprintf(why, size, "it is the release \"%.80s\", which is kept for ever", f->release);
    } else if (f->state == M31R_STATE_UNKNOWN) {
        snprintf(why, size, "whether it has ended is not known: %.200s", f->state_why);
    } else if (m31ri_run_dir_life(r->path, &life, NULL) != M31R_OK || life == M31RI_RUN_LIVE ||
               f->state == M31R_STATE_RUNNING) {
        snprintf(why, size, "a process of it lives");
    } else if (life == M31RI_RUN_LEFT || f->has_live) {
        snprintf(why, size, "nobody has ended it: m31r recover %.100s --yes", f->run_id);
    }
}

m31r_err m31ri_reason_check(const char *reason, m31r_error *e)
{
    if (reason == NULL || reason[0] == '\0' || strlen(reason) > M31R_REASON_BYTES) {
        return m31ri_fail(e, M31R_E_ARG, "there is a reason, of 1 to %d bytes", M31R_REASON_BYTES);
    }
    m31ri_privacy *rules = NULL;
    m31r_err err = m31ri_privacy_of_config(NULL, false, &rules, e);
    if (err != M31R_OK) {
        return err;
    }
    const m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
    bool is_clean = m31ri_privacy_is_clean(rules, none, reason, strlen(reason));
    m31ri_privacy_free(rules);
    return is_clean ? M31R_OK
                    : m31ri_fail(e, M31R_E_ARG,
                                 "the reason looks like it holds a secret or personal data");
}
