/* Git facts: compared with git itself on every form of repository it makes. */
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
#include "git/git_facts.h"
#include "unit/git/scratch_repo.h"

static void shell(const char *commands)
{
    shell_in(".", commands);
}

static void answer(const char *commands, char *out, size_t size)
{
    char command[1024];
    snprintf(command, sizeof command, "cd %s; %s", scratch, commands);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, size - 1, f);
    pclose(f);
    out[n] = '\0';
    if (n > 0 && out[n - 1] == '\n') {
        out[n - 1] = '\0';
    }
}

static int setup(void **state)
{
    (void)state;
    make_scratch();
    shell("git init -q -b main r; cd r; mkdir -p a/b c; echo 1 >a/b/x; echo 2 >a/y; echo 3 >c/z; "
          "echo 4 >top; "
          "ln -s top link; git add .; git commit -qm one");
    return 0;
}

static m31ri_git_facts facts_of(const char *below)
{
    char path[200];
    m31ri_git_facts g;
    m31r_error e;
    snprintf(path, sizeof path, "%s/%s", scratch, below);
    if (m31ri_git_facts_read(path, &g, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    return g;
}

/* Commit, branch and the number of changed files are what git says. */
static void assert_as_git(const char *below)
{
    char command[300];
    char commit[100];
    char branch[200];
    char changed[32];
    m31ri_git_facts g = facts_of(below);
    snprintf(command, sizeof command, "cd %s; git rev-parse HEAD", below);
    answer(command, commit, sizeof commit);
    snprintf(command, sizeof command, "cd %s; git symbolic-ref -q --short HEAD", below);
    answer(command, branch, sizeof branch);
    snprintf(command, sizeof command, "cd %s; git diff HEAD --no-renames --name-only | wc -l",
             below);
    answer(command, changed, sizeof changed);
    assert_true(g.found);
    assert_string_equal(g.reason, "");
    assert_string_equal(g.commit, commit);
    assert_string_equal(g.branch, branch);
    assert_int_equal(g.n_changed, atol(changed));
    assert_int_equal(g.is_dirty, atol(changed) > 0 || g.n_untracked > 0);
    m31ri_git_facts_release(&g);
}

static void test_git_facts__agree_with_git_on_each_kind_of_change(void **state)
{
    (void)state;
    static const char *const changes[] = {"true",
                                          "touch top",
                                          "echo 5 >>top",
                                          "echo n >new; git add new",
                                          "git rm -q a/y",
                                          "git rm -q --cached c/z",
                                          "rm c/z",
                                          "chmod +x top",
                                          "git add -u; git reset -q",
                                          "rm link; ln -s a link",
                                          "rm top; mkdir top; echo 1 >top/k",
                                          "git add .",
                                          "git reset -q --hard",
                                          "echo 6 >top; git add top; echo 4 >top",
                                          "echo 7 >i; git add -N i",
                                          "git update-index --assume-unchanged a/b/x 2>/dev/null "
                                          "|| git reset -q --hard; echo 9 >a/b/x",
                                          "git update-index --no-assume-unchanged a/b/x",
                                          "git commit -qam two; echo 8 >a/y 2>/dev/null || true",
                                          "git mv c/z c/w 2>/dev/null || echo q >q",
                                          "git read-tree HEAD",
                                          "git stash -q || true"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char command[400];
        snprintf(command, sizeof command, "cd r; %s", changes[i]);
        shell(command);
        assert_as_git("r");
        assert_as_git("r/a");
    }
}

static void test_git_facts__read_every_form_of_repository(void **state)
{
    (void)state;
    shell("cd r; for i in 1 2 3 4 5 6 7 8 9; do seq 1 $((i*400)) >a/n; echo $i >>top; git add .; "
          "git commit -qm $i; done");
    shell("cd r; git pack-refs --all; git gc -q --aggressive; echo s >top; git add top");
    assert_as_git("r");
    shell("cd r; git update-index --index-version 4; echo t >a/b/x; git add a; echo u >>c/z");
    assert_as_git("r");
    shell("cd r; git checkout -q --detach 2>/dev/null");
    assert_as_git("r");
    shell("cd r; git worktree add -q ../w -b feature/x; cd ../w; echo v >>top; git add top; mkdir "
          "-p deep/er; "
          "echo 1 >deep/er/f; git add deep");
    assert_as_git("w");
    assert_as_git("w/deep/er");
    shell("git clone -q --shared r s; cd s; git checkout -q -b k; echo 1 >>top; git rm -q c/z");
    assert_as_git("s");
    shell("git init -q --object-format=sha256 -b main h; cd h; echo 1 >f; mkdir d; echo 2 >d/g; "
          "git add .; "
          "git commit -qm one; echo 3 >>f; git add f; git gc -q");
    assert_as_git("h");
    shell("cd s; git config core.fileMode false; chmod +x link a/y 2>/dev/null || true");
    assert_as_git("s");
}

static void test_git_facts__say_why_there_is_no_commit(void **state)
{
    (void)state;
    shell("mkdir plain; git init -q -b trunk unborn; mkdir half; mkdir half/.git");
    m31ri_git_facts g = facts_of("plain");
    assert_false(g.found);
    assert_string_equal(g.reason, "not in a git work tree");
    m31ri_git_facts_release(&g);
    g = facts_of("half");
    assert_false(g.found);
    m31ri_git_facts_release(&g);
    g = facts_of("unborn");
    assert_false(g.found);
    assert_string_equal(g.reason, "branch trunk has no commit yet");
    m31ri_git_facts_release(&g);
    shell("cd r; git config core.splitIndex true; git update-index --split-index; echo 1 >>top; "
          "git add top");
    g = facts_of("r");
    assert_false(g.found);
    assert_non_null(strstr(g.reason, "split"));
    m31ri_git_facts_release(&g);
}

static void test_git_facts__name_what_is_damaged(void **state)
{
    (void)state;
    char path[200];
    m31ri_git_facts g;
    m31r_error e;
    snprintf(path, sizeof path, "%s/r", scratch);
    shell("cp -a r x; cd r; echo garbage >.git/HEAD");
    assert_int_equal(m31ri_git_facts_read(path, &g, &e), M31R_E_CORRUPT);
    shell("rm -rf r; cp -a x r; cd r; printf 'ref: ../../etc/passwd\\n' >.git/HEAD");
    assert_int_equal(m31ri_git_facts_read(path, &g, &e), M31R_E_CORRUPT);
    shell("rm -rf r; cp -a x r; cd r; printf 'ref: refs/heads/main\\n' >.git/refs/heads/main");
    assert_int_equal(m31ri_git_facts_read(path, &g, &e), M31R_E_CORRUPT);
    shell("rm -rf r; cp -a x r; rm -rf r/.git/objects/??");
    assert_int_equal(m31ri_git_facts_read(path, &g, &e), M31R_OK);
    assert_true(g.found);
    assert_non_null(strstr(g.reason, "staged is not known"));
    m31ri_git_facts_release(&g);
}

static void test_git_facts__survive_any_bytes_in_the_index(void **state)
{
    (void)state;
    char path[200];
    char index[220];
    unsigned char bytes[4096];
    snprintf(path, sizeof path, "%s/r", scratch);
    snprintf(index, sizeof index, "%s/.git/index", path);
    for (int version = 2; version <= 4; version += 2) {
        shell(version == 2 ? "true" : "cd r; git update-index --index-version 4");
        FILE *f = fopen(index, "rb");
        assert_non_null(f);
        size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        for (size_t i = 0; i < 2 * n; i++) {
            f = fopen(index, "wb");
            assert_non_null(f);
            bytes[i / 2] ^= i % 2 == 0 ? 0x80 : 0x05;
            fwrite(bytes, 1, i % 7 == 0 ? i / 2 : n, f);
            bytes[i / 2] ^= i % 2 == 0 ? 0x80 : 0x05;
            fclose(f);
            m31ri_git_facts g;
            if (m31ri_git_facts_read(path, &g, NULL) == M31R_OK) {
                m31ri_git_facts_release(&g);
            }
        }
        f = fopen(index, "wb");
        assert_non_null(f);
        fwrite(bytes, 1, n, f);
        fclose(f);
    }
}

/* Flips, cuts or fills one place of a file; returns its bytes as they were. */
static char *damage(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *bytes = malloc(1 << 16);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 16, f);
    fclose(f);
    f = fopen(path, "wb");
    assert_non_null(f);
    size_t at = *size > 0 ? (size_t)rand() % *size : 0;
    size_t n = rand() % 8 == 0 ? at : *size;
    for (size_t i = 0; i < n; i++) {
        bool is_hit = i == at || (i > at && i < at + 4 && rand() % 4 == 0);
        fputc(is_hit ? bytes[i] ^ (1 << rand() % 8) : bytes[i], f);
    }
    fclose(f);
    return bytes;
}

static void test_git_facts__survive_a_damaged_repository(void **state)
{
    (void)state;
    char list[8192];
    char path[300];
    char top[200];
    const char *more = getenv("M31R_TEST_STEPS");
    long n_steps = more != NULL ? strtol(more, NULL, 10) : 400;
    shell("cd r; printf '*.o\\n' >.gitignore; printf '* text=auto\\n' >.gitattributes; git add .; "
          "git "
          "commit -qm two; seq 1 400 >a/n; git add .; git commit -qm three; seq 1 410 >a/n; git "
          "commit "
          "-qam four; git gc -q; rm -rf .git/hooks; seq 2 409 >a/n; git add a; echo 9 >top; echo u "
          ">u");
    answer("cd r; find .git .gitignore .gitattributes -type f ! -name '*.lock'", list, sizeof list);
    snprintf(top, sizeof top, "%s/r", scratch);
    srand(more != NULL ? (unsigned)n_steps : 31);
    for (long step = 0; step < n_steps; step++) {
        char names[8192];
        size_t n_names = 0;
        char *lines[512];
        snprintf(names, sizeof names, "%s", list);
        char *save = NULL;
        for (char *l = strtok_r(names, "\n", &save); l != NULL && n_names < 512;
             l = strtok_r(NULL, "\n", &save)) {
            lines[n_names++] = l;
        }
        snprintf(path, sizeof path, "%s/%s", top, lines[(size_t)rand() % n_names]);
        size_t size = 0;
        char *before = damage(path, &size);
        m31ri_git_facts g;
        m31r_error e;
        m31r_err err = m31ri_git_facts_read(top, &g, &e);
        if (err == M31R_OK) {
            m31ri_git_facts_release(&g);
        } else {
            assert_true(e.message[0] != '\0');
        }
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        fwrite(before, 1, size, f);
        fclose(f);
        free(before);
    }
}

static void test_git_facts__survive_every_failed_allocation(void **state)
{
    (void)state;
    char path[200];
    snprintf(path, sizeof path, "%s/r", scratch);
    shell("cd r; git gc -q; echo 1 >>a/b/x; git add a; git rm -q c/z; echo 2 >>top");
    for (long n = 1; n < 150; n++) {
        m31ri_git_facts g;
        m31ri_alloc_fail_at(n, n % 2);
        m31r_err err = m31ri_git_facts_read(path, &g, NULL);
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
        TEST(test_git_facts__agree_with_git_on_each_kind_of_change),
        TEST(test_git_facts__read_every_form_of_repository),
        TEST(test_git_facts__say_why_there_is_no_commit),
        TEST(test_git_facts__name_what_is_damaged),
        TEST(test_git_facts__survive_any_bytes_in_the_index),
        TEST(test_git_facts__survive_a_damaged_repository),
        TEST(test_git_facts__survive_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
