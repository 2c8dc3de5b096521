/* How often the kernel killed for want of memory in a control group: the files of both versions, as
 * kernels write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/os_proc_tree.h"

/* memory.events of a service on Linux 6.1 after two kills, one of them of the whole group. */
static const char events[] = "low 0\nhigh 0\nmax 1834\noom 2\noom_kill 2\noom_group_kill 1\n";
static const char oom_control[] = "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n";

/* /proc/self/cgroup: version 2 alone, in a container, version 1, and both side by side. */
static const char service[] = "0::/system.slice/slurmstepd.scope/job_71/step_0/user/task_0\n";
static const char container[] = "0::/\n";
static const char version_1[] = "5:devices:/user.slice\n4:memory:/user.slice/train\n0::/\n";
static const char side_by_side[] = "4:pids:/\n0::/train\n";

static char mount[] = "/tmp/m31r-oom-XXXXXX";

static void put(const char *directory, const char *name, const char *text)
{
    char command[1024];
    char path[1024];
    snprintf(command, sizeof command, "mkdir -p '%s%s'", mount, directory);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s%s/%s", mount, directory, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
}

static int make_mount(void **state)
{
    (void)state;
    snprintf(mount, sizeof mount, "/tmp/m31r-oom-XXXXXX");
    return mkdtemp(mount) != NULL ? 0 : -1;
}

static int remove_mount(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s'", mount);
    return system(command);
}

static void expect(const char *membership, int64_t kills, bool is_own)
{
    bool own = !is_own;
    assert_int_equal(m31ri_cgroup_oom_kills_below(membership, mount, &own), kills);
    assert_int_equal(own, is_own);
}

static void test_oom_kills__of_version_2_are_in_memory_events(void **state)
{
    (void)state;
    put("/system.slice/slurmstepd.scope/job_71/step_0/user/task_0", "memory.events", events);
    expect(service, 2, true);
    expect(container, -1, false);
}

static void test_oom_kills__of_a_container_are_at_its_root(void **state)
{
    (void)state;
    put("", "memory.events", events);
    expect(container, 2, true);
}

static void test_oom_kills__of_version_1_are_in_oom_control(void **state)
{
    (void)state;
    put("/memory/user.slice/train", "memory.oom_control", oom_control);
    expect(version_1, 5, true);
    expect("4:memory:/\n", -1, false);
    put("/memory", "memory.oom_control", oom_control);
    expect("4:memory:/\n", 5, false);
}

static void test_oom_kills__beside_version_1_are_below_unified(void **state)
{
    (void)state;
    put("/unified/train", "memory.events", events);
    expect(side_by_side, 2, true);
}

static void test_oom_kills__that_nobody_counts_are_not_known(void **state)
{
    (void)state;
    expect(service, -1, false);
    expect("", -1, false);
    put("/train", "memory.events", "low 0\nhigh 0\nmax 0\noom 0\n"); /* before Linux 4.13 */
    expect("0::/train\n", -1, false);
}

#define WITH_MOUNT(test) cmocka_unit_test_setup_teardown(test, make_mount, remove_mount)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MOUNT(test_oom_kills__of_version_2_are_in_memory_events),
        WITH_MOUNT(test_oom_kills__of_a_container_are_at_its_root),
        WITH_MOUNT(test_oom_kills__of_version_1_are_in_oom_control),
        WITH_MOUNT(test_oom_kills__beside_version_1_are_below_unified),
        WITH_MOUNT(test_oom_kills__that_nobody_counts_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
