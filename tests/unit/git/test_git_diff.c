/* The kept diff, by git itself: `git apply` of it on a clean checkout gives the work tree it was
 * taken from, over every form of repository and random edits; what counts as changed and as
 * untracked is what git says. */
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
    shell_in("r", commands);
}

static int setup(void **state)
{
    (void)state;
    make_scratch();
    char command[128];
    snprintf(command, sizeof command, "mkdir %s/r", scratch);
    assert_int_equal(system(command), 0);
    shell("git init -q -b main .; mkdir -p a/b c; for f in a/b/x a/y c/z top a/w q1 q2 q3; do seq "
          "1 40 >$f; done; "
          "ln -s top link; printf 'ignored\\n*.o\\n' >.gitignore; git add .; git commit -qm one");
    return 0;
}

static m31ri_git_facts read_facts(void)
{
    char path[128];
    m31ri_git_facts g;
    m31r_error e;
    snprintf(path, sizeof path, "%s/r", scratch);
    if (m31ri_git_facts_read(path, &g, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    return g;
}

static void save(const char *name, const char *bytes, size_t length)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fwrite(bytes, 1, length, f);
    fclose(f);
}

/* `git apply` of the diff on a clean checkout gives the tracked files as they are: content, kind
 * and execute bit. */
static void assert_rebuilds(const m31ri_git_facts *g)
{
    save("p.diff", m31ri_buf_str(&g->diff), g->diff.length);
    shell(
        "tree_of() { find . -name .git -prune -o -type l -printf '%p -> %l\\n' -o -type f -printf "
        "'%p %m\\n' -exec sha256sum {} + | sort; }; umask 022; "
        "rm -rf ../dirty ../clean; cp -a . ../dirty; cp -a . ../clean; "
        "cd ../dirty; git clean -fdxq; tree_of >../want; "
        "cd ../clean; git reset -q --hard; git clean -fdxq; "
        "test ! -s ../p.diff || git apply ../p.diff; tree_of >../got; cmp ../want ../got");
}

/* Changed files as `git diff HEAD`, untracked ones as `git ls-files --others` has them. */
static void assert_as_git(const m31ri_git_facts *g)
{
    m31ri_buf paths = M31RI_BUF_INIT;
    char number[32];
    for (size_t i = 0; i < g->n_untracked; i++) {
        m31ri_buf_add_format(&paths, "%s\n", g->untracked[i].path);
    }
    save("untracked", m31ri_buf_str(&paths), paths.length);
    m31ri_buf_release(&paths);
    save("changed", number, (size_t)snprintf(number, sizeof number, "%zu\n", g->n_changed));
    shell("git ls-files -z --others --exclude-standard | tr '\\0' '\\n' | grep -v '/$' | LC_ALL=C "
          "sort | cmp ../untracked -; "
          "git diff HEAD --no-renames --ignore-submodules --name-only | wc -l | cmp ../changed -");
}

static void assert_right(void)
{
    m31ri_git_facts g = read_facts();
    assert_true(g.found);
    assert_false(g.diff_is_cut);
    assert_int_equal(g.is_dirty, g.n_changed + g.n_untracked > 0);
    assert_as_git(&g);
    assert_rebuilds(&g);
    m31ri_git_facts_release(&g);
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
            n += (size_t)snprintf(out + n, size - n, "%u", step);
            c++;
        } else {
            n += (size_t)snprintf(out + n, size - n, "%c", *c);
        }
    }
}

static void test_git_diff__rebuilds_the_tree_after_random_edits(void **state)
{
    (void)state;
    static const char *const edits[] = {"echo t%u >>%s",
                                        "echo t%u >>%s; git add -A",
                                        "rm -f %s",
                                        "git rm -q --cached %s 2>/dev/null || true",
                                        "git rm -qf %s 2>/dev/null || true",
                                        "git checkout -q HEAD -- %s 2>/dev/null || true",
                                        "git reset -q",
                                        "git reset -q --hard",
                                        "touch %s",
                                        "test -f %s && chmod +x %s || true",
                                        "git add -A; git commit -qm %u --allow-empty",
                                        "git add -A; seq 1 40 >%s",
                                        "rm -f %s; ln -s elsewhere %s",
                                        "echo t%u >%s; git add -N %s",
                                        "git mv -f %s moved 2>/dev/null || true",
                                        "git add -A; rm -f %s",
                                        "seq %u 60 | sort -R --random-source=/bin/sh >%s",
                                        "test -f %s && sed -i '3d;17s/$/x/;30i new' %s || true",
                                        "printf 'no end' >>%s",
                                        ": >%s"};
    static const char *const files[] = {"a/b/x", "a/y",        "c/z",        "top",
                                        "a/w",   "q1",         "link2",      "'sp ace'",
                                        "fresh", "'q\"ot\\e'", "'h\303\244'"};
    const char *more = getenv("M31R_TEST_STEPS"); /* for a long run by hand; the seed too */
    unsigned n_steps = more != NULL ? (unsigned)strtoul(more, NULL, 10) : 20;
    srand(more != NULL ? n_steps : 20261123);
    for (unsigned step = 0; step < n_steps; step++) {
        char command[400];
        const char *edit = edits[(size_t)rand() % (sizeof edits / sizeof *edits)];
        const char *file = files[(size_t)rand() % (sizeof files / sizeof *files)];
        expand(edit, file, step, command, sizeof command);
        shell(command);
        assert_right();
    }
}

