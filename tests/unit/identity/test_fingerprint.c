/* Fingerprint: agrees with an independent Python implementation, is the same with and without a
 * cache, says what it could not read, can be cancelled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "identity/fingerprint.h"

static const char ORACLE[] =
    "import os,sys,hashlib\n"
    "top=os.fsencode(sys.argv[1]); found=[]\n"
    "for d,ds,fs in os.walk(top):\n"
    "    for n in fs+[x for x in ds if os.path.islink(os.path.join(d,x))]:\n"
    "        p=os.path.join(d,n); r=os.path.relpath(p,top)\n"
    "        if os.path.islink(p): found.append((r,b'@',hashlib.sha256(os.readlink(p)).digest()))\n"
    "        elif os.path.isfile(p): "
    "found.append((r,b'',hashlib.sha256(open(p,'rb').read()).digest()))\n"
    "h=hashlib.sha256()\n"
    "for r,s,g in sorted(found): h.update(r+s+b'\\0'+g)\n"
    "print(h.hexdigest())\n";

static char scratch[64];

static void shell(const char *format, const char *argument)
{
    char command[2048];
    snprintf(command, sizeof command, format, argument);
    assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
    (void)state;
    char path[128];
    snprintf(scratch, sizeof scratch, "/tmp/m31r-fp-XXXXXX");
    assert_non_null(mkdtemp(scratch));
    snprintf(path, sizeof path, "%s/cache", scratch);
    setenv("XDG_CACHE_HOME", path, 1);
    shell("cd %s && mkdir -p d/a d/a.b d/empty 'd/sp ace' && cd d && echo 1 >a/b && echo 2 >a-b && "
          "echo 3 >a0 && "
          "echo 4 >a.b/x && : >zero && ln -s .. loop && ln -s a/b a@ && ln -s nowhere dangling && "
          "printf x >\"$(printf 'bad\\377name')\" && echo u >\"ü\" && mkfifo fifo && echo 5 >'sp "
          "ace/n\nl' && "
          "head -c 3000000 /dev/urandom >big && chmod 444 big",
          scratch);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shell("chmod -R u+rwX %s/d", scratch);
    shell("rm -rf %s", scratch);
    return 0;
}

static void fingerprint_hex(const char *name, m31ri_fingerprint *out, char hex[65])
{
    char path[200];
    m31r_error e;
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    if (m31ri_fingerprint_path(path, NULL, out, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    m31ri_sha256_hex(out->digest, hex);
}

static void oracle_hex(char hex[65])
{
    char path[128];
    char command[256];
    snprintf(path, sizeof path, "%s/oracle.py", scratch);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(ORACLE, f);
    fclose(f);
    snprintf(command, sizeof command, "python3 %s %s/d", path, scratch);
    f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fread(hex, 1, 64, f), 64);
    hex[64] = '\0';
    assert_int_equal(fgetc(f), '\n');
    assert_int_equal(pclose(f), 0);
}

static void test_fingerprint__agrees_with_an_independent_implementation(void **state)
{
    (void)state;
    if (system("python3 -c 1 2>/dev/null") != 0) {
        skip();
    }
    m31ri_fingerprint fp;
    char ours[65];
    char theirs[65];
    fingerprint_hex("d", &fp, ours);
    oracle_hex(theirs);
    assert_string_equal(ours, theirs);
    assert_int_equal(fp.n_files, 12);
    assert_int_equal(fp.n_changed, 0);
}

static void test_fingerprint__of_a_file_is_its_sha256(void **state)
{
    (void)state;
    m31ri_fingerprint fp;
    char ours[65];
    fingerprint_hex("d/zero", &fp, ours);
    assert_string_equal(ours, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(fp.n_files, 1);
    fingerprint_hex("d/a@", &fp, ours); /* a path given by a person follows a symlink */
    assert_string_equal(ours, "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865");
}

