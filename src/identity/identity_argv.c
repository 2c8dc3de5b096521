/* identity_argv.c - what the arguments of a program say: options and their values, the script, what
 * is output only.
 *
 * Three spellings are one: `--lr 3e-4`, `--lr=3e-4`, `lr=3e-4`; and `-` in a name is `_`. Whether a
 * word after `--x` is its value cannot be known; a word that does not start with '-' (or is a
 * negative number) is taken as one.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_host.h"
#include "base/sha256.h"
#include "identity/identity_int.h"

#define NAME_BYTES 128

/* Where a run writes and what it goes on from: not what it is. */
static const char *const volatile_options[] = {"out",
                                               "output",
                                               "out_dir",
                                               "output_dir",
                                               "outdir",
                                               "o",
                                               "resume",
                                               "resume_from",
                                               "resume_from_checkpoint",
                                               "checkpoint_dir",
                                               "ckpt_dir",
                                               "save_dir",
                                               "save_path",
                                               "log_dir",
                                               "logdir",
                                               "id_file",
                                               NULL};

/* Programs that run another file: that one is the script. Compared as a prefix, so that python3.11
 * counts. */
static const char *const interpreters[] = {
    "python",  "pypy",    "bash",     "sh",         "dash",      "zsh",     "ksh",
    "perl",    "ruby",    "node",     "deno",       "bun",       "Rscript", "julia",
    "lua",     "php",     "torchrun", "accelerate", "deepspeed", "mpirun",  "mpiexec",
    "srun",    "env",     "uv",       "conda",      "poetry",    "nice",    "stdbuf",
    "timeout", "numactl", "taskset",  "nohup",      "strace",    NULL};

static m31r_err copy_list(const char *const *argv, size_t argc, m31ri_text_list *out)
{
    out->items = m31ri_calloc(argc + 1, sizeof *out->items);
    if (out->items == NULL) {
        return M31R_E_NOMEM;
    }
    for (size_t i = 0; i < argc; i++) {
        out->items[i] = m31ri_strdup(argv[i]);
        if (out->items[i] == NULL) {
            return M31R_E_NOMEM;
        }
        out->n++;
    }
    return M31R_OK;
}

/* In the library nobody hands the arguments over: they are this process's own. */
static m31r_err take_own(m31ri_text_list *out)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = M31R_OK;
    if (m31ri_process_arguments(&text) && m31ri_buf_ok(&text)) {
        size_t n = 0;
        for (size_t i = 0; i < text.length; i++) {
            n += text.data[i] == '\0';
        }
        const char **argv = m31ri_calloc(n + 1, sizeof *argv);
        const char *at = text.data;
        for (size_t i = 0; argv != NULL && i < n; i++) {
            argv[i] = at;
            at += strlen(at) + 1;
        }
        err = argv != NULL ? copy_list(argv, n, out) : M31R_E_NOMEM;
        m31ri_free(argv);
    }
    if (!m31ri_buf_ok(&text)) {
        err = M31R_E_NOMEM;
    }
    m31ri_buf_release(&text);
    return err;
}

static m31r_err redact(m31ri_identity *id, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    const char *const *given = (const char *const *)id->given.items;
    id->n_argv_redacted = m31ri_privacy_scrub_argv(id->privacy, given, id->given.n, &text);
    id->argv = m31ri_calloc(id->given.n + 1, sizeof *id->argv);
    bool ok = id->argv != NULL && m31ri_buf_ok(&text);
    const char *at = text.data;
    for (size_t i = 0; ok && i < id->given.n; i++) {
        id->argv[i] = m31ri_strdup(at);
        ok = id->argv[i] != NULL;
        at += strlen(at) + 1;
    }
    m31ri_buf_release(&text);
    return ok ? M31R_OK : m31ri_identity_no_memory(e);
}

m31r_err m31ri_identity_take_argv(m31ri_gather *g, m31r_error *e)
{
    m31ri_identity *id = g->id;
    m31r_err err = g->o.argc > 0 && g->o.argv != NULL
                       ? copy_list(g->o.argv, (size_t)g->o.argc, &id->given)
                       : (g->as_command ? copy_list(NULL, 0, &id->given) : take_own(&id->given));
    m31ri_sha256 *h = m31ri_sha256_new();
    if (err != M31R_OK || h == NULL) {
        m31ri_sha256_free(h);
        return m31ri_identity_no_memory(e);
    }
    for (size_t i = 0; i < id->given.n; i++) {
        m31ri_sha256_add(h, id->given.items[i], strlen(id->given.items[i]) + 1);
    }
    m31ri_sha256_end(h, id->argv_digest);
    m31ri_sha256_free(h);
    return redact(id, e);
}

/* Splits "--some-name=value" or "name=value" or "--name": the name with '_' for '-', and where the
 * value starts (NULL: none in this word). False when the word is no option. */
static bool split_option(const char *word, char name[NAME_BYTES], const char **value)
{
    size_t dashes = strspn(word, "-");
    const char *start = word + dashes;
    size_t length = strcspn(start, "=");
    bool has_value = start[length] == '=';
    *value = has_value ? start + length + 1 : NULL;
    if (dashes > 2 || length == 0 || length >= NAME_BYTES || (dashes == 0 && !has_value) ||
        !(isalpha((unsigned char)start[0]) || start[0] == '_')) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)start[i];
        if (!(isalnum(c) || c == '_' || c == '-' || c == '.')) {
            return false;
        }
        name[i] = c == '-' ? '_' : (char)c;
    }
    name[length] = '\0';
    return true;
}

