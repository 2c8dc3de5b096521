/* fuzz_expr.c - any bytes as an expression, for each subject; what compiles is asked about a record
 * and a point.
 *
 * The answer is the same twice; a fault names a place inside the text and shows a caret; `not (X)`
 * says the opposite of X.
 */
#include <string.h>

#include "fuzz.h"
#include "m31r/expr.h"
#include "m31r/scan.h"
#include "m31r/series.h"

static const char line[] =
    "{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"ERROR\",\"module\":\"trainer\","
    "\"msg\":\"out of \\\"memory\\\"\",\"step\":1024,\"loss\":\"NaN\",\"a\":{\"b\":null}}";

static bool answer(m31r_expr *x, m31r_expr_subject subject)
{
    m31r_record record = {.line = line, .length = sizeof line - 1, .level = M31R_ERROR};
    m31r_point_view point = {.name = "loss", .name_length = 4, .step = 3, .value = 2.5};
    record.file = "-";
    record.lane = "";
    return subject == M31R_EXPR_POINT ? m31r_expr_holds_point(x, &point)
                                      : m31r_expr_holds_record(x, &record);
}

static void check(const char *text, m31r_expr_subject subject)
{
    m31r_error e = {0};
    m31r_expr *x = NULL;
    m31r_expr *opposite = NULL;
    m31r_err err = m31r_expr_compile(&x, text, subject, &e);
    if (err != M31R_OK) {
        REQUIRE(x == NULL && e.message[0] != '\0');
        REQUIRE(err == M31R_E_LIMIT || (err == M31R_E_ARG && e.line > 0 && e.column > 0));
        REQUIRE(err == M31R_E_LIMIT || strchr(e.hint, '^') != NULL);
        return;
    }
    if (subject != M31R_EXPR_RUN) {
        bool held = answer(x, subject);
        REQUIRE(answer(x, subject) == held);
        char *turned = malloc(strlen(text) + 8);
        sprintf(turned, "not (%s)", text);
        if (m31r_expr_compile(&opposite, turned, subject, &e) == M31R_OK) {
            /* Times are relative to the moment of compiling, but none here is that close. */
            REQUIRE(answer(opposite, subject) != held);
        }
        m31r_expr_free(opposite);
        free(turned);
    }
    m31r_expr_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    check(text, M31R_EXPR_RECORD);
    check(text, M31R_EXPR_POINT);
    check(text, M31R_EXPR_RUN);
    free(text);
    return 0;
}