/* Changes of every kind in the repository as it is now. */
static void assert_right_after_changes(void)
{
    shell(
        "sed -i 's/^7$/seven/' a/y; git add a/y; sed -i 's/^19$/nine/' a/y; echo new >n; git add "
        "n; "
        "rm c/z; chmod +x q1; git rm -q q3; rm link; ln -s a link; rm q2; ln -s top q2; "
        "printf 'no newline' >a/w; git mv a/b/x a/b/renamed; mkdir -p d/e; echo u >d/e/untracked; "
        "echo o >ignored");
    assert_right();
}

static void test_git_diff__rebuilds_the_tree_in_every_form_of_repository(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "true", /* loose objects */
        "for i in 1 2 3 4 5 6 7 8; do seq 1 $((i*40)) >big; cat big >>top; git "
        "add .; git commit -qm "
        "$i; done; git gc -q --aggressive", /* packed, deltas */
        "mv .git ../store.git; git clone -q --shared ../store.git ../other; mv "
        "../other/.git .git", /* alternates */
        "git update-index --index-version 4",
        "git sparse-checkout set --cone a c; echo kept >a/b/k; git add a/b/k",
        "git sparse-checkout set --no-cone '/*' '!/c/never'",
        "git config core.fileMode false",
        "printf 'a\\r\\nb\\r\\n' >crlf; git add crlf; git commit -qm crlf; "
        "printf 'c\\r\\n' >>crlf"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        shell("cd ..; rm -rf saved; cp -a r saved");
        shell(forms[i]);
        if (i == 4) { /* what lies outside the sparse checkout stays there */
            shell("sed -i 's/^7$/seven/' a/y; rm c/z; echo new >c/n; git add c/n");
            assert_right();
        } else if (i == 6) {
            shell("chmod +x q1; echo 1 >>top");
            m31ri_git_facts g = read_facts();
            assert_int_equal(g.n_changed, 1);
            m31ri_git_facts_release(&g);
        } else {
            assert_right_after_changes();
        }
        shell("cd ..; rm -rf r; mv saved r");
    }
}

static void test_git_diff__reads_linked_work_trees_and_sha256(void **state)
{
    (void)state;
    shell("git worktree add -q ../w -b side; cd ..; mv r main; mv w r; "
          "printf 'gitdir: %s\\n' \"$PWD/main/.git/worktrees/w\" >r/.git");
    shell("echo 1 >>top; git rm -q c/z; echo n >n; git add n; echo u >u");
    m31ri_git_facts g = read_facts();
    assert_int_equal(g.n_changed, 3);
    assert_as_git(&g);
    save("p.diff", m31ri_buf_str(&g.diff), g.diff.length);
    m31ri_git_facts_release(&g);
    shell(
        "git write-tree >../want0; git add top; git write-tree >../want; git reset -q --hard; git "
        "apply --index ../p.diff; git write-tree | cmp ../want -");
    shell(
        "cd ..; rm -rf r; mkdir r; cd r; git init -q --object-format=sha256 -b main .; mkdir -p "
        "a/b "
        "c; for f in a/b/x a/y c/z top a/w q1 q2 q3; do seq 1 40 >$f; done; ln -s top link; printf "
        "'ignored\\n' >.gitignore; git add .; git commit -qm one; git gc -q");
    assert_right_after_changes();
}

