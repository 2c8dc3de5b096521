#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OUTPUT_MAX_BYTES = 16 * 1024 * 1024 };

/* Absolute, because the compiler is started in another folder. A link is not followed: a proxy is
 * known by its name. */
static bool rustc_find(const char *wanted, char *out)
{
    const char *path = getenv("PATH");
    char here[JUDGE_PATH_BYTES];
    if (strchr(wanted, '/') != NULL) {
        bool is_relative = wanted[0] != '/' && getcwd(here, sizeof here) != NULL;
        int size = snprintf(out, JUDGE_PATH_BYTES, "%s%s%s", is_relative ? here : "",
                            is_relative ? "/" : "", wanted);
        return size < JUDGE_PATH_BYTES && access(out, X_OK) == 0;
    }
    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        int size = snprintf(out, JUDGE_PATH_BYTES, "%.*s/%s", (int)length, path, wanted);
        if (length > 0 && size < JUDGE_PATH_BYTES && access(out, X_OK) == 0) {
            return true;
        }
        path += length + (path[length] == ':');
    }
    return false;
}

/* The first line that rustc prints for one question; "" when it does not answer. */
static bool rustc_ask(const judge *j, const char *scratch, const char *const *argv, char *line,
                      size_t size, fault *error)
{
    char output[JUDGE_PATH_BYTES + 16];
    bytes text = {0};
    fault ignored;
    sandbox_result result;
    (void)snprintf(output, sizeof output, "%s/asked", scratch);
    const sandbox_job job = {argv, scratch, output, j->compile};
    if (!sandbox_run(&job, &result, error)) {
        return false;
    }
    if (result.is_timeout) {
        return fault_set(error, FAULT_RUNTIME, "rustc_hangs", "%s: no answer in %g s", argv[0],
                         j->compile.wall_s);
    }
    line[0] = '\0';
    if (result.exit_status == 0 && bytes_read_file(&text, output, OUTPUT_MAX_BYTES, &ignored) &&
        bytes_append(&text, "", 1, &ignored)) {
        (void)snprintf(line, size, "%.*s", (int)strcspn((char *)text.data, "\n"),
                       (char *)text.data);
    }
    bytes_release(&text);
    return true;
}

/* The sysroot that a compiler names when it is asked with the environment of this process. */
static void sysroot_read(const char *rustc, double wall_s, char *out, size_t size)
{
    char command[JUDGE_PATH_BYTES + 64];
    out[0] = '\0';
    (void)snprintf(command, sizeof command, "exec timeout %g '%s' --print sysroot 2>/dev/null",
                   wall_s, rustc);
    FILE *pipe = strchr(rustc, '\'') == NULL ? popen(command, "re") : NULL;
    if (pipe != NULL) {
        if (fgets(out, (int)size, pipe) == NULL) {
            out[0] = '\0';
        }
        out[strcspn(out, "\n")] = '\0';
        (void)pclose(pipe);
    }
}

bool judge_init(judge *j, const char *rustc, const char *scratch, fault *error)
{
    char sysroot[JUDGE_PATH_BYTES - 16];
    char real[JUDGE_PATH_BYTES];
    if (!rustc_find(rustc, j->rustc)) {
        return fault_set(error, FAULT_RUNTIME, "rustc_missing",
                         "%s: no such compiler; Debian has it in the package rustc", rustc);
    }
    sysroot_read(j->rustc, j->compile.wall_s, sysroot, sizeof sysroot);
    (void)snprintf(real, sizeof real, "%s/bin/rustc", sysroot);
    if (sysroot[0] == '/' && access(real, X_OK) == 0) {
        memcpy(j->rustc, real, sizeof real);
    }
    const char *const argv[] = {j->rustc, "--version", NULL};
    if (!rustc_ask(j, scratch, argv, j->version, sizeof j->version, error)) {
        return false;
    }
    return j->version[0] != '\0' || fault_set(error, FAULT_RUNTIME, "rustc_missing",
                                              "%s: does not say its version", j->rustc);
}

static bool source_write(const task *t, const bytes *completion, const char *path, fault *error)
{
    bytes all = {0};
    bool ok = bytes_append(&all, t->prompt.data, t->prompt.size, error) &&
              bytes_append(&all, completion->data, completion->size, error) &&
              bytes_append(&all, "\n", t->stop == TASK_STOP_BRACE, error) &&
              (t->suffix.size == 0 || bytes_append(&all, t->suffix.data, t->suffix.size, error)) &&
              bytes_append(&all, "\n", 1, error) &&
              bytes_append(&all, t->tests.data, t->tests.size, error) &&
              bytes_write_file(path, all.data, all.size, error);
    bytes_release(&all);
    return ok;
}

/* The first code such as E0308 in what the compiler printed. */
static void code_find(const bytes *output, char code[8])
{
    const uint8_t *at = memmem(output->data, output->size, "error[E", 7);
    if (at != NULL && output->data + output->size - at > 12) {
        memcpy(code, at + 6, 5);
    }
}

static bool says_passed(const bytes *output, int n_tests)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "test result: ok. %d passed; 0 failed", n_tests);
    return memmem(output->data, output->size, wanted, strlen(wanted)) != NULL;
}

/* Runs one of the two programs and reads what it printed. */
static bool program_run(const char *const *argv, const char *folder, const sandbox_limits *limits,
                        sandbox_result *result, bytes *output, fault *error)
{
    char path[JUDGE_PATH_BYTES + 16];
    fault ignored;
    (void)snprintf(path, sizeof path, "%s/output", folder);
    const sandbox_job job = {argv, folder, path, *limits};
    output->size = 0;
    if (!sandbox_run(&job, result, error)) {
        return false;
    }
    if (!bytes_read_file(output, path, OUTPUT_MAX_BYTES, &ignored)) {
        output->size = 0;
    }
    return true;
}

bool judge_completion(const judge *j, const task *t, const bytes *completion, const char *folder,
                      verdict *out, fault *error)
{
    char source[JUDGE_PATH_BYTES + 16];
    char program[JUDGE_PATH_BYTES + 16];
    bytes output = {0};
    sandbox_result result;
    *out = (verdict){0};
    (void)snprintf(source, sizeof source, "%s/task.rs", folder);
    (void)snprintf(program, sizeof program, "%s/task", folder);
    const char *const compile[] = {j->rustc, "--edition",   "2021", "--test", "-A",    "warnings",
                                   "-C",     "debuginfo=0", source, "-o",     program, NULL};
    const char *const run[] = {program, "--test-threads=2", NULL};
    (void)unlink(program);
    bool ok = source_write(t, completion, source, error) &&
              program_run(compile, folder, &j->compile, &result, &output, error);
    if (ok) {
        code_find(&output, out->code);
        out->peak_mb = result.peak_mb;
        out->is_timeout = result.is_timeout;
        out->has_compiled = result.exit_status == 0 && access(program, X_OK) == 0;
    }
    if (ok && out->has_compiled) {
        ok = program_run(run, folder, &j->run, &result, &output, error);
        out->has_passed = ok && result.exit_status == 0 && says_passed(&output, t->n_tests);
        out->is_timeout = ok && result.is_timeout;
        out->peak_mb = result.peak_mb > out->peak_mb ? result.peak_mb : out->peak_mb;
    }
    bytes_release(&output);
    return ok;
}
