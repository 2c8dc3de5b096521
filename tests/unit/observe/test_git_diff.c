/* Diff by libgit2: agrees with the library's own reading over random edits, and with git's diff;
 * untracked files are listed, kept and limited as the header says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "observe/git_diff.h"

static char scratch[64];

static void shell(const char *commands)
{
    m31ri_buf all = M31RI_BUF_INIT;
    m31ri_buf_add_format(
        &all,
        "set -e; cd %s; export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b "
        "GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; %s",
        scratch, commands);
    if (system(m31ri_buf_str(&all)) != 0) {
        fail_msg("%s", commands);
    }
    m31ri_buf_release(&all);
}

static int setup(void **state)
{
    (void)state;
    snprintf(scratch, sizeof scratch, "/tmp/m31r-diff-XXXXXX");
    assert_non_null(mkdtemp(scratch));
    shell("git init -q -b main .; mkdir -p a/b c; for f in a/b/x a/y c/z top a/w q1 q2 q3; do seq "
          "1 20 >$f; done; "
          "ln -s top link; printf 'ignored\\n*.o\\n' >.gitignore; git add .; git commit -qm one");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return system(command) == 0 ? 0 : -1;
}

static m31ri_git_facts read_facts(m31ri_git_reader reader)
{
    m31ri_git_facts g;
    m31r_error e;
    if (reader(scratch, &g, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    return g;
}

/* Number of changed files. */
static size_t assert_both_agree(unsigned step, const char *what)
{
    m31ri_git_facts ours = read_facts(m31ri_git_facts_read);
    m31ri_git_facts theirs = read_facts(m31ri_git_diff_read);
    assert_true(theirs.has_untracked_facts);
    if (theirs.n_untracked == 0 && (ours.is_dirty != theirs.is_dirty ||
                                    memcmp(ours.changes_digest, theirs.changes_digest, 32) != 0)) {
        fail_msg("step %u after %s: library %d (%zu changed), libgit2 %d (%zu changed)", step, what,
                 ours.is_dirty, ours.n_changed, theirs.is_dirty, theirs.n_changed);
    }
    assert_int_equal(ours.n_changed, theirs.n_changed);
    assert_int_equal(theirs.is_dirty, theirs.n_changed + theirs.n_untracked > 0);
    size_t n_changed = ours.n_changed;
    if (n_changed == 0) {
        shell("git diff HEAD --quiet"); /* libgit2 was not asked then: git is */
    }
    m31ri_git_facts_release(&ours);
    m31ri_git_facts_release(&theirs);
    return n_changed;
}

/* Writes the edit with %s as the file and %u as a text of its own. */
static void expand(const char *edit, const char *file, unsigned step, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "mkdir -p a/b c; ");
    for (const char *c = edit; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] == 's') {
            n += (size_t)snprintf(out + n, size - n, "%s", file);
            c++;
        } else if (c[0] == '%' && c[1] == 'u') {
            n += (size_t)snprintf(out + n, size - n, "t%u", step);
            c++;
        } else {
            n += (size_t)snprintf(out + n, size - n, "%c", *c);
        }
    }
}

static void test_git_diff__agrees_with_the_library_over_random_edits(void **state)
{
    (void)state;
    static const char *const edits[] = {"echo %u >>%s",
                                        "echo %u >>%s; git add -A",
                                        "rm -f %s",
                                        "git rm -q --cached %s 2>/dev/null || true",
                                        "git rm -qf %s 2>/dev/null || true",
                                        "git checkout -q HEAD -- %s 2>/dev/null || true",
                                        "git reset -q",
                                        "git reset -q --hard",
                                        "touch %s",
                                        "test -f %s && chmod +x %s || true",
                                        "git add -A; git commit -qm %u --allow-empty",
                                        "git add -A; seq 1 20 >%s",
                                        "rm -f %s; ln -s elsewhere %s",
                                        "echo %u >%s; git add -N %s",
                                        "git mv -f %s moved 2>/dev/null || true",
                                        "git add -A; rm -f %s"};
    static const char *const files[] = {"a/b/x", "a/y", "c/z", "top", "a/w", "q1", "link", "fresh"};
    const char *more = getenv("M31R_TEST_STEPS"); /* for a long run by hand; the seed too */
    unsigned n_steps = more != NULL ? (unsigned)strtoul(more, NULL, 10) : 50;
    srand(more != NULL ? n_steps : 20261123);
    unsigned n_clean = 0;
    for (unsigned step = 0; step < n_steps; step++) {
        char command[300];
        const char *edit = edits[(size_t)rand() % (sizeof edits / sizeof *edits)];
        const char *file = files[(size_t)rand() % (sizeof files / sizeof *files)];
        expand(edit, file, step, command, sizeof command);
        shell(command);
        n_clean += assert_both_agree(step, command) == 0;
    }
    assert_true(n_clean < n_steps / 2 && n_clean > 0); /* the edits do reach both */
}

