/* expr_fault.c - what is wrong with an expression, shown where it is wrong.
 *
 * The message names the fault, the hint shows the line with a caret below and, when there is one,
 * what to write instead. A long line is cut to a window around the fault.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "read/expr_int.h"

#define WINDOW_BYTES 72
#define BEFORE_BYTES 40
#define WORD_LIMIT 48

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The line of byte `at`: its start and end, and its number. */
static void find_line(const m31r_expr *x, size_t at, size_t bounds[2], uint32_t *out_line)
{
    size_t start = 0;
    *out_line = 1;
    for (size_t i = 0; i < at; i++) {
        if (x->text[i] == '\n') {
            start = i + 1;
            (*out_line)++;
        }
    }
    bounds[0] = start;
    bounds[1] = start + strcspn(x->text + start, "\n");
}

/* Writes the window of the line and the caret below it. */
static void draw(char *out, size_t size, const m31r_expr *x, const size_t bounds[2], size_t at)
{
    size_t from = at - bounds[0] > BEFORE_BYTES ? at - BEFORE_BYTES : bounds[0];
    while (from > bounds[0] && is_continuation(x->text[from])) {
        from--;
    }
    size_t to = bounds[1] - from > WINDOW_BYTES ? from + WINDOW_BYTES : bounds[1];
    while (to < bounds[1] && is_continuation(x->text[to])) {
        to++;
    }
    int n = snprintf(out, size, "%s%.*s%s\n", from > bounds[0] ? "..." : "", (int)(to - from),
                     x->text + from, to < bounds[1] ? "..." : "");
    size_t used = n > 0 ? (size_t)n : 0;
    size_t columns = from > bounds[0] ? 3 : 0;
    for (size_t i = from; i < at; i++) {
        columns += !is_continuation(x->text[i]);
    }
    for (size_t i = 0; i < columns && used + 2 < size; i++) {
        out[used++] = ' ';
    }
    snprintf(out + used, size - used, "^");
}

bool m31ri_expr_fault(m31ri_expr_parser *p, size_t at, const char *hint, const char *format, ...)
{
    char message[M31R_ERROR_MESSAGE_BYTES];
    char picture[512];
    size_t bounds[2];
    uint32_t line;
    va_list arguments;
    if (p->err != M31R_OK) {
        return false;
    }
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    find_line(p->x, at, bounds, &line);
    draw(picture, sizeof picture, p->x, bounds, at);
    p->err = m31ri_fail(p->e, M31R_E_ARG, "in the expression: %s", message);
    m31ri_fail_at(p->e, "", line, (uint32_t)(at - bounds[0] + 1));
    m31ri_fail_hint(p->e, "%s%s%s", picture, hint != NULL ? "\n" : "", hint != NULL ? hint : "");
    return false;
}

/* Levenshtein distance, two rows. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[2][WORD_LIMIT + 1];
    size_t n = strlen(a);
    size_t m = strlen(b);
    if (n > WORD_LIMIT || m > WORD_LIMIT) {
        return WORD_LIMIT;
    }
    for (size_t k = 0; k <= m; k++) {
        rows[0][k] = k;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t *above = rows[(i - 1) % 2];
        size_t *row = rows[i % 2];
        row[0] = i;
        for (size_t k = 1; k <= m; k++) {
            size_t best = above[k - 1] + (a[i - 1] != b[k - 1]);
            best = above[k] + 1 < best ? above[k] + 1 : best;
            row[k] = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
        }
    }
    return rows[n % 2][m];
}

const char *m31ri_nearest(const char *word, const char *const *words, size_t n)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, words[i]);
        if (d < best) {
            best = d;
            nearest = words[i];
        }
    }
    return nearest;
}
