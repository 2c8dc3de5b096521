/* Two readers and one writer: random records and points, written by the encoder, read by
 * tools/reader_min.py.
 *
 * The script knows docs/FORMAT.md only. What it says of each record, key by key and in order, must
 * be what was given to the encoder; and it must count the same lines as records, bad and torn as
 * our own reader does.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/json_text.h"
#include "format/number.h"
#include "format/point.h"
#include "format/record.h"
#include "m31r/metric.h"
#include "unit/format/case_files.h"

#define N_RECORDS 3000
#define N_POINTS 3000
#define N_FIELDS 8
#define READER M31R_SOURCE_DIR "/tools/reader_min.py"

static uint64_t seed = 0x1234567;
static char folder[64];

static uint64_t below(uint64_t n)
{
    return case_random(&seed) % n;
}

static double random_double(void)
{
    uint64_t bits = case_random(&seed);
    double x;
    memcpy(&x, &bits, sizeof x);
    switch (below(4)) {
    case 0:
        return x;
    case 1:
        return (double)(int64_t)below(100000) / 1000.0;
    case 2:
        return below(2) == 0 ? (double)NAN : -HUGE_VAL;
    default:
        return -0.0;
    }
}

/* Text of well-formed characters of every kind; room for 64 bytes. */
static m31r_value random_text(char *room)
{
    static const char *const pieces[] = {"a",
                                         "Z",
                                         " ",
                                         "\"",
                                         "\\",
                                         "\n",
                                         "\x01",
                                         "\x7f",
                                         "\xc2\x85",
                                         "\xc3\xa9",
                                         "\xe2\x80\xa8",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "\xef\xbb\xbf",
                                         "/",
                                         "<"};
    size_t n = 0;
    for (uint64_t i = below(12); i > 0; i--) {
        const char *piece = pieces[below(sizeof pieces / sizeof *pieces)];
        memcpy(room + n, piece, strlen(piece));
        n += strlen(piece);
    }
    if (below(8) == 0) {
        room[n++] = '\0';
    }
    return m31r_text(room, n);
}

static m31r_value random_value(char *room)
{
    switch (below(7)) {
    case 0:
        return m31r_of_bool(below(2) == 0);
    case 1:
        return m31r_of_int((int64_t)case_random(&seed));
    case 2:
        return m31r_of_uint(case_random(&seed));
    case 3:
        return m31r_of_float((float)random_double());
    case 4:
        return m31r_of_string(NULL);
    case 5:
        return random_text(room);
    default:
        return m31r_of_double(random_double());
    }
}

/* One record's parts, with the room for its texts. */
typedef struct sample {
    char text[2 * N_FIELDS + 1][64];
    m31r_value keys[N_FIELDS], values[N_FIELDS], message;
    size_t n;
} sample;

static sample samples[N_RECORDS];
static m31ri_point points[N_POINTS];
static char point_names[N_POINTS][64];

static void make_sample(sample *s)
{
    s->message = random_text(s->text[2 * N_FIELDS]);
    s->n = below(N_FIELDS + 1);
    for (size_t i = 0; i < s->n; i++) {
        int length = snprintf(s->text[i], sizeof s->text[i], "k%zu", i);
        m31r_value more = random_text(s->text[i] + length);
        s->keys[i] = m31r_text(s->text[i], (size_t)length + more.length);
        s->values[i] = random_value(s->text[N_FIELDS + i]);
    }
}

static FILE *create(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    return f;
}

static void write_records(void)
{
    FILE *f = create("train.log");
    m31ri_buf line = M31RI_BUF_INIT;
    for (size_t i = 0; i < N_RECORDS; i++) {
        sample *s = &samples[i];
        make_sample(s);
        m31ri_record_parts parts = {(int64_t)i * 1000, M31R_INFO, "t",       1,   s->message.as.s,
                                    s->message.length, s->keys,   s->values, s->n};
        m31ri_record_write(&line, &parts, NULL, NULL);
    }
    m31ri_buf_add_str(&line, "not json\n{\"torn\":");
    assert_int_equal(fwrite(line.data, 1, line.length, f), line.length);
    fclose(f);
    m31ri_buf_release(&line);
}