static void test_git_diff__converts_line_ends_as_git_does(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "git config core.autocrlf true",
        "git config core.autocrlf input",
        "printf '* text=auto eol=crlf\\n' >.gitattributes",
        "printf '*.c text eol=crlf\\n*.raw -text\\n' >.gitattributes",
        "mkdir sub; printf '*.c -text\\n' >sub/.gitattributes; printf '*.c text\\n' "
        ">.gitattributes",
        "printf 'x.c crlf\\n*.raw binary\\n' >.gitattributes"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        shell("cd ..; rm -rf saved; cp -a r saved");
        shell(settings[i]);
        shell("mkdir -p sub; for f in x.c y.raw sub/x.c old.txt; do seq 1 30 | sed 's/$/\\r/' >$f; "
              "done; git add . 2>/dev/null; git commit -qm crlf; rm -rf x.c y.raw sub/x.c old.txt; "
              "git "
              "checkout -q -f HEAD -- .");
        shell("touch x.c y.raw sub/x.c old.txt");
        m31ri_git_facts g = read_facts(); /* touched only: nothing is changed */
        assert_int_equal(g.n_changed, 0);
        m31ri_git_facts_release(&g);
        shell("for f in x.c y.raw sub/x.c old.txt; do sed -i '5s/5/five/' $f; done");
        g = read_facts();
        assert_as_git(&g);
        save("p.diff", m31ri_buf_str(&g.diff), g.diff.length);
        m31ri_git_facts_release(&g);
        if (i != 5) { /* *.raw is named only there */
            shell("cp -a . ../dirty; git reset -q --hard; git apply ../p.diff; for f in x.c y.raw "
                  "sub/x.c "
                  "old.txt; do cmp $f ../dirty/$f; done; rm -rf ../dirty");
        } else {
            shell("grep -q '^Binary files a/y.raw and b/y.raw differ$' ../p.diff");
        }
        shell("cd ..; rm -rf r; mv saved r");
    }
}

static void test_git_diff__names_binary_files_by_their_contents(void **state)
{
    (void)state;
    shell(
        "printf 'a\\0b' >bin; git add bin; git commit -qm bin; printf 'a\\0c' >bin; echo 1 >>top; "
        "printf '\\0' >more; git add more");
    m31ri_git_facts g = read_facts();
    const char *text = m31ri_buf_str(&g.diff);
    assert_non_null(strstr(text, "Binary files a/bin and b/bin differ\n"));
    assert_non_null(strstr(text, "Binary files /dev/null and b/more differ\n"));
    save("p.diff", text, g.diff.length);
    m31ri_git_facts_release(&g);
    shell("grep -q \"^index $(git rev-parse HEAD:bin)..$(git hash-object bin) 100644$\" ../p.diff");
    /* git takes them from its own store when they are there, by these names */
    shell("git hash-object -w bin >/dev/null; cp -a . ../dirty; git reset -q --hard; git apply "
          "../p.diff; cmp bin ../dirty/bin; cmp more ../dirty/more; cmp top ../dirty/top");
}

static void test_git_diff__keeps_whole_files_up_to_its_limit(void **state)
{
    (void)state;
    shell("seq 1 400000 >q1; seq 1 400000 >q2; seq 1 300000 >q3; echo 1 >>top");
    m31ri_git_facts g = read_facts();
    assert_true(g.diff_is_cut);
    assert_true(g.diff.length <= M31RI_DIFF_BYTES);
    assert_int_equal(g.n_changed, 4);
    save("p.diff", m31ri_buf_str(&g.diff), g.diff.length);
    m31ri_git_facts_release(&g);
    shell("git stash -q; git apply ../p.diff; git diff --quiet -- q2 q3; ! git diff --quiet -- q1; "
          "! git "
          "diff --quiet -- top");
}

static void test_git_diff__compares_lfs_files_by_their_pointers(void **state)
{
    (void)state;
    shell(
        "pointer() { printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%s\\nsize "
        "%s\\n' "
        "$(sha256sum <$1 | cut -c1-64) $(wc -c <$1); }; "
        "printf '*.bin filter=lfs diff=lfs merge=lfs -text\\n' >.gitattributes; seq 1 90000 "
        ">m.bin; "
        "pointer m.bin >../pointer; cp ../pointer plain.bin; git add .gitattributes; "
        "for f in m.bin plain.bin; do git update-index --add --cacheinfo 100644,$(git hash-object "
        "-w --no-filters ../pointer),$f; done; git commit -qm lfs");
    m31ri_git_facts g = read_facts(); /* the file itself, and a pointer that was not fetched */
    assert_int_equal(g.n_changed, 0);
    assert_string_equal(g.reason, "");
    m31ri_git_facts_release(&g);
    shell("echo more >>m.bin; printf -- '-oid sha256:%s\\n+oid sha256:%s\\n' $(sed -n 's/^oid "
          "sha256://p' "
          "../pointer) $(sha256sum <m.bin | cut -c1-64) >../want");
    g = read_facts();
    assert_int_equal(g.n_changed, 1);
    save("p.diff", m31ri_buf_str(&g.diff), g.diff.length);
    m31ri_git_facts_release(&g);
    shell("grep '^[+-]oid' ../p.diff | cmp ../want -");
}

