/* cleaner.c - a stream of lines, cleaned one by one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "m31r/clean.h"
#include "rules/clean_line.h"
#include "rules/privacy_run.h"

struct m31r_cleaner {
    bool keeps_prompts;
    m31ri_privacy *privacy;
    m31ri_line_cleaner lines;
    uint64_t n_lines, n_changed;
};

m31r_err m31r_cleaner_open(m31r_cleaner **out, bool keeps_prompts, m31r_error *e)
{
    const m31ri_privacy_options o = {.allow_prompts = keeps_prompts, .home = getenv("HOME")};
    m31r_cleaner *c = m31ri_calloc(1, sizeof *c);
    if (c == NULL || (c->privacy = m31ri_privacy_new(&o)) == NULL) {
        m31ri_free(c);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the privacy rules");
    }
    c->lines.privacy = c->privacy;
    c->keeps_prompts = keeps_prompts;
    *out = c;
    return M31R_OK;
}

m31r_err m31r_cleaner_use_config(m31r_cleaner *c, const char *path, m31r_error *e)
{
    m31ri_privacy *rules = NULL;
    m31r_err err = m31ri_privacy_of_config(path, c->keeps_prompts, &rules, e);
    if (err == M31R_OK) {
        m31ri_privacy_free(c->privacy);
        c->privacy = rules;
        c->lines.privacy = rules;
    }
    return err;
}

void m31r_cleaner_close(m31r_cleaner *c)
{
    if (c != NULL) {
        m31ri_line_cleaner_release(&c->lines);
        m31ri_privacy_free(c->privacy);
        m31ri_free(c);
    }
}

m31r_err m31r_cleaner_copy(m31r_cleaner *c, FILE *in, FILE *to, m31r_error *e)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    m31ri_buf out = M31RI_BUF_INIT;
    m31r_err err = M31R_OK;
    errno = 0;
    while (err == M31R_OK && (length = getline(&line, &size, in)) > 0) {
        size_t n = (size_t)length - (line[length - 1] == '\n');
        m31ri_buf_clear(&out);
        c->n_changed += m31ri_line_clean(&c->lines, line, n, &out) != 0;
        c->n_lines++;
        m31ri_buf_add(&out, line + n, (size_t)length - n);
        if (out.failed || c->lines.clean.failed || c->lines.value.failed) {
            err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for line %llu",
                             (unsigned long long)c->n_lines);
        } else if (fwrite(out.data, 1, out.length, to) != out.length) {
            err = m31ri_fail(e, M31R_E_IO, "the copy cannot be written: %s", strerror(errno));
        }
    }
    if (err == M31R_OK && ferror(in)) {
        err = m31ri_fail(e, M31R_E_IO, "line %llu cannot be read: %s",
                         (unsigned long long)c->n_lines + 1, strerror(errno));
    }
    if (err == M31R_OK && fflush(to) != 0) {
        err = m31ri_fail(e, M31R_E_IO, "the copy cannot be written: %s", strerror(errno));
    }
    free(line);
    m31ri_buf_release(&out);
    return err;
}

uint64_t m31r_cleaner_lines(const m31r_cleaner *c, uint64_t *out_changed)
{
    *out_changed = c->n_changed;
    return c->n_lines;
}

bool m31r_cleaner_count(const m31r_cleaner *c, size_t i, m31r_clean_count *out)
{
    m31ri_privacy_count rows[M31RI_PRIVACY_COUNTS];
    if (i >= m31ri_privacy_counts(c->privacy, rows)) {
        return false;
    }
    *out = (m31r_clean_count){rows[i].kind, rows[i].rule, rows[i].n};
    return true;
}