static void write_points(void)
{
    FILE *f = create("metrics.csv");
    m31ri_buf line = M31RI_BUF_INIT;
    m31ri_buf_add_str(&line, M31RI_POINT_HEADER);
    static const char *const names[] = {"loss",     "val/loss", "a,b", "say \"x\"",
                                        "\xc3\xa9", " ",        "\"",  ",,"};
    for (size_t i = 0; i < N_POINTS; i++) {
        snprintf(point_names[i], sizeof point_names[i], "%s", names[below(8)]);
        points[i] = (m31ri_point){point_names[i],
                                  strlen(point_names[i]),
                                  below(5) == 0 ? M31R_NO_STEP : (int64_t)(case_random(&seed) >> 1),
                                  random_double(),
                                  false,
                                  (int64_t)i * 1000000000,
                                  (uint32_t)below(3)};
        m31ri_point_write(&line, &points[i]);
    }
    m31ri_buf_add_str(&line, "loss,1,2\nloss,5,1.0,2026-11-23T10:26:5");
    assert_int_equal(fwrite(line.data, 1, line.length, f), line.length);
    fclose(f);
    m31ri_buf_release(&line);
}

static bool text_is(const char *body, size_t length, const m31r_value *want)
{
    m31ri_buf plain = M31RI_BUF_INIT;
    m31ri_json_unescape(&plain, body, length);
    bool same = plain.length == want->length &&
                memcmp(m31ri_buf_str(&plain), want->as.s, want->length) == 0;
    m31ri_buf_release(&plain);
    return same;
}

/* A 32-bit float comes back as the double of its shortest digits, which rounds to it. */
static bool real_is(const m31ri_json_member *m, const m31r_value *want)
{
    double x = 0;
    if (!m31ri_number_read_double(m->value, m->value_length, &x)) {
        return false;
    }
    double y = want->type == M31R_T_FLOAT ? (double)want->as.f : want->as.d;
    x = want->type == M31R_T_FLOAT ? (double)(float)x : x;
    return (isnan(x) && isnan(y)) || memcmp(&x, &y, sizeof x) == 0;
}

static bool value_is(const m31ri_json_member *m, const m31r_value *want)
{
    char text[M31RI_NUMBER_BYTES];
    size_t n = 0;
    switch (want->type) {
    case M31R_T_BOOL:
        return m->type == (want->as.b ? 't' : 'f');
    case M31R_T_NULL:
        return m->type == '0';
    case M31R_T_STRING:
        return m->type == 's' && text_is(m->value, m->value_length, want);
    case M31R_T_DOUBLE:
    case M31R_T_FLOAT:
        return real_is(m, want);
    case M31R_T_INT:
        n = m31ri_number_write_int(want->as.i, text);
        break;
    default:
        n = m31ri_number_write_uint(want->as.u, text);
        break;
    }
    return m->type == 'n' && m->value_length == n && memcmp(m->value, text, n) == 0;
}

typedef struct against {
    const sample *s;
    size_t n;
    bool good;
} against;

static bool compare_member(void *context, const m31ri_json_member *m)
{
    against *a = context;
    size_t i = a->n++;
    if (i == 3) {
        a->good &= text_is(m->value, m->value_length, &a->s->message);
    } else if (i >= 4 && i < 4 + a->s->n) {
        a->good &=
            text_is(m->key, m->key_length, &a->s->keys[i - 4]) && value_is(m, &a->s->values[i - 4]);
    }
    return true;
}

static void check_record(size_t i, const char *json)
{
    against a = {&samples[i], 0, true};
    assert_int_equal(m31ri_json_read_object(json, strlen(json), compare_member, &a, NULL),
                     M31RI_JSON_OK);
    bool counted = a.n == 5 + a.s->n && strstr(json, "\"nonfinite\": ") != NULL;
    if (!a.good || (a.n != 4 + a.s->n && !counted)) {
        fail_msg("record %zu: %s", i, json);
    }
}

static void check_point(size_t i, const char *json)
{
    json_t *o = json_loads(json, 0, NULL);
    assert_non_null(o);
    const m31ri_point *p = &points[i];
    assert_string_equal(json_string_value(json_object_get(o, "name")), p->name);
    json_t *step = json_object_get(o, "step");
    assert_true(p->step == M31R_NO_STEP ? json_is_null(step) : json_integer_value(step) == p->step);
    json_t *value = json_object_get(o, "value");
    double x = json_number_value(value);
    if (json_is_string(value)) {
        assert_true(
            m31ri_number_read_double(json_string_value(value), json_string_length(value), &x));
    }
    assert_true((isnan(x) && isnan(p->value)) || memcmp(&x, &p->value, sizeof x) == 0);
    assert_int_equal(json_integer_value(json_object_get(o, "segment")), p->segment);
    json_decref(o);
}

