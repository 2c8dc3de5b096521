/* A lineage by the cache of links and without it: the same answers, whatever came, went or changed
 * in between; cycles, missing parents, links that nothing proves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "m31r/lineage.h"

#define N_RUNS 40
#define NOWHERE "/proc/nowhere" /* no directory can be made there */

static char root[64], cache[96], database[128];

/* The id of the i-th run: several days, so that the cache has several parts. */
static const char *id_of(int i, char out[40])
{
    snprintf(out, 40, "202611%02dT1000%02dZ-0a0b0c%02x", 1 + i / 7, i % 60, (unsigned)i);
    return out;
}

static const char *digest_of(int i, char out[M31RI_SHA256_HEX])
{
    uint8_t digest[M31RI_SHA256_BYTES];
    m31ri_sha256_of(&i, sizeof i, digest);
    m31ri_sha256_hex(digest, out);
    return out;
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Run `i` makes file `i` and reads what `more`, members of the list of artifacts, says. */
static void write_run(int i, const char *parents, const char *more)
{
    char id[40], digest[M31RI_SHA256_HEX], path[200], text[2048];
    snprintf(path, sizeof path, "%s/%s", root, id_of(i, id));
    (void)mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/%s/metadata.json", root, id);
    snprintf(text, sizeof text,
             "{\"format_version\":1,\"run_id\":\"%s\",\"name\":\"run %d\",\"stage\":\"train\","
             "\"state\":\"finished\",\"timestamp\":\"2026-11-01T10:00:00.000000Z\","
             "\"end\":\"2026-11-01T10:00:01.000000Z\",\"parents\":[%s],\"artifacts\":[{\"role\":"
             "\"checkpoint\",\"path\":\"m.bin\",\"step\":%d,\"sha256\":\"%s\"}%s]}",
             id, i, parents, i, digest_of(i, digest), more);
    write_text(path, text);
}

static void write_reader(int i, int maker)
{
    char id[40], digest[M31RI_SHA256_HEX], more[300];
    snprintf(more, sizeof more,
             ",{\"role\":\"input\",\"path\":\"in.bin\",\"sha256\":\"%s\",\"run\":\"%s\"}",
             digest_of(maker, digest), id_of(maker, id));
    write_run(i, "", more);
}

static void shell(const char *command)
{
    assert_int_equal(system(command), 0);
}

static int make_runs(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/m31r-lineage-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(cache, sizeof cache, "%s-cache", root);
    snprintf(database, sizeof database, "%s/m31r/runs.sqlite", cache);
    for (int i = 0; i < N_RUNS; i++) {
        if (i > 0) {
            write_reader(i, i % 4 == 0 ? i - 4 : i - 1);
        } else {
            write_run(i, "", "");
        }
    }
    struct timespec pause = {2, 100000000}; /* what changed just now is not remembered */
    nanosleep(&pause, NULL);
    return setenv("XDG_CACHE_HOME", cache, 1);
}

static int remove_runs(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s %s", root, cache);
    return system(command);
}

/* Everything that a lineage says. */
static m31ri_buf tell(const char *target)
{
    m31ri_buf out = M31RI_BUF_INIT;
    m31r_lineage *l = NULL;
    m31r_lineage_run r;
    m31r_lineage_file f;
    m31r_lineage_parent p;
    m31r_error e = {0};
    m31r_err err = m31r_lineage_open(&l, root, target, &e);
    m31ri_buf_add_format(&out, "%d %s\n", (int)err, err != M31R_OK ? e.message : "");
    if (err != M31R_OK) {
        return out;
    }
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        m31ri_buf_add_format(&out, "%d %d %s %s %s\n", (int)r.kin, r.generations, r.run_id, r.name,
                             r.end);
    }
    for (size_t i = 0; m31r_lineage_get_file(l, i, &f) == M31R_OK; i++) {
        m31ri_buf_add_format(&out, "%zu %s %.8s %s %d %s\n", f.run, f.role, f.digest, f.maker,
                             (int)f.maker_run, f.broken);
    }
    for (size_t i = 0; m31r_lineage_get_parent(l, i, &p) == M31R_OK; i++) {
        m31ri_buf_add_format(&out, "%zu %s %s\n", p.run, p.parent, p.broken);
    }
    m31r_lineage_close(l);
    return out;
}

static void assert_as_without(const char *target)
{
    setenv("XDG_CACHE_HOME", NOWHERE, 1);
    m31ri_buf want = tell(target);
    setenv("XDG_CACHE_HOME", cache, 1);
    for (int i = 0; i < 2; i++) {
        m31ri_buf got = tell(target);
        assert_string_equal(m31ri_buf_str(&got), m31ri_buf_str(&want));
        m31ri_buf_release(&got);
    }
    m31ri_buf_release(&want);
}

