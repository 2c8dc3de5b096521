/* Large files are hashed while the program goes on, once; what was overwritten meanwhile gets no
 * digest. */
#include "scratch.h"

#include <time.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "format/digest_cache.h"

#define LARGE_BYTES ((off_t)64 * 1024 * 1024)

/* A file of nothing but a hole, which is old enough to be believed. */
static void make_large(const char *path)
{
    const struct timespec past[2] = {{1700000000, 1}, {1700000000, 1}};
    assert_int_equal(m31ri_create_file(AT_FDCWD, path, "abc", 3, NULL), M31R_OK);
    assert_int_equal(truncate(path, LARGE_BYTES), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    nanosleep(&(struct timespec){0, 50 * 1000 * 1000}, NULL); /* of ctime */
}

static void digest_of(const char *path, char out[M31RI_SHA256_HEX])
{
    uint8_t digest[M31RI_SHA256_BYTES];
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(m31ri_sha256_fd(fd, digest, NULL, NULL), M31R_OK);
    close(fd);
    m31ri_sha256_hex(digest, out);
}

/* The digest of the first artifact; "" for null. */
static void recorded(const char *dir, char out[M31RI_SHA256_HEX])
{
    json_t *m = read_json(dir, "metadata.json");
    const json_t *first = json_array_get(json_object_get(m, "artifacts"), 0);
    const char *hex = json_string_value(json_object_get(first, "sha256"));
    assert_non_null(first);
    snprintf(out, M31RI_SHA256_HEX, "%s", hex != NULL ? hex : "");
    json_decref(m);
}

/* Bytes that this process has read so far. */
static uint64_t read_so_far(void)
{
    unsigned long long n = 0;
    FILE *f = fopen("/proc/self/io", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "rchar: %llu", &n), 1);
    fclose(f);
    return n;
}

static void register_in_a_run(const char *path, char *dir)
{
    m31r_run *run = open_run();
    tell_dir(dir, run);
    assert_int_equal(m31r_checkpoint_add(run, path, 7), M31R_OK);
    m31r_run_close(run);
}

/* True when the call came back before the file was read; the digest that the run ends with. */
static bool register_and_rename(char hex[M31RI_SHA256_HEX])
{
    char dir[SCRATCH_PATH];
    m31r_run *run = open_run();
    tell_dir(dir, run);
    uint64_t before = read_so_far();
    assert_int_equal(m31r_checkpoint_add(run, "large.bin", 7), M31R_OK);
    bool is_early = read_so_far() - before < (uint64_t)LARGE_BYTES;
    assert_int_equal(rename("large.bin", "renamed.bin"), 0);
    m31r_run_close(run);
    assert_int_equal(rename("renamed.bin", "large.bin"), 0);
    recorded(dir, hex);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "\"checkpoint_saved\""), 1);
    assert_true(count_of(text, hex) >= 1);
    free(text);
    return is_early;
}

static void test_hash_queue__a_large_file_is_hashed_while_the_program_goes_on(void **state)
{
    (void)state;
    char expected[M31RI_SHA256_HEX], hex[M31RI_SHA256_HEX];
    bool is_early = false;
    setenv("M31R_NO_CACHE", "1", 1);
    make_large("large.bin");
    digest_of("large.bin", expected);
    for (int i = 0; i < 5 && !is_early; i++) { /* on a busy machine the thread may be faster */
        is_early = register_and_rename(hex);
        assert_string_equal(hex, expected);
    }
    assert_true(is_early);
    unsetenv("M31R_NO_CACHE");
}

static void test_hash_queue__what_is_overwritten_meanwhile_gets_no_digest(void **state)
{
    (void)state;
    char dir[SCRATCH_PATH], hex[M31RI_SHA256_HEX];
    setenv("M31R_NO_CACHE", "1", 1);
    make_large("second.bin");
    m31r_run *run = open_run();
    tell_dir(dir, run);
    int fd = open("second.bin", O_WRONLY);
    assert_int_equal(m31r_checkpoint_add(run, "second.bin", 7), M31R_OK);
    assert_int_equal(pwrite(fd, "x", 1, LARGE_BYTES - 1), 1); /* in place, of the same size */
    close(fd);
    m31r_run_close(run);
    recorded(dir, hex);
    assert_string_equal(hex, "");
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "\"artifact_overwritten\""), 1);
    assert_int_equal(count_of(text, "\"artifact_replaced\""), 1);
    free(text);
    unsetenv("M31R_NO_CACHE");
}