static void test_fingerprint__sees_a_change_behind_the_cache(void **state)
{
    (void)state;
    m31ri_fingerprint fp;
    char first[65];
    char again[65];
    struct timespec pause = {2, 300000000};
    nanosleep(&pause, NULL); /* younger files are not remembered */
    fingerprint_hex("d", &fp, first);
    shell("test -n \"$(ls %s/cache/m31r/fingerprints)\"", scratch);
    fingerprint_hex("d", &fp, again);
    assert_string_equal(first, again);
    /* same size, same mtime: only ctime tells */
    shell("cd %s/d && chmod 644 big && touch -r big ../t && printf Z | dd of=big bs=1 seek=7 "
          "conv=notrunc 2>/dev/null && "
          "touch -r ../t big",
          scratch);
    fingerprint_hex("d", &fp, again);
    assert_string_not_equal(first, again);
    fingerprint_hex("d", &fp, first);
    assert_string_equal(first, again);
    shell("for f in %s/cache/m31r/fingerprints/*; do printf garbage | dd of=$f bs=1 seek=40 "
          "conv=notrunc 2>/dev/null; done",
          scratch);
    fingerprint_hex("d", &fp, first);
    assert_string_equal(first, again);
}

static void test_fingerprint__needs_no_cache_directory(void **state)
{
    (void)state;
    m31ri_fingerprint fp;
    char with[65];
    char without[65];
    fingerprint_hex("d", &fp, with);
    setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
    fingerprint_hex("d", &fp, without);
    assert_string_equal(with, without);
}

static void test_fingerprint__names_what_it_cannot_read(void **state)
{
    (void)state;
    char path[200];
    m31ri_fingerprint fp;
    m31r_error e;
    snprintf(path, sizeof path, "%s/absent", scratch);
    assert_int_equal(m31ri_fingerprint_path(path, NULL, &fp, &e), M31R_E_NOTFOUND);
    assert_string_equal(e.path, path);
    assert_int_equal(m31ri_fingerprint_path("/dev/null", NULL, &fp, &e), M31R_E_IO);
    if (geteuid() == 0) {
        skip(); /* root reads everything */
    }
    shell("chmod 000 %s/d/a/b", scratch);
    snprintf(path, sizeof path, "%s/d", scratch);
    assert_int_equal(m31ri_fingerprint_path(path, NULL, &fp, &e), M31R_E_IO);
    assert_non_null(strstr(e.message, "d/a/b"));
}

static void test_fingerprint__ends_when_cancelled_and_reports_progress(void **state)
{
    (void)state;
    char path[200];
    m31ri_fingerprint fp;
    m31ri_fingerprint_progress progress = {0};
    snprintf(path, sizeof path, "%s/d", scratch);
    assert_int_equal(m31ri_fingerprint_path(path, &progress, &fp, NULL), M31R_OK);
    assert_int_equal(atomic_load(&progress.n_files), fp.n_files);
    assert_int_equal(atomic_load(&progress.n_bytes), fp.n_bytes);
    atomic_store(&progress.cancel, true);
    assert_int_equal(m31ri_fingerprint_path(path, &progress, &fp, NULL), M31R_E_CLOSED);
}

static void test_fingerprint__survives_every_failed_allocation(void **state)
{
    (void)state;
    char path[200];
    snprintf(path, sizeof path, "%s/d", scratch);
    for (long n = 1; n < 120; n++) {
        m31ri_fingerprint fp;
        m31ri_alloc_fail_at(n, n % 2);
        m31r_err err = m31ri_fingerprint_path(path, NULL, &fp, NULL);
        m31ri_alloc_fail_at(0, 0);
        assert_true(err == M31R_OK || err == M31R_E_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fingerprint__agrees_with_an_independent_implementation,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_fingerprint__of_a_file_is_its_sha256, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fingerprint__sees_a_change_behind_the_cache, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_fingerprint__needs_no_cache_directory, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_fingerprint__names_what_it_cannot_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_fingerprint__ends_when_cancelled_and_reports_progress,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_fingerprint__survives_every_failed_allocation, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
