/* privacy_run.h - the privacy rules of a run, as every process that writes or finishes it knows
 * them: from the config that is kept in it. */
#ifndef M31RI_PRIVACY_RUN_H
#define M31RI_PRIVACY_RUN_H

#include "format/settings.h"
#include "rules/privacy.h"

/* The rules that these settings ask for; NULL when memory is out. Nothing of `s` is kept. */
m31ri_privacy *m31ri_privacy_of_settings(const m31ri_settings *s);

/* The rules of the run in `dir` (a descriptor): those of its config_snapshot.yaml, the defaults
 * where it has none that can be read. NULL when memory is out. */
m31ri_privacy *m31ri_privacy_of_run(int dir);

#endif
