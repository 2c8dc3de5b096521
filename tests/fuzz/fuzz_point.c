/* fuzz_point.c - any bytes as lines of metrics.csv, as numbers and as times.
 *
 * What is read as a point is written again and reads the same; a line that the writer made is
 * itself again. A stream, which expects each line to be like those before, says the same of it. A
 * text that is a number for our reader is the number that strtod makes of it.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "format/number.h"
#include "format/point_stream.h"
#include "format/timestamp.h"
#include "fuzz.h"

static bool same_double(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static void check_point(const char *line, size_t length)
{
    m31ri_buf scratch = M31RI_BUF_INIT, text = M31RI_BUF_INIT, more = M31RI_BUF_INIT;
    m31ri_point p, again;
    if (m31ri_point_read(line, length, &p, &scratch)) {
        REQUIRE(m31ri_point_name_is_valid(p.name, p.name_length));
        m31ri_point_write(&text, &p);
        m31ri_buf scratch2 = M31RI_BUF_INIT;
        REQUIRE(m31ri_point_read(text.data, text.length - 1, &again, &scratch2));
        REQUIRE(p.step == again.step && p.segment == again.segment);
        REQUIRE(same_double(p.value, again.value));
        REQUIRE(p.name_length == again.name_length);
        REQUIRE(memcmp(p.name, again.name, p.name_length) == 0);
        m31ri_point_write(&more, &again);
        REQUIRE(text.length == more.length && memcmp(text.data, more.data, text.length) == 0);
        m31ri_buf_release(&scratch2);
    }
    m31ri_buf_release(&scratch);
    m31ri_buf_release(&text);
    m31ri_buf_release(&more);
}

static void check_stream(m31ri_point_stream *s, const char *line, size_t length)
{
    m31ri_buf scratch = M31RI_BUF_INIT;
    m31ri_point exact, p;
    bool is_point = m31ri_point_read(line, length, &exact, &scratch);
    for (int turn = 0; turn < 2; turn++) { /* the second time it is what was expected */
        m31ri_point_found found = m31ri_point_stream_read(s, line, length, &p);
        REQUIRE(found == (is_point ? M31RI_POINT_OK : M31RI_POINT_BAD));
        if (is_point) {
            REQUIRE(p.step == exact.step && p.segment == exact.segment);
            REQUIRE(p.wall_ns == exact.wall_ns && same_double(p.value, exact.value));
            REQUIRE(p.name_length == exact.name_length);
            REQUIRE(memcmp(p.name, exact.name, p.name_length) == 0);
            const m31ri_table_name *name = &s->names.names[m31ri_point_stream_name(s)];
            REQUIRE(name->length == exact.name_length);
            REQUIRE(memcmp(name->text, exact.name, name->length) == 0);
        }
    }
    m31ri_buf_release(&scratch);
}

static void check_number(const char *s, size_t length)
{
    double x;
    int64_t i;
    if (length > 5000) {
        return;
    }
    char *text = malloc(length + 17);
    double walked;
    memcpy(text, s, length);
    memset(text + length, 0, 17);
    bool is_number = m31ri_number_read_double(s, length, &x);
    const char *behind = m31ri_number_walk(text, &walked);
    if (behind == text + length) {
        REQUIRE(is_number && same_double(x, walked));
    } else if (behind != NULL) { /* of the beginning */
        REQUIRE(m31ri_number_read_double(text, (size_t)(behind - text), &x));
        REQUIRE(same_double(x, walked) && (*behind < '0' || *behind > '9'));
        is_number = false;
    }
    if (is_number) {
        REQUIRE(same_double(x, strtod(text, NULL)));
        char out[M31RI_NUMBER_BYTES];
        double again;
        REQUIRE(m31ri_number_read_double(out, m31ri_number_write_double(x, out), &again));
        REQUIRE(same_double(x, again));
    }
    if (m31ri_number_read_int(s, length, &i)) {
        REQUIRE(i == strtoll(text, NULL, 10));
    }
    free(text);
}

static void check_time(const char *s, size_t length)
{
    int64_t wall_ns, again;
    if (m31ri_timestamp_read(s, length, &wall_ns) && wall_ns >= 0) {
        char text[M31RI_TIMESTAMP_BYTES + 1];
        m31ri_timestamp_write(wall_ns, text);
        REQUIRE(m31ri_timestamp_read(text, M31RI_TIMESTAMP_BYTES, &again));
        REQUIRE(again == wall_ns - wall_ns % 1000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    const char *end = p + size;
    m31ri_point_stream stream = {0};
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        size_t length = (size_t)((newline != NULL ? newline : end) - p);
        check_point(p, length);
        check_stream(&stream, p, length);
        check_number(p, length);
        check_time(p, length);
        p += length + 1;
    }
    m31ri_point_stream_release(&stream);
    return 0;
}