static void test_digest_cache__an_unchanged_file_is_not_hashed_twice(void **state)
{
    (void)state;
    char dir[SCRATCH_PATH], first[M31RI_SHA256_HEX], again[M31RI_SHA256_HEX];
    char cache[SCRATCH_PATH];
    assert_non_null(getcwd(cache, sizeof cache - 8));
    setenv("XDG_CACHE_HOME", cache, 1);
    make_large("large.bin");
    register_in_a_run("large.bin", dir);
    recorded(dir, first);
    assert_int_equal(rename("large.bin", "elsewhere.bin"), 0); /* which changes its ctime */
    nanosleep(&(struct timespec){0, 50 * 1000 * 1000}, NULL);
    register_in_a_run("elsewhere.bin", dir);
    uint64_t before = read_so_far();
    register_in_a_run("elsewhere.bin", dir);
    assert_true(read_so_far() - before < (uint64_t)LARGE_BYTES);
    recorded(dir, again);
    assert_string_equal(again, first);
    setenv("M31R_NO_CACHE", "1", 1);
    before = read_so_far();
    register_in_a_run("elsewhere.bin", dir);
    assert_true(read_so_far() - before >= (uint64_t)LARGE_BYTES);
    unsetenv("M31R_NO_CACHE");
    /* Another content of the same size and with the same mtime: its ctime tells. */
    const struct timespec past[2] = {{1700000000, 1}, {1700000000, 1}};
    int fd = open("elsewhere.bin", O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, 5), 1);
    close(fd);
    assert_int_equal(utimensat(AT_FDCWD, "elsewhere.bin", past, 0), 0);
    register_in_a_run("elsewhere.bin", dir);
    recorded(dir, again);
    assert_string_not_equal(again, first);
    unsetenv("XDG_CACHE_HOME");
}

static void test_digest_cache__a_file_written_just_now_is_not_remembered(void **state)
{
    (void)state;
    char cache[SCRATCH_PATH];
    uint8_t digest[M31RI_SHA256_BYTES] = {1}, found[M31RI_SHA256_BYTES];
    struct stat st;
    assert_non_null(getcwd(cache, sizeof cache - 8));
    setenv("XDG_CACHE_HOME", cache, 1);
    make_large("new.bin");
    int fd = open("new.bin", O_RDONLY);
    assert_int_equal(fstat(fd, &st), 0);
    int64_t changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
    m31ri_digest_keep(fd, &st, digest, changed_ns + 9000000);
    assert_false(m31ri_digest_find(&st, found));
    m31ri_digest_keep(fd, &st, digest, changed_ns + 11000000);
    assert_true(m31ri_digest_find(&st, found));
    assert_memory_equal(found, digest, sizeof found);
    st.st_mtim.tv_sec += 1; /* whole seconds say that times are coarse */
    st.st_mtim.tv_nsec = 0;
    st.st_ctim = st.st_mtim;
    int64_t coarse_ns = (int64_t)st.st_mtim.tv_sec * 1000000000;
    m31ri_digest_keep(fd, &st, digest, coarse_ns + 1900000000);
    assert_false(m31ri_digest_find(&st, found));
    m31ri_digest_keep(fd, &st, digest, coarse_ns + 2100000000);
    assert_true(m31ri_digest_find(&st, found));
    close(fd);
    unsetenv("XDG_CACHE_HOME");
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_enter, scratch_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(test_hash_queue__a_large_file_is_hashed_while_the_program_goes_on),
        IN_SCRATCH(test_hash_queue__what_is_overwritten_meanwhile_gets_no_digest),
        IN_SCRATCH(test_digest_cache__an_unchanged_file_is_not_hashed_twice),
        IN_SCRATCH(test_digest_cache__a_file_written_just_now_is_not_remembered),
    };
    return cmocka_run_group_tests_name("hash_queue", tests, NULL, NULL);
}