static FILE *run_reader(const char *option)
{
    char command[512];
    snprintf(command, sizeof command, "python3 '%s' %s '%s'", READER, option, folder);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    return p;
}

static void test_reader_min__reads_what_the_encoder_writes(void **state)
{
    (void)state;
    if (system("python3 -c 'import json' 2>/dev/null") != 0) {
        skip();
    }
    write_records();
    write_points();
    FILE *p = run_reader("--dump");
    char *line = NULL;
    size_t room = 0;
    size_t n_records = 0, n_points = 0, n_bad = 0;
    while (getline(&line, &room, p) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "record train.log ", 17) == 0) {
            assert_true(n_records < N_RECORDS);
            check_record(n_records++, line + 17);
        } else if (strncmp(line, "point metrics.csv ", 18) == 0) {
            assert_true(n_points < N_POINTS);
            check_point(n_points++, line + 18);
        } else {
            n_bad += strncmp(line, "bad ", 4) == 0;
        }
    }
    free(line);
    assert_int_equal(pclose(p), 0);
    assert_int_equal(n_records, N_RECORDS);
    assert_int_equal(n_points, N_POINTS);
    assert_int_equal(n_bad, 2);
}

static void test_reader_min__counts_records_bad_and_torn(void **state)
{
    (void)state;
    if (system("python3 -c 'import json' 2>/dev/null") != 0) {
        skip();
    }
    write_records();
    write_points();
    char text[512] = "";
    FILE *p = run_reader("");
    size_t n = fread(text, 1, sizeof text - 1, p);
    text[n] = '\0';
    assert_int_equal(pclose(p), 0);
    char want[256];
    snprintf(want, sizeof want,
             "metrics.csv %d 1 29\ntrain.log %d 1 8\nmetadata.json missing\nmetrics.json missing\n",
             N_POINTS, N_RECORDS);
    assert_string_equal(text, want);
}

/* Line by line over the log files of bad_inputs: the classes that FORMAT.md describes are those of
 * our reader. */
static void test_reader_min__gives_bad_lines_the_same_class(void **state)
{
    (void)state;
    if (system("python3 -c 'import json' 2>/dev/null") != 0) {
        skip();
    }
    char command[512];
    snprintf(command, sizeof command, "python3 '%s' --dump '%s/reader'", READER, CASES_COMMITTED);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    char *line = NULL, *data = NULL;
    size_t room = 0, length = 0, at = 0, n_lines = 0;
    char kind[16], name[128], last[128] = "", what[32];
    while (getline(&line, &room, p) > 0) {
        if (sscanf(line, "%15s %127s %31s", kind, name, what) != 3 ||
            strcmp(kind, "document") == 0) {
            continue;
        }
        if (strcmp(name, last) != 0) {
            char path[1024];
            snprintf(path, sizeof path, "%s/reader/%s", CASES_COMMITTED, name);
            free(data);
            data = case_file(path, &length);
            assert_non_null(data);
            at = 0;
            snprintf(last, sizeof last, "%s", name);
        }
        const char *newline = memchr(data + at, '\n', length - at);
        assert_non_null(newline);
        m31ri_record_head head;
        size_t n = (size_t)(newline - data) - at;
        const char *ours = m31ri_json_class_name(m31ri_record_read(data + at, n, &head));
        assert_string_equal(ours, strcmp(kind, "record") == 0 ? "ok" : what);
        at += n + 1;
        n_lines++;
    }
    free(line);
    free(data);
    assert_int_equal(pclose(p), 0);
    assert_true(n_lines > 300);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/m31r_reader_min_XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/train.log", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_min__reads_what_the_encoder_writes),
        cmocka_unit_test(test_reader_min__counts_records_bad_and_torn),
        cmocka_unit_test(test_reader_min__gives_bad_lines_the_same_class),
    };
    return cmocka_run_group_tests_name("reader_min", tests, make_folder, remove_folder);
}