static void test_git_diff__says_what_it_cannot_tell(void **state)
{
    (void)state;
    shell("git init -q sub; cd sub; echo 1 >f; git add f; git commit -qm s; cd ..; git -c "
          "protocol.file.allow=always submodule --quiet add ./sub sub 2>/dev/null || git add sub; "
          "git "
          "commit -qm sub; echo 2 >>sub/f");
    m31ri_git_facts g = read_facts();
    assert_int_equal(g.n_submodules, 1);
    assert_int_equal(g.n_changed, 0);
    assert_string_equal(g.reason, "1 submodules are not looked into");
    m31ri_git_facts_release(&g);
    shell("git rm -qrf --cached sub; rm -rf sub .gitmodules; printf 'top filter=x\\n' "
          ">.gitattributes; "
          "git add -A; git commit -qm f; touch top; echo 1 >>top");
    g = read_facts();
    assert_non_null(strstr(g.reason, "top has a filter"));
    m31ri_git_facts_release(&g);
    shell("rm .git/objects/$(git rev-parse HEAD:top | sed 's#^..#&/#')");
    g = read_facts();
    assert_true(g.diff_is_cut && g.n_changed == 1);
    m31ri_git_facts_release(&g);
}

static void test_git_diff__ignores_what_git_ignores(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "*.o",   "/x*",      "a/**/z",    "**/k",        "d/",    "!*.keep", "?",       "[a-c]*",
        "[!a]x", "a/b",      "**",        "a/**",        "*/k",   "\\!x",    "x\\ ",    "k ",
        "#k",    "\\#k",     "b/**/**/k", "[[:digit:]]", "*a*b*", "/",       "//",      "k/",
        "a/b/",  "**/a/b/k", "[]x]",      "[a",          "\\",    "*k*",     "!/a/b/k", "[\\k]"};
    shell("git rm -rqf .; mkdir -p .git/info; printf 'a/b/.gitignore\\n' >.git/info/exclude; mkdir "
          "-p a/b/d/k a/k "
          "d/a/b b/c/k; "
          "for d in . a a/b a/b/d a/b/d/k a/k d d/a/b b b/c b/c/k; do for f in k1 x.o z x ax cx 7 "
          "'x ' '!x' '#k' ab.keep aab; do echo 1 >\"$d/$f\"; done; done");
    const size_t n = sizeof patterns / sizeof *patterns;
    srand(7);
    for (size_t i = 0; i < 2 * n; i++) {
        m31ri_buf rules = M31RI_BUF_INIT;
        m31ri_buf_add_format(&rules, "%s\n", patterns[i % n]);
        for (size_t k = 0; k < i / n * 3; k++) {
            bool is_negated = rand() % 3 == 0;
            m31ri_buf_add_format(&rules, "%s%s\n", is_negated ? "!" : "",
                                 patterns[(size_t)rand() % n]);
        }
        save("rules", rules.data, rules.length);
        m31ri_buf_release(&rules);
        shell(i % 3 == 0 ? "cp ../rules .gitignore"
              : i % 3 == 1
                  ? "rm -f .gitignore; cp ../rules a/.gitignore; echo '!k1' >a/b/.gitignore"
                  : "rm -f .gitignore a/.gitignore; cp ../rules .git/info/exclude");
        m31ri_git_facts g = read_facts();
        assert_as_git(&g);
        m31ri_git_facts_release(&g);
    }
    shell(": >.git/info/exclude; rm -f a/.gitignore; mkdir ../home; printf '*.o\\n' >../home/ig; "
          "printf '[core]\\n\\texcludesFile = \"~/ig\" ; "
          "mine\\n[include]\\n\\tpath = more\\n' >../home/.gitconfig; printf "
          "'[core]\\nautocrlf=input\\n' >../home/more; rm -f .gitignore");
    char home[128];
    snprintf(home, sizeof home, "%s/home", scratch);
    setenv("HOME", home, 1);
    unsetenv("GIT_CONFIG_GLOBAL");
    m31ri_git_facts g = read_facts();
    assert_as_git(&g);
    m31ri_git_facts_release(&g);
    shell("git ls-files --others --exclude-standard | grep -c '[.]o$' && exit 1; true");
}