static bool is_value(const char *word)
{
    return word != NULL && (word[0] != '-' || isdigit((unsigned char)word[1]) || word[1] == '.');
}

bool m31ri_argv_is_volatile(const char *const *argv, size_t argc, size_t i, size_t *n)
{
    char name[NAME_BYTES];
    const char *value;
    if (!split_option(argv[i], name, &value)) {
        return false;
    }
    for (const char *const *v = volatile_options; *v != NULL; v++) {
        if (strcmp(name, *v) == 0) {
            *n = value == NULL && i + 1 < argc && is_value(argv[i + 1]) ? 2 : 1;
            return true;
        }
    }
    return false;
}

const char *m31ri_argv_value(const m31ri_identity *id, const char *wanted)
{
    char name[NAME_BYTES];
    const char *value;
    for (size_t i = 1; i < id->given.n; i++) {
        if (!split_option(id->given.items[i], name, &value) || strcmp(name, wanted) != 0) {
            continue;
        }
        if (value != NULL) {
            return value;
        }
        if (i + 1 < id->given.n && is_value(id->given.items[i + 1])) {
            return id->given.items[i + 1];
        }
    }
    return NULL;
}

static bool is_number(const char *s)
{
    char *end;
    if (s[0] == '\0' || strspn(s, "+-.0123456789eE") != strlen(s)) {
        return false;
    }
    strtod(s, &end);
    return *end == '\0' && isalnum((unsigned char)end[-1]);
}

static void add_scalar(m31ri_buf *out, const char *value)
{
    if (is_number(value) || strcmp(value, "true") == 0 || strcmp(value, "false") == 0) {
        m31ri_buf_add_str(out, value);
    } else {
        m31ri_yaml_quote(out, value);
    }
}

/* The option at `i` of the redacted arguments; `*value` "true" for a bare flag. */
static bool option_at(const m31ri_identity *id, size_t i, char name[NAME_BYTES], const char **value)
{
    if (i == 0 || !split_option(id->argv[i], name, value)) {
        return false;
    }
    if (*value == NULL) {
        *value = is_value(id->argv[i + 1]) ? id->argv[i + 1] : "true";
    }
    return true;
}

/* How many values the name of option `i` has; 0 when an earlier option has the name already. */
static size_t count_values(const m31ri_identity *id, size_t i, const char *name)
{
    char other[NAME_BYTES];
    const char *value;
    size_t n = 0;
    for (size_t k = 1; k < id->given.n; k++) {
        if (option_at(id, k, other, &value) && strcmp(name, other) == 0) {
            if (k < i) {
                return 0;
            }
            n++;
        }
    }
    return n;
}

void m31ri_argv_view(const m31ri_identity *id, m31ri_buf *out)
{
    char name[NAME_BYTES];
    char other[NAME_BYTES];
    const char *value;
    bool is_empty = true;
    for (size_t i = 1; i < id->given.n; i++) {
        size_t n = option_at(id, i, name, &value) ? count_values(id, i, name) : 0;
        if (n == 0) {
            continue;
        }
        is_empty = false;
        m31ri_yaml_quote(out, name);
        m31ri_buf_add_str(out, n == 1 ? ": " : ": [");
        for (size_t k = i, listed = 0; listed < n; k++) {
            if (option_at(id, k, other, &value) && strcmp(name, other) == 0) {
                m31ri_buf_add_str(out, listed++ > 0 ? ", " : "");
                add_scalar(out, value);
            }
        }
        m31ri_buf_add_str(out, n == 1 ? "\n" : "]\n");
    }
    if (is_empty) {
        m31ri_buf_add_str(out, "{}\n");
    }
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_interpreter(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *base = slash != NULL ? slash + 1 : program;
    for (const char *const *p = interpreters; *p != NULL; p++) {
        size_t length = strlen(*p);
        /* "python3.11" is one, "shuffle" is not "sh" */
        if (strncmp(base, *p, length) == 0 &&
            strspn(base + length, "0123456789.") == strlen(base + length)) {
            return true;
        }
    }
    return false;
}

static bool find_in_path(const char *program, m31ri_buf *out)
{
    const char *path = getenv("PATH");
    for (const char *at = path; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ":");
        m31ri_buf_clear(out);
        m31ri_buf_add(out, at, length);
        m31ri_buf_add_str(out, length > 0 ? "/" : "./");
        m31ri_buf_add_str(out, program);
        if (m31ri_buf_ok(out) && is_file(out->data) && access(out->data, X_OK) == 0) {
            return true;
        }
        at += length + (at[length] == ':');
    }
    m31ri_buf_clear(out);
    return false;
}

void m31ri_argv_program(const char *program, m31ri_buf *out)
{
    if (strchr(program, '/') == NULL) {
        find_in_path(program, out);
    } else if (is_file(program)) {
        m31ri_buf_add_str(out, program);
    }
}

void m31ri_argv_script(const m31ri_identity *id, m31ri_buf *out)
{
    if (id->given.n == 0) {
        return;
    }
    const char *program = id->given.items[0];
    if (is_interpreter(program)) {
        for (size_t i = 1; i < id->given.n; i++) {
            if (is_file(id->given.items[i])) {
                m31ri_buf_add_str(out, id->given.items[i]);
                return;
            }
        }
    }
    m31ri_argv_program(program, out);
}
