/* fuzz_git.c - any bytes as what a repository may hold; the first letter says as what.
 *
 *   L loose object   P index and pack (the index's length as 4 bytes first)   I index
 *   C configuration  R rules of ignored paths and attributes                  D two texts
 *
 * Nothing may crash or take long. For two texts the hunks of their difference, applied to the
 * first, give the second.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "git/git_facts_int.h"
#include "git/git_rules.h"
#include "git/line_diff.h"

#define OBJECT "0011223344556677889900112233445566778899"

static char directory[64];

static void put(const char *name, const uint8_t *data, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "wb");
    REQUIRE(f != NULL && fwrite(data, 1, size, f) == size);
    fclose(f);
}

static void remove_directory(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    REQUIRE(system(command) == 0);
}

static void make_directory(void)
{
    static const char *const below[] = {"objects", "objects/00", "objects/pack", "info"};
    snprintf(directory, sizeof directory, "/tmp/m31r-fuzz-XXXXXX");
    REQUIRE(mkdtemp(directory) != NULL);
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", directory, below[i]);
        REQUIRE(mkdir(path, 0700) == 0);
    }
    REQUIRE(atexit(remove_directory) == 0);
}

static m31ri_git_repo repository(void)
{
    return (m31ri_git_repo){
        .top = directory, .git_dir = directory, .common = directory, .oid_bytes = 20};
}

static void read_one(const uint8_t oid[20])
{
    m31ri_git_repo r = repository();
    m31ri_buf out = M31RI_BUF_INIT;
    m31r_error e;
    if (m31ri_git_object_read(&r, oid, &out, &e) == M31R_OK) {
        REQUIRE(m31ri_buf_ok(&out));
    } else {
        REQUIRE(e.message[0] != '\0');
    }
    m31ri_buf_release(&out);
}

static void try_loose(const uint8_t *data, size_t size)
{
    static const uint8_t oid[20] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
                                    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99};
    char name[160];
    snprintf(name, sizeof name, "objects/00/%s", OBJECT + 2);
    put(name, data, size);
    read_one(oid);
    snprintf(name, sizeof name, "%s/objects/00/%s", directory, OBJECT + 2);
    unlink(name);
}

static void try_pack(const uint8_t *data, size_t size)
{
    if (size < 4) {
        return;
    }
    size_t length = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
    length = length < size - 4 ? length : size - 4;
    put("objects/pack/p.idx", data + 4, length);
    put("objects/pack/p.pack", data + 4 + length, size - 4 - length);
    const size_t names = 8 + 4 * 256;
    for (size_t at = 4 + names; at + 20 <= 4 + length && at < 4 + names + 20 * 8; at += 20) {
        read_one(data + at);
    }
}

static void try_index(const uint8_t *data, size_t size)
{
    m31ri_git_repo r = repository();
    m31ri_git_index x;
    put("index", data, size);
    if (m31ri_git_index_read(&r, &x, NULL) == M31R_OK) {
        for (size_t i = 0; i < x.n; i++) {
            REQUIRE(strlen(x.entries[i].name) <= size);
        }
        m31ri_git_index_release(&x);
    }
}

static void try_config(const uint8_t *data, size_t size)
{
    m31ri_git_repo r = repository();
    put("config", data, size);
    setenv("GIT_CONFIG_GLOBAL", "", 1);
    (void)m31ri_git_config_read(&r, NULL);
    r.top = r.git_dir = r.common = NULL; /* not its own */
    m31ri_git_repo_release(&r);
}

static void try_rules(const uint8_t *data, size_t size)
{
    char path[100];
    put("rules", data, size);
    snprintf(path, sizeof path, "%s/rules", directory);
    for (int kind = M31RI_GIT_IGNORES; kind <= M31RI_GIT_ATTRIBUTES; kind++) {
        m31ri_git_rules rules;
        if (m31ri_git_rules_read(-1, path, (m31ri_git_rule_kind)kind, &rules, NULL) != M31R_OK) {
            continue;
        }
        for (size_t i = 0; i < rules.n; i++) {
            (void)m31ri_git_rule_matches(&rules.items[i], "a/bb/ab.c", false);
            (void)m31ri_git_rule_matches(&rules.items[i], "aaaaaaaaaaaaaaaaaaaaaaaaaaaa/b", true);
        }
        m31ri_git_rules_release(&rules);
    }
}

/* Adds the next line of `*p` to `out`. */
static void take_line(const char **p, const char *end, m31ri_buf *out)
{
    const char *newline = memchr(*p, '\n', (size_t)(end - *p));
    const char *next = newline != NULL ? newline + 1 : end;
    m31ri_buf_add(out, *p, (size_t)(next - *p));
    *p = next;
}

/* Applies the hunks of `diff` to `before`. */
static void apply(const m31ri_buf *diff, const m31ri_buf *before, m31ri_buf *out)
{
    const char *old = m31ri_buf_str(before);
    const char *old_end = old + before->length;
    size_t line = 1;
    const char *end = diff->data + diff->length;
    for (const char *p = diff->data; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        REQUIRE(newline != NULL);
        if (*p == '@') {
            size_t start = strtoul(p + 4, NULL, 10);
            const char *comma = memchr(p, ',', strcspn(p, "+"));
            start += comma != NULL && comma[1] == '0'; /* after that line */
            for (; line < start; line++) {
                take_line(&old, old_end, out);
            }
        } else if (*p != '\\') {
            bool is_last = newline + 1 < end && newline[1] == '\\';
            if (*p != '-') {
                m31ri_buf_add(out, p + 1, (size_t)(newline - p) - is_last);
            }
            if (*p != '+') { /* what the hunk says stands there does stand there */
                size_t length = (size_t)(newline - p) - is_last;
                REQUIRE(length <= (size_t)(old_end - old) && memcmp(old, p + 1, length) == 0);
                old += length;
                line++;
            }
        }
        p = newline + 1;
    }
    m31ri_buf_add(out, old, (size_t)(old_end - old));
}

static void try_texts(const uint8_t *data, size_t size)
{
    m31ri_buf before = M31RI_BUF_INIT, after = M31RI_BUF_INIT;
    m31ri_buf diff = M31RI_BUF_INIT, again = M31RI_BUF_INIT;
    const uint8_t *nul = memchr(data, '\0', size);
    size_t length = nul != NULL ? (size_t)(nul - data) : size / 2;
    m31ri_buf_add(&before, data, length);
    m31ri_buf_add(&after, data + length, size - length);
    REQUIRE(m31ri_line_diff(&before, &after, &diff, NULL) == M31R_OK);
    if (diff.length == 0) {
        REQUIRE(before.length == after.length);
    } else {
        apply(&diff, &before, &again);
        REQUIRE(again.length == after.length && memcmp(again.data, after.data, after.length) == 0);
    }
    m31ri_buf_release(&before);
    m31ri_buf_release(&after);
    m31ri_buf_release(&diff);
    m31ri_buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        char letter;
        void (*try)(const uint8_t *data, size_t size);
    } kinds[] = {{'L', try_loose},  {'P', try_pack},  {'I', try_index},
                 {'C', try_config}, {'R', try_rules}, {'D', try_texts}};
    if (directory[0] == '\0') {
        make_directory();
    }
    for (size_t i = 0; size > 0 && i < sizeof kinds / sizeof *kinds; i++) {
        if (data[0] == (uint8_t)kinds[i].letter) {
            kinds[i].try(data + 1, size - 1);
        }
    }
    return 0;
}
