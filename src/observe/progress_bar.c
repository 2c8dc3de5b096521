/* progress_bar.c - from a record to a bar. Only numbers that were parsed and printed again reach
 * the terminal, so nothing in a record can act on it. */
#include "observe/progress_bar.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/json_read.h"
#include "format/number.h"

#define BAR_COLUMNS 30
#define TEXT_BYTES 128

typedef struct progress {
    int n_named;                           /* of module and msg, those that are `progress` */
    double done, total, elapsed_s, left_s; /* NaN: not there */
} progress;

static bool is(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(text, word, length) == 0;
}

static bool take_member(void *context, const m31ri_json_member *m)
{
    progress *p = context;
    const struct {
        const char *key;
        double *value;
    } numbers[] = {{"done", &p->done},
                   {"total", &p->total},
                   {"elapsed_s", &p->elapsed_s},
                   {"left_s", &p->left_s}};
    if (is(m->key, m->key_length, "module") || is(m->key, m->key_length, "msg")) {
        p->n_named += m->type == 's' && is(m->value, m->value_length, "progress");
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (m->type == 'n' && is(m->key, m->key_length, numbers[i].key)) {
            (void)m31ri_number_read_double(m->value, m->value_length, numbers[i].value);
        }
    }
    return true;
}

/* Seconds as people say them: 12 s, 3 min 05 s, 2 h 07 min. */
static void write_time(char *out, size_t size, double seconds)
{
    double bounded = seconds < 0 ? 0 : seconds > 359999 ? 359999 : seconds;
    uint64_t s = (uint64_t)(bounded + 0.5);
    if (s < 60) {
        snprintf(out, size, "%" PRIu64 " s", s);
    } else if (s < 3600) {
        snprintf(out, size, "%" PRIu64 " min %02" PRIu64 " s", s / 60, s % 60);
    } else {
        snprintf(out, size, "%" PRIu64 " h %02" PRIu64 " min", s / 3600, s % 3600 / 60);
    }
}

static void write_bar(char *out, size_t size, const progress *p)
{
    char bar[BAR_COLUMNS + 1];
    char left[32];
    double share = p->done >= p->total ? 1 : p->done / p->total;
    for (int i = 0; i < BAR_COLUMNS; i++) {
        bar[i] = i < (int)(share * BAR_COLUMNS) ? '#' : '.';
    }
    bar[BAR_COLUMNS] = '\0';
    bool has_left = !isnan(p->left_s) && share < 1;
    write_time(left, sizeof left, has_left ? p->left_s : 0);
    snprintf(out, size, "[%s] %3d%%  %.0f/%.0f%s%s%s", bar, (int)(share * 100), p->done, p->total,
             has_left ? "  " : "", has_left ? left : "", has_left ? " left" : "");
}

bool m31ri_progress_bar(m31ri_buf *out, const char *line, size_t length, int columns)
{
    progress p = {0, NAN, NAN, NAN, NAN};
    char text[TEXT_BYTES];
    size_t end = length;
    while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == '\r')) {
        end--;
    }
    bool is_read = m31ri_json_read_object(line, end, take_member, &p, NULL) == M31RI_JSON_OK;
    if (!is_read || p.n_named != 2 || isnan(p.done)) {
        return false;
    }
    if (p.total > 0) {
        write_bar(text, sizeof text, &p);
    } else {
        char elapsed[32];
        write_time(elapsed, sizeof elapsed, isnan(p.elapsed_s) ? 0 : p.elapsed_s);
        snprintf(text, sizeof text, "%.0f done  %s", p.done, elapsed);
    }
    size_t n = strlen(text);
    size_t room = columns > 1 ? (size_t)columns - 1 : 0;
    m31ri_buf_add(out, text, n < room ? n : room);
    return true;
}
