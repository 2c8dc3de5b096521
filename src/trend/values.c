/* values.c - a series as a text file: one value a line. Whole files are read: a value is 8 bytes
 * then, and what looks at it wants all of them. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "trend/history_rows.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "format/number.h"
#include "m31r/changes.h"

static bool is_word(const char *text, size_t length, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strlen(*words) == length && strncasecmp(text, *words, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_value(const char *text, size_t length, double *out)
{
    static const char *const missing[] = {"", "nan", "na", "null", NULL};
    static const char *const infinite[] = {"inf", "+inf", "infinity", "+infinity", NULL};
    static const char *const below[] = {"-inf", "-infinity", NULL};
    if (m31ri_number_read_double(text, length, out)) {
        return true;
    }
    if (is_word(text, length, missing)) {
        *out = NAN;
        return true;
    }
    bool is_below = is_word(text, length, below);
    *out = is_below ? -INFINITY : INFINITY;
    return is_below || is_word(text, length, infinite);
}

/* Takes blanks off both ends. */
static void trim(const char **text, size_t *length)
{
    while (*length > 0 && strchr(" \t\r", (*text)[*length - 1]) != NULL) {
        (*length)--;
    }
    while (*length > 0 && strchr(" \t", **text) != NULL) {
        (*text)++;
        (*length)--;
    }
}

static m31r_err parse(const m31ri_buf *b, const char *path, double *values, size_t *out_n,
                      m31r_error *e)
{
    const char *at = b->data, *end = b->data + b->length;
    size_t n = 0;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        const char *text = at;
        size_t length = (size_t)(stop - at);
        trim(&text, &length);
        if (memchr(text, '\0', length) != NULL || !read_value(text, length, &values[n])) {
            m31ri_fail(e, M31R_E_ARG, "\"%.*s\" is no number", (int)(length < 40 ? length : 40),
                       text);
            m31ri_fail_at(e, path, (uint32_t)(n + 1), 0);
            return M31R_E_ARG;
        }
        n++;
        at = stop + 1;
    }
    *out_n = n;
    return M31R_OK;
}

m31r_err m31r_values_read(double **out, size_t *out_n, const char *path, m31r_error *e)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    double *values = NULL;
    size_t n_lines = 1;
    m31r_err err = m31ri_input_read(path, &bytes, e);
    for (size_t i = 0; err == M31R_OK && i < bytes.length; i++) {
        n_lines += bytes.data[i] == '\n';
    }
    if (err == M31R_OK) {
        values = m31ri_calloc(n_lines, sizeof *values);
        err = values == NULL ? m31ri_fail(e, M31R_E_NOMEM, "out of memory for a series") : M31R_OK;
    }
    if (err == M31R_OK) {
        err = parse(&bytes, path, values, out_n, e);
    }
    m31ri_buf_release(&bytes);
    if (err != M31R_OK) {
        m31ri_free(values);
        return err;
    }
    *out = values;
    return M31R_OK;
}

void m31r_values_free(double *values)
{
    m31ri_free(values);
}
