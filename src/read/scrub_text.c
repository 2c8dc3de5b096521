/* scrub_text.c - the rules of a run, applied to words about it: trend includes no rules itself. */
#include "read/scrub_text.h"

#include <string.h>

#include "base/fail.h"
#include "read/reader_int.h"
#include "rules/privacy_run.h"

m31r_err m31ri_text_scrub(const m31r_reader *r, const char *text, m31ri_buf *out, m31r_error *e)
{
    m31ri_privacy *rules = m31ri_privacy_of_run(r->fd);
    if (rules != NULL) {
        m31ri_privacy_scrub(rules, NULL, 0, text, strlen(text), out);
    }
    bool is_out = rules == NULL || !m31ri_buf_ok(out);
    m31ri_privacy_free(rules);
    return is_out ? m31ri_fail(e, M31R_E_NOMEM, "out of memory for the privacy rules") : M31R_OK;
}