static void test_git_diff__lists_untracked_and_keeps_small_text(void **state)
{
    (void)state;
    shell(
        "echo hello >new.txt; mkdir -p d/e ignored; echo x >d/e/f; echo o >ignored/g; echo o >k.o; "
        "printf 'a\\0b' >bin; seq 1 20000 >large.txt; ln -s new.txt ln; "
        "mkdir -p experiments/20261123T102651Z-9f3c0a1b logs; echo r "
        ">experiments/20261123T102651Z-9f3c0a1b/train.log; "
        "echo t >\"$(printf 'z\\377')\"; "
        "echo l >logs/train.log; git init -q nested; echo n >nested/n");
    m31ri_git_facts g = read_facts();
    static const char *const paths[] = {"bin", "d/e/f", "large.txt", "ln", "new.txt", "z\377"};
    assert_int_equal(g.n_untracked, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(g.untracked[i].path, paths[i]);
        assert_int_equal(g.untracked[i].content != NULL, i == 1 || i == 4);
    }
    assert_string_equal(g.untracked[4].content, "hello\n");
    assert_true(g.is_dirty);
    uint8_t before[32];
    memcpy(before, g.changes_digest, 32);
    m31ri_git_facts_release(&g);
    shell("echo more >>logs/train.log; echo more >experiments/20261123T102651Z-9f3c0a1b/other");
    g = read_facts();
    assert_memory_equal(before, g.changes_digest, 32); /* our own files are no change of the code */
    m31ri_git_facts_release(&g);
    shell("echo x >>d/e/f");
    g = read_facts();
    assert_memory_not_equal(before, g.changes_digest, 32);
    m31ri_git_facts_release(&g);
}

/* Someone keeps the runs in git, and each run adds to the chain of seals. */
static void test_git_diff__runs_that_are_tracked_are_no_change_of_the_code(void **state)
{
    (void)state;
    shell("mkdir -p experiments/20261123T102651Z-9f3c0a1b logs; echo 1 >experiments/.seals.jsonl; "
          "echo 1 >experiments/20261123T102651Z-9f3c0a1b/train.log; echo 1 >experiments/own.txt; "
          "echo 1 >logs/a.log; git add -A; git commit -qm runs");
    m31ri_git_facts g = read_facts();
    assert_false(g.is_dirty);
    m31ri_git_facts_release(&g);
    shell("echo 2 >>experiments/.seals.jsonl; echo 2 >>logs/a.log; echo 2 >logs/removed.jsonl; "
          "rm -r experiments/20261123T102651Z-9f3c0a1b; echo 2 >experiments/accepted.jsonl");
    g = read_facts();
    assert_false(g.is_dirty);
    assert_int_equal(g.n_changed, 0);
    assert_int_equal(g.n_untracked, 0);
    m31ri_git_facts_release(&g);
    shell("echo 2 >>experiments/own.txt");
    g = read_facts();
    assert_true(g.is_dirty);
    assert_int_equal(g.n_changed, 1);
    m31ri_git_facts_release(&g);
}

static void test_git_diff__reads_no_forgotten_data(void **state)
{
    (void)state;
    shell("mkdir data; cd data; seq 1 2500 | xargs touch; truncate -s 50G huge");
    m31ri_git_facts g = read_facts(); /* were `huge` read, the test would run out of its time */
    assert_int_equal(g.n_untracked, M31RI_UNTRACKED_LISTED);
    assert_int_equal(g.n_untracked_unlisted, 2501 - M31RI_UNTRACKED_LISTED);
    m31ri_git_facts_release(&g);
}

static void test_git_diff__survives_every_failed_allocation(void **state)
{
    (void)state;
    shell("echo 1 >>top; git add top; echo 2 >>q1; echo u >u1; echo u >u2");
    char path[128];
    snprintf(path, sizeof path, "%s/r", scratch);
    for (long n = 1; n < 250; n++) {
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
        TEST(test_git_diff__rebuilds_the_tree_after_random_edits),
        TEST(test_git_diff__rebuilds_the_tree_in_every_form_of_repository),
        TEST(test_git_diff__reads_linked_work_trees_and_sha256),
        TEST(test_git_diff__converts_line_ends_as_git_does),
        TEST(test_git_diff__names_binary_files_by_their_contents),
        TEST(test_git_diff__keeps_whole_files_up_to_its_limit),
        TEST(test_git_diff__compares_lfs_files_by_their_pointers),
        TEST(test_git_diff__says_what_it_cannot_tell),
        TEST(test_git_diff__ignores_what_git_ignores),
        TEST(test_git_diff__lists_untracked_and_keeps_small_text),
        TEST(test_git_diff__runs_that_are_tracked_are_no_change_of_the_code),
        TEST(test_git_diff__reads_no_forgotten_data),
        TEST(test_git_diff__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