static void test_git_diff__takes_staged_and_unstaged_together(void **state)
{
    (void)state;
    shell(
        "sed -i s/7/seven/ a/y; git add a/y; sed -i s/9/nine/ a/y; echo new >n; git add n; rm c/z; "
        "printf 'a\\0b' >bin; git add bin; git rm -q --cached q1; rm q1");
    m31ri_git_facts g = read_facts(m31ri_git_diff_read);
    const char *text = m31ri_buf_str(&g.diff);
    assert_int_equal(g.n_changed, 5);
    assert_int_equal(g.n_untracked, 0);
    assert_non_null(strstr(text, "\n+seven\n"));
    assert_non_null(strstr(text, "\n+nine\n"));
    assert_non_null(strstr(text, "\n+new\n"));
    assert_non_null(strstr(text, "--- a/c/z\n+++ /dev/null\n"));
    assert_non_null(strstr(text, "Binary files /dev/null and b/bin differ"));
    assert_false(g.diff_is_cut);
    m31ri_git_facts_release(&g);
}

static void test_git_diff__text_applies_to_head(void **state)
{
    (void)state;
    char path[128];
    shell("sed -i s/7/seven/ a/y; git add a/y; sed -i '$d' top; printf 'no newline' >q2; git rm -q "
          "q3; rm link; ln -s a link");
    m31ri_git_facts g = read_facts(m31ri_git_diff_read);
    snprintf(path, sizeof path, "%s/.git/p.diff", scratch);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fwrite(g.diff.data, 1, g.diff.length, f);
    fclose(f);
    m31ri_git_facts_release(&g);
    shell("git add -A; git write-tree >.git/want; git reset -q --hard; git apply --index "
          ".git/p.diff; "
          "git write-tree >.git/got; cmp .git/want .git/got");
}

static void test_git_diff__is_cut_at_its_limit_and_says_so(void **state)
{
    (void)state;
    shell("seq 1 400000 >top; seq 1 400000 >q1; seq 1 400000 >q2");
    m31ri_git_facts g = read_facts(m31ri_git_diff_read);
    assert_true(g.diff_is_cut);
    assert_true(g.diff.length <= M31RI_DIFF_BYTES && g.diff.length > M31RI_DIFF_BYTES - 100);
    assert_int_equal(g.n_changed, 3);
    m31ri_git_facts_release(&g);
}

static void test_git_diff__lists_untracked_and_keeps_small_text(void **state)
{
    (void)state;
    shell(
        "echo hello >new.txt; mkdir -p d/e ignored; echo x >d/e/f; echo o >ignored/g; echo o >k.o; "
        "printf 'a\\0b' >bin; seq 1 20000 >large.txt; ln -s new.txt ln; "
        "mkdir -p experiments/20261123T102651Z-9f3c0a1b logs; echo r "
        ">experiments/20261123T102651Z-9f3c0a1b/train.log; "
        "echo l >logs/train.log; git init -q nested; echo n >nested/n");
    m31ri_git_facts g = read_facts(m31ri_git_diff_read);
    static const char *const paths[] = {"bin", "d/e/f", "large.txt", "ln", "new.txt"};
    assert_int_equal(g.n_untracked, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(g.untracked[i].path, paths[i]);
        assert_int_equal(g.untracked[i].content != NULL, i == 1 || i == 4);
    }
    assert_string_equal(g.untracked[4].content, "hello\n");
    assert_true(g.is_dirty);
    uint8_t before[32];
    memcpy(before, g.changes_digest, 32);
    m31ri_git_facts_release(&g);
    shell("echo more >>logs/train.log; echo more >experiments/20261123T102651Z-9f3c0a1b/other");
    g = read_facts(m31ri_git_diff_read);
    assert_memory_equal(before, g.changes_digest, 32); /* our own files are no change of the code */
    m31ri_git_facts_release(&g);
    shell("echo x >>d/e/f");
    g = read_facts(m31ri_git_diff_read);
    assert_memory_not_equal(before, g.changes_digest, 32);
    m31ri_git_facts_release(&g);
}

static void test_git_diff__stays_quick_over_forgotten_data(void **state)
{
    (void)state;
    shell("mkdir data; cd data; seq 1 2500 | xargs touch; truncate -s 50G huge");
    int64_t start = m31ri_mono_ns();
    m31ri_git_facts g = read_facts(m31ri_git_diff_read);
    assert_true(m31ri_mono_ns() - start <
                2000 * 1000000LL); /* with sanitizers, on a loaded machine */
    assert_int_equal(g.n_untracked, M31RI_UNTRACKED_LISTED);
    assert_int_equal(g.n_untracked_unlisted, 2501 - M31RI_UNTRACKED_LISTED);
    m31ri_git_facts_release(&g);
}

static void test_git_diff__survives_every_failed_allocation(void **state)
{
    (void)state;
    shell("echo 1 >>top; git add top; echo 2 >>q1; echo u >u1; echo u >u2");
    for (long n = 1; n < 120; n++) {
        m31ri_git_facts g;
        m31ri_alloc_fail_at(n, n % 2);
        m31r_err err = m31ri_git_diff_read(scratch, &g, NULL);
        m31ri_alloc_fail_at(0, 0);
        assert_true(err == M31R_OK || err == M31R_E_NOMEM);
        if (err == M31R_OK) {
            m31ri_git_facts_release(&g);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_git_diff__agrees_with_the_library_over_random_edits),
        TEST(test_git_diff__takes_staged_and_unstaged_together),
        TEST(test_git_diff__text_applies_to_head),
        TEST(test_git_diff__is_cut_at_its_limit_and_says_so),
        TEST(test_git_diff__lists_untracked_and_keeps_small_text),
        TEST(test_git_diff__stays_quick_over_forgotten_data),
        TEST(test_git_diff__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
