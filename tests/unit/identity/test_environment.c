/* The environment of a run: what this process has loaded, settings of a fixed list, Python's
 * packages; and nothing of a person. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/os_elf.h"
#include "base/os_file.h"
#include "identity/environment.h"

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

static const json_t *find(const json_t *list, const char *start)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (strncmp(text_of(one, "name"), start, strlen(start)) == 0) {
            return one;
        }
    }
    return NULL;
}

static void test_environment__loaded_libraries_have_the_linkers_build_id(void **state)
{
    (void)state;
    uint64_t seen = 0;
    json_t *said = m31ri_environment_loaded(getpid(), &seen);
    assert_non_null(said);
    const json_t *program = find(json_object_get(said, "programs"), "test_environment");
    assert_non_null(program);
    assert_non_null(strstr(text_of(program, "compiler"), "GCC"));
    const json_t *libc = find(json_object_get(said, "libraries"), "libc.so");
    assert_non_null(libc);
    assert_int_equal(strlen(text_of(libc, "build_id")), 40);
    assert_null(find(json_object_get(said, "libraries"), "/"));
    assert_null(find(json_object_get(said, "libraries"), "test_environment"));
    assert_null(m31ri_environment_loaded(getpid(), &seen)); /* nothing new */
    json_decref(said);
}

/* What readelf, which is not ours, says of the same file. */
static void test_environment__the_build_id_is_the_one_that_readelf_prints(void **state)
{
    (void)state;
    char line[256] = "";
    m31ri_elf_facts facts;
    FILE *p = popen("readelf -n /bin/sh 2>/dev/null | sed -n 's/.*Build ID: //p'", "r");
    assert_non_null(p);
    if (fgets(line, sizeof line, p) == NULL) {
        pclose(p);
        skip(); /* no readelf here */
    }
    pclose(p);
    int fd = m31ri_open_input("/bin/sh");
    assert_true(m31ri_elf_read(fd, &facts));
    close(fd);
    assert_memory_equal(facts.build_id, line, 40);
}

static void test_environment__a_damaged_file_says_nothing(void **state)
{
    (void)state;
    char path[] = "/tmp/m31r-elf-XXXXXX";
    unsigned char bytes[4096];
    m31ri_elf_facts facts;
    int source = m31ri_open_input("/proc/self/exe");
    int fd = mkstemp(path);
    unlink(path);
    assert_int_equal(read(source, bytes, sizeof bytes), sizeof bytes);
    close(source);
    srand(1);
    for (int round = 0; round < 2000; round++) {
        unsigned char changed[sizeof bytes];
        memcpy(changed, bytes, sizeof bytes);
        for (int i = 0; i < 8; i++) {
            changed[16 + rand() % 1000] = (unsigned char)rand();
        }
        assert_int_equal(pwrite(fd, changed, sizeof changed, 0), sizeof changed);
        (void)m31ri_elf_read(fd, &facts); /* the sanitizers watch */
    }
    assert_int_equal(ftruncate(fd, 10), 0);
    assert_false(m31ri_elf_read(fd, &facts));
    close(fd);
}

static void test_environment__what_a_shell_started_is_looked_at(void **state)
{
    (void)state;
    int ends[2];
    char go;
    uint64_t seen = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        dup2(ends[1], 1);
        execl("/bin/sh", "sh", "-c", "sleep 30 & echo go; wait", (char *)NULL);
        _exit(1);
    }
    assert_int_equal(read(ends[0], &go, 1), 1);
    json_t *said = NULL;
    for (int tries = 0; tries < 200; tries++) {
        json_t *more = m31ri_environment_loaded(pid, &seen);
        if (more != NULL) {
            json_decref(said);
            said = more;
        }
        if (find(json_object_get(said, "programs"), "sleep") != NULL) {
            break;
        }
        usleep(10000);
    }
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    assert_non_null(find(json_object_get(said, "programs"), "sleep"));
    json_decref(said);
}

static void test_environment__settings_are_those_of_the_list(void **state)
{
    (void)state;
    setenv("OMP_NUM_THREADS", "3", 1);
    setenv("TZ", "\xff", 1);
    setenv("SECRET_TOKEN", "hunter2", 1);
    m31ri_privacy *rules = m31ri_privacy_new(NULL);
    json_t *known = m31ri_environment_known(rules);
    const json_t *settings = json_object_get(known, "settings");
    assert_string_equal(text_of(settings, "OMP_NUM_THREADS"), "3");
    assert_true(json_is_string(json_object_get(settings, "TZ")));
    assert_null(json_object_get(settings, "SECRET_TOKEN"));
    assert_null(json_object_get(settings, "HOME"));
    assert_true(json_array_size(json_object_get(known, "cpu_flags")) > 10);
    json_decref(known);
    m31ri_privacy_free(rules);
    unsetenv("TZ");
}

static void test_environment__python_packages_are_read_without_a_process(void **state)
{
    (void)state;
    char root[] = "/tmp/m31r-venv-XXXXXX";
    char command[1024];
    char argv0[128];
    assert_non_null(mkdtemp(root));
    snprintf(
        command, sizeof command,
        "cd %s && mkdir -p bin lib/python3.11/site-packages && cd lib/python3.11/site-packages "
        "&& mkdir numpy-1.24.2.dist-info Foo_bar-0.1-py3.11.egg-info torch-2.1.0+cpu.dist-info "
        "numpy not-a-package && echo 'include-system-site-packages = false' >../../../pyvenv.cfg",
        root);
    assert_int_equal(system(command), 0);
    snprintf(argv0, sizeof argv0, "%s/bin/python", root);
    unsetenv("PYTHONPATH");
    json_t *python = m31ri_environment_python("/usr/bin/python3.11", argv0, "");
    char *text = json_dumps(python, JSON_COMPACT);
    assert_string_equal(text, "{\"version\":\"3.11\",\"packages\":[\"Foo_bar 0.1\",\"numpy "
                              "1.24.2\",\"torch 2.1.0+cpu\"]}");
    free(text);
    json_decref(python);
    assert_null(m31ri_environment_python("/usr/bin/perl", "perl", ""));
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment__loaded_libraries_have_the_linkers_build_id),
        cmocka_unit_test(test_environment__the_build_id_is_the_one_that_readelf_prints),
        cmocka_unit_test(test_environment__a_damaged_file_says_nothing),
        cmocka_unit_test(test_environment__what_a_shell_started_is_looked_at),
        cmocka_unit_test(test_environment__settings_are_those_of_the_list),
        cmocka_unit_test(test_environment__python_packages_are_read_without_a_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
