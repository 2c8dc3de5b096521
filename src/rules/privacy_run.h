/* privacy_run.h - the privacy rules of a run, as every process that writes or finishes it knows
 * them: from the config that is kept in it. */
#ifndef M31RI_PRIVACY_RUN_H
#define M31RI_PRIVACY_RUN_H

#include "format/settings.h"
#include "rules/privacy.h"

/* The rules that these settings ask for; NULL when memory is out. Nothing of `s` is kept. */
m31ri_privacy *m31ri_privacy_of_settings(const m31ri_settings *s);

/* The rules that these settings ask for, in `*out`; nothing of `s` is kept. A pattern that does not
 * parse, or would be slow, is refused.
 *
 * Errors: M31R_E_CONFIG with line and column in `path`, M31R_E_NOMEM. */
m31r_err m31ri_privacy_read(const m31ri_settings *s, const char *path, m31ri_privacy **out,
                            m31r_error *e);

/* The rules of the run in `dir` (a descriptor): those of its config_snapshot.yaml, the defaults
 * where it has none or none that makes sense. NULL when there are some that cannot be read now, or
 * memory is out. */
m31ri_privacy *m31ri_privacy_of_run(int dir);

/* As m31ri_privacy_of_run(), and the same for whoever asks: his home directory is no part of them.
 */
m31ri_privacy *m31ri_privacy_of_record(int dir);

/* The rules of the config in `path` (NULL: the one that m31r.yaml in the working directory names,
 * or no more than the built-in ones), for files that no run wrote. Whether text of users stays is
 * the caller's word, not the config's.
 *
 * Errors: M31R_E_NOTFOUND, M31R_E_IO, M31R_E_CONFIG with line and column, M31R_E_NOMEM. */
m31r_err m31ri_privacy_of_config(const char *path, bool keeps_prompts, m31ri_privacy **out,
                                 m31r_error *e);

#endif