static void assert_says(const char *target, const char *text)
{
    m31ri_buf got = tell(target);
    if (strstr(m31ri_buf_str(&got), text) == NULL) {
        fail_msg("no \"%s\" in\n%s", text, m31ri_buf_str(&got));
    }
    m31ri_buf_release(&got);
}

static void test_lineage__answers_are_the_same_with_the_cache_and_without(void **state)
{
    (void)state;
    char id[40], path[200];
    static const char *const targets[] = {"@", "@-7", "run 12", "0a0b0c0d", "0a0b0c", "nothing"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_as_without(targets[i]);
    }
    for (int i = 0; i < N_RUNS; i += 5) {
        assert_as_without(id_of(i, id));
    }
    snprintf(path, sizeof path, "%s/%s", root, id_of(3, id));
    assert_as_without(path);
    assert_int_equal(access(database, F_OK), 0);
}

/* A changed run is read again at once, also when its size and modification time stay. */
static void test_lineage__a_change_is_seen_through_the_cache(void **state)
{
    (void)state;
    char id[40], other[40], command[400];
    assert_as_without("@");
    id_of(8, id);
    snprintf(command, sizeof command,
             "cd %s/%s && touch -r metadata.json t && sed -i 's/m[.]bin/n.bin/' metadata.json && "
             "touch -r t metadata.json && rm t",
             root, id);
    shell(command);
    assert_as_without(id);
    write_reader(9, 2);
    assert_as_without(id_of(9, other));
    assert_as_without(id);
    write_run(N_RUNS, "", "");
    assert_as_without("@");
    snprintf(command, sizeof command, "rm -r %s/%s", root, id_of(N_RUNS, other));
    shell(command);
    assert_as_without("@");
    snprintf(command, sizeof command, "mv %s/%s %s/moved", root, id_of(20, other), root);
    shell(command);
    assert_as_without(id_of(24, other));
    snprintf(command, sizeof command, "mv %s/moved %s/%s", root, root, id_of(20, other));
    shell(command);
    assert_as_without(id_of(24, other));
}

static void test_lineage__a_damaged_or_read_only_cache_changes_nothing(void **state)
{
    (void)state;
    char command[400];
    assert_as_without("@");
    for (int at = 0; at < 12; at++) { /* pages of both tables among them */
        snprintf(
            command, sizeof command,
            "n=$(stat -c %%s %s) && printf 'damage' | dd of=%s bs=1 seek=$((n * %d / 12 + 60)) "
            "conv=notrunc status=none",
            database, database, at);
        shell(command);
        assert_as_without("@");
    }
    snprintf(command, sizeof command, "chmod a-w %s %s/m31r", database, cache);
    shell(command);
    assert_as_without("@-1");
    snprintf(command, sizeof command, "chmod u+w %s %s/m31r", database, cache);
    shell(command);
}

/* A run that reads what it wrote, and one that its ancestor reads from. */
static void test_lineage__cycles_end(void **state)
{
    (void)state;
    char a[40], b[40];
    write_reader(4, 4);
    assert_as_without(id_of(4, a));
    write_reader(1, 3); /* which descends from it */
    assert_as_without(id_of(1, a));
    assert_as_without(id_of(2, b));
    m31ri_buf got = tell(a);
    const char *first = strstr(m31ri_buf_str(&got), b);
    assert_non_null(first);
    m31ri_buf_release(&got);
    write_reader(4, 0);
    write_reader(1, 0);
}

static void test_lineage__what_is_missing_or_not_proved_is_named(void **state)
{
    (void)state;
    char id[40], maker[40], more[300];
    write_run(5, "\"20200101T000000Z-00000000\"", "");
    assert_says(id_of(5, id), "20200101T000000Z-00000000 the run that it names as its parent");
    snprintf(more, sizeof more, ",{\"role\":\"input\",\"path\":\"x\",\"run\":\"%s\"}",
             id_of(2, maker));
    write_run(5, "", more);
    assert_says(id, "it has no digest: nothing proves who made it");
    snprintf(more, sizeof more,
             ",{\"role\":\"input\",\"path\":\"x\",\"sha256\":\"%064d\",\"run\":\"%s\"}", 7, maker);
    write_run(5, "", more);
    assert_says(id, "the run that it names made no file with these bytes");
    snprintf(more, sizeof more,
             ",{\"role\":\"input\",\"path\":\"x\",\"sha256\":\"%064d\",\"run\":\"gone\"}", 7);
    write_run(5, "", more);
    assert_says(id, "the run that made it is not here");
    assert_as_without(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lineage__answers_are_the_same_with_the_cache_and_without),
        cmocka_unit_test(test_lineage__a_change_is_seen_through_the_cache),
        cmocka_unit_test(test_lineage__a_damaged_or_read_only_cache_changes_nothing),
        cmocka_unit_test(test_lineage__cycles_end),
        cmocka_unit_test(test_lineage__what_is_missing_or_not_proved_is_named),
    };
    return cmocka_run_group_tests(tests, make_runs, remove_runs);
}
