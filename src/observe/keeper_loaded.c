/* keeper_loaded.c - which libraries the program has loaded.
 *
 * What a process has loaded can be seen only while it lives, and libraries come while it starts,
 * and later. So it is looked at in steps that grow with its age. A program that is over in a moment
 * may be met by none of them once its loader was done: then what its file links is taken instead.
 * That is a part of what it loads in any case, so a run of a second and one of a day say the same.
 */
#include <stdatomic.h>

#include "base/os_child.h"
#include "observe/keeper.h"
#include "observe/linked.h"

#define MS_NS (1000LL * 1000)
#define SHORTEST_NS (4 * MS_NS)
#define LONGEST_NS (60 * 1000 * MS_NS)
#define LOADED_NS (1000 * MS_NS) /* at this age what a program links is loaded */

void m31ri_keeper_look_at_loaded(m31ri_keeper *k, int64_t now_ns)
{
    int64_t age_ns = now_ns - k->shared->start_mono_ns;
    int64_t wait_ns = age_ns / 2 < LONGEST_NS ? age_ns / 2 : LONGEST_NS;
    k->next_loaded_ns = now_ns + (wait_ns > SHORTEST_NS ? wait_ns : SHORTEST_NS);
    m31ri_run_tell_environment(k->run, atomic_load(&k->shared->program_pid));
    if (!m31ri_pidfd_is_over(k->program_pidfd)) {
        k->loaded_age_ns = age_ns;
    }
}

void m31ri_keeper_end_loaded(m31ri_keeper *k)
{
    m31ri_buf program = M31RI_BUF_INIT;
    m31ri_buf libraries = M31RI_BUF_INIT;
    bool was_started = k->shared->exec_errno == 0;
    if (k->run != NULL && was_started && k->loaded_age_ns < LOADED_NS &&
        m31ri_linked_libraries(k->plan->argv[0], &program, &libraries)) {
        m31ri_run_tell_linked(k->run, m31ri_buf_str(&program), m31ri_buf_str(&libraries));
    }
    m31ri_buf_release(&program);
    m31ri_buf_release(&libraries);
}
