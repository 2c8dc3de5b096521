/* case_files.h - the data that the tests of format/ share: whole files, JSON lines, base64, and
 * where the cases lie.
 *
 * The full set is in shared/data beside a checkout; a subset is committed under tests/data. Both
 * are run when present.
 */
#ifndef M31R_TEST_CASE_FILES_H
#define M31R_TEST_CASE_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define CASES_COMMITTED M31R_SOURCE_DIR "/tests/data/bad_inputs"
#define CASES_SHARED M31R_SHARED_DIR "/data/bad_inputs"

/* A whole file, NUL behind it; NULL when it cannot be read. free() it. */
static inline char *case_file(const char *path, size_t *length)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return NULL;
    }
    char *data = NULL;
    size_t n = 0, room = 0;
    for (;;) {
        if (n + 4096 > room) {
            room = room * 2 + 8192;
            data = realloc(data, room);
        }
        size_t got = fread(data + n, 1, room - n - 1, f);
        if (got == 0) {
            break;
        }
        n += got;
    }
    fclose(f);
    data[n] = '\0';
    *length = n;
    return data;
}

/* Calls `each` with every line's object; returns the number of lines, -1 when the file is not
 * there. */
static inline int case_lines(const char *path, void (*each)(const json_t *line))
{
    size_t length;
    char *data = case_file(path, &length);
    if (data == NULL) {
        return -1;
    }
    int n = 0;
    for (char *p = data; *p != '\0';) {
        char *end = strchr(p, '\n');
        json_error_t e;
        json_t *line =
            json_loadb(p, end != NULL ? (size_t)(end - p) : strlen(p), JSON_ALLOW_NUL, &e);
        if (line != NULL) {
            each(line);
            n++;
            json_decref(line);
        }
        p = end != NULL ? end + 1 : p + strlen(p);
    }
    free(data);
    return n;
}

/* Decodes base64 into a fresh buffer; free() it. */
static inline char *case_base64(const char *text, size_t *length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = malloc(strlen(text) + 1);
    size_t n = 0;
    unsigned bits = 0, n_bits = 0;
    for (; *text != '\0' && *text != '='; text++) {
        bits = bits << 6 | (unsigned)(strchr(digits, *text) - digits);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[n++] = (char)(bits >> n_bits);
        }
    }
    *length = n;
    return out;
}

/* A small generator with a fixed start, so that a failure can be had again. */
static inline uint64_t case_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

#endif
