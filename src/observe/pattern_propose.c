/* pattern_propose.c - when a metric's pattern has matched nothing: one that would, made from a line
 * that was seen.
 *
 * It looks for the metric's name, or the last word of it ("train/loss" is often printed as "loss"),
 * with a number close behind, and writes down what stands between as it was seen, spaces loosely.
 * The proposal is tried on the line before it is made.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "observe/pattern_int.h"

#define GAP_BYTES 16 /* how far behind the name the number may begin */
#define NUMBER_GROUP "([-+]?[0-9][0-9.,eE+-]*|[-+]?(?:nan|inf))"

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Appends one character so that a pattern takes it literally. */
static void add_literal(m31ri_buf *out, char c)
{
    if (strchr("\\^$.[]|()?*+{}", c) != NULL) {
        m31ri_buf_add_char(out, '\\');
    }
    m31ri_buf_add_char(out, c);
}

/* Where a number begins behind `at`, within GAP_BYTES and with no other word between; `length` when
 * there is none. */
static size_t number_after(const char *line, size_t length, size_t at)
{
    for (size_t i = at; i < length && i < at + GAP_BYTES; i++) {
        size_t digit = i + (line[i] == '-' || line[i] == '+');
        bool is_number = digit < length && isdigit((unsigned char)line[digit]);
        bool is_nan = length - i >= 3 && (strncasecmp(line + i, "nan", 3) == 0 ||
                                          strncasecmp(line + i, "inf", 3) == 0);
        if (i > at && (is_number || is_nan)) {
            return i;
        }
        if (isalnum((unsigned char)line[i])) {
            return length;
        }
    }
    return length;
}

static void write_pattern(const char *name, const char *seen, size_t name_length, size_t gap,
                          m31ri_buf *out)
{
    m31ri_buf_add_str(out, name);
    m31ri_buf_add_char(out, '=');
    for (size_t i = 0; i < name_length + gap; i++) {
        if (seen[i] == ' ' || seen[i] == '\t') {
            m31ri_buf_add_str(out,
                              i > 0 && (seen[i - 1] == ' ' || seen[i - 1] == '\t') ? "" : "\\s+");
        } else if ((unsigned char)seen[i] >= 0x20 && (unsigned char)seen[i] < 0x7f) {
            add_literal(out, seen[i]);
        } else {
            m31ri_buf_add_char(out, '.');
        }
    }
    m31ri_buf_add_str(out, NUMBER_GROUP);
}

/* True when the specification takes a number out of the line. */
static bool works(const char *spec, const char *line, size_t length)
{
    m31r_patterns *set = NULL;
    if (m31r_patterns_new(&spec, 1, &set, NULL) != M31R_OK) {
        return false;
    }
    m31r_pattern_count count = {0};
    m31r_pattern_point match[M31R_PATTERN_LIMIT];
    bool ok = m31r_patterns_match(set, line, length, &count, match) == 1;
    m31r_patterns_free(set);
    return ok;
}

static bool propose_for(const char *name, const char *word, const char *line, size_t length,
                        m31ri_buf *out)
{
    size_t word_length = strlen(word);
    for (size_t i = 0; word_length > 0 && i + word_length < length; i++) {
        if (strncasecmp(line + i, word, word_length) != 0 ||
            (i > 0 && is_word(line[i - 1]) && is_word(word[0]))) {
            continue;
        }
        size_t end = i + word_length;
        size_t number = number_after(line, length, end);
        if (number == length) {
            continue;
        }
        size_t start = out->length;
        write_pattern(name, line + i, word_length, number - end, out);
        if (m31ri_buf_ok(out) && works(out->data + start, line, length)) {
            return true;
        }
        out->length = start;
        out->data[start] = '\0';
    }
    return false;
}

bool m31ri_pattern_propose(const char *name, const char *line, size_t length, m31ri_buf *out)
{
    if (propose_for(name, name, line, length, out)) {
        return true;
    }
    const char *last = name + strlen(name);
    while (last > name && isalnum((unsigned char)last[-1])) {
        last--;
    }
    return last > name && propose_for(name, last, line, length, out);
}
