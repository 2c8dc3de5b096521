/* crash.c - the handler of fatal signals; crash.h says what it does.
 *
 * Signal-safe throughout: no lock, no memory, no stdio. What it reads is published by atomics and
 * never freed while it may be read. It may itself fault (a ruined stack): then it comes back here
 * and is content with what it has. One thread at a time notes; a second one that dies meanwhile
 * waits for it a little.
 */
#include "emit/crash.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/counter.h"
#include "base/os_fault.h"
#include "base/os_mapping.h"
#include "emit/ring_thread.h"
#include "m31r/metric.h"

#define WATCHED 16 /* runs of a process that are watched at one time */
#define STACK_BYTES (64 * 1024)
#define SURVIVED_FAULTS 16 /* a program that lives with faults is not slowed down by stacks */
#define WAIT_STEPS 100
#define STEP_NS (1000 * 1000)
#define IS_MACHINE_CHECK 5 /* BUS_MCEERR_AO: nothing that the thread did */

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define N_FATAL (sizeof fatal / sizeof *fatal)

typedef struct watched {
    _Atomic(m31ri_rings *) rings; /* NULL: free */
    atomic_bool catches;
} watched;

/* A handler gets no object handed to it: this is the process's own. */
static watched all[WATCHED];
static struct sigaction before[N_FATAL];
static atomic_bool is_installed[N_FATAL];
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint n_inside;   /* handlers that look at rings */
static atomic_uint noting;     /* thread that notes; 0: none */
static atomic_uint n_survived; /* faults that the program's own handler dealt with */
static sigjmp_buf way_back;    /* of the thread that notes */
static volatile sig_atomic_t can_go_back;
static m31ri_fault_state interrupted;

static _Thread_local void *own_stack;

/* ------------------------------------------------------------------ a ring without memory */

/* Memory of the process under the whole mapping, with the header that says how large it is. */
static bool mend_mapping(m31ri_rings *rs, uintptr_t address)
{
    char *base = rs->file.base;
    if (base == NULL || address < (uintptr_t)base || address >= (uintptr_t)base + rs->file.bytes) {
        return false;
    }
    if (!m31ri_mapping_replace(base, rs->file.bytes)) {
        return false;
    }
    memcpy(base, &rs->header, sizeof rs->header);
    atomic_store_explicit(&rs->is_broken, true, memory_order_release);
    atomic_store_explicit(rs->token, 0, memory_order_seq_cst);
    m31ri_rings_close_threads(rs);
    return true;
}

static bool mend(int number, const siginfo_t *info)
{
    bool is_mended = false;
    for (int i = 0; number == SIGBUS && info->si_code > 0 && i < WATCHED; i++) {
        m31ri_rings *rs = atomic_load_explicit(&all[i].rings, memory_order_acquire);
        is_mended = is_mended || (rs != NULL && mend_mapping(rs, (uintptr_t)info->si_addr));
    }
    return is_mended;
}

/* ------------------------------------------------------------------ the note */

static uint32_t walk(void *context, uintptr_t *out, bool with_stack)
{
    uintptr_t pc = m31ri_fault_pc(context);
    out[0] = pc;
    uint32_t n = with_stack ? m31ri_stack_walk((const void *)pc, out, M31RI_STACK_FRAMES) : 1;
    return n != 0 ? n : 1;
}

/* A call to where no code is: the frame that called is the first that can be walked from. */
static uint32_t walk_from_caller(void *context, uintptr_t *out)
{
    out[0] = m31ri_fault_pc(context);
    if (!m31ri_fault_return(context)) {
        return 1;
    }
    const void *from = (const void *)m31ri_fault_pc(context);
    return 1 + m31ri_stack_walk(from, out + 1, M31RI_STACK_FRAMES - 1);
}

static void add_stack(const m31ri_rings *rs, m31ri_crash_note *note, void *context)
{
    uintptr_t addresses[M31RI_STACK_FRAMES];
    uintptr_t pc = m31ri_fault_pc(context);
    bool with_stack = atomic_load_explicit(&n_survived, memory_order_relaxed) < SURVIVED_FAULTS;
    bool is_code = m31ri_modules_find(&rs->modules, pc) != 0;
    uint32_t n = is_code || !with_stack ? walk(context, addresses, with_stack)
                                        : walk_from_caller(context, addresses);
    m31ri_modules_find_all(&rs->modules, addresses, n, note->frames);
    note->n_frames = n;
}

static void begin_note(const m31ri_rings *rs, m31ri_crash_note *note, int number,
                       const siginfo_t *info, void *context)
{
    atomic_store_explicit(&note->state, M31RI_CRASH_NONE, memory_order_release);
    bool has_ring = m31ri_mine.serial == rs->serial && m31ri_mine.ring != NULL;
    bool has_address = info->si_code > 0 && (number == SIGSEGV || number == SIGBUS);
    note->signal = number;
    note->code = info->si_code;
    note->thread = m31ri_fault_thread(note->name);
    note->slot = has_ring ? m31ri_mine.ring->ring.index : UINT32_MAX;
    note->head = has_ring ? m31ri_ring_head(&m31ri_mine.ring->ring) : 0;
    note->step = has_ring ? m31ri_mine.ring->last_step : M31R_NO_STEP;
    note->address = has_address ? (uint64_t)(uintptr_t)info->si_addr : UINT64_MAX;
    note->counter = m31ri_counter_read(rs->file.header->counter_is_steady != 0);
    note->frames[0] = m31ri_modules_find(&rs->modules, m31ri_fault_pc(context));
    note->n_frames = 1;
    atomic_store_explicit(&note->state, M31RI_CRASH_BEGUN, memory_order_release);
}

static void note_in(const watched *w, int number, const siginfo_t *info, void *context)
{
    m31ri_rings *rs = atomic_load_explicit(&w->rings, memory_order_acquire);
    if (rs == NULL || !atomic_load_explicit(&w->catches, memory_order_relaxed) ||
        !m31ri_rings_are_ours(rs)) {
        return; /* a forked child has its parent's list */
    }
    m31ri_crash_note *note = &rs->file.live->crash;
    begin_note(rs, note, number, info, context);
    m31ri_fault_save(context, &interrupted);
    if (sigsetjmp(way_back, 0) == 0) {
        can_go_back = 1;
        add_stack(rs, note, context);
    } else { /* it faulted: the first frame is what is known */
        atomic_fetch_sub_explicit(&n_inside, 1, memory_order_acq_rel);
    }
    can_go_back = 0;
    m31ri_fault_restore(context, &interrupted);
    atomic_store_explicit(&note->state, M31RI_CRASH_WHOLE, memory_order_release);
}

/* The one that notes, or after a little waiting nobody. */
static bool may_note(unsigned self)
{
    const struct timespec step = {0, STEP_NS};
    for (int i = 0; i < WAIT_STEPS; i++) {
        unsigned none = 0;
        if (atomic_compare_exchange_strong_explicit(&noting, &none, self, memory_order_acq_rel,
                                                    memory_order_acquire)) {
            return true;
        }
        nanosleep(&step, NULL);
    }
    return false;
}

static void note_everywhere(int number, const siginfo_t *info, void *context)
{
    char name[16];
    unsigned self = m31ri_fault_thread(name);
    if (atomic_load_explicit(&noting, memory_order_acquire) == self) {
        if (can_go_back) {
            can_go_back = 0;
            siglongjmp(way_back, 1);
        }
        return;
    }
    if (!may_note(self)) {
        return;
    }
    for (int i = 0; i < WATCHED; i++) {
        note_in(&all[i], number, info, context);
    }
    atomic_store_explicit(&noting, 0, memory_order_release);
}

/* ------------------------------------------------------------------ and then */

static void on_fatal(int number, siginfo_t *info, void *context);

/* The program's own handler has returned, and is still ours to be called: the program goes on. Not
 * so behind abort(), and when that handler has asked for the default action. */
static void pass_over(int number)
{
    struct sigaction now;
    if (number == SIGABRT || sigaction(number, NULL, &now) != 0 || now.sa_sigaction != on_fatal) {
        return;
    }
    atomic_fetch_add_explicit(&n_survived, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&n_inside, 1, memory_order_acq_rel);
    for (int i = 0; i < WATCHED; i++) {
        m31ri_rings *rs = atomic_load_explicit(&all[i].rings, memory_order_acquire);
        if (rs != NULL && m31ri_rings_are_ours(rs)) {
            atomic_store_explicit(&rs->file.live->crash.state, M31RI_CRASH_PASSED,
                                  memory_order_release);
        }
    }
    atomic_fetch_sub_explicit(&n_inside, 1, memory_order_acq_rel);
}

/* The program's own handler, as the kernel would have called it. */
static void call_before(const struct sigaction *action, int number, siginfo_t *info, void *context)
{
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, &action->sa_mask, &mask);
    if ((action->sa_flags & SA_NODEFER) == 0) {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, number);
        pthread_sigmask(SIG_BLOCK, &one, NULL);
    }
    if ((action->sa_flags & SA_SIGINFO) != 0) {
        action->sa_sigaction(number, info, context);
    } else {
        action->sa_handler(number);
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* The default action, at the interrupted instruction: a fault happens again there, anything else is
 * sent again and let through when the handler has returned. */
static void die(int number, siginfo_t *info)
{
    struct sigaction plain;
    memset(&plain, 0, sizeof plain);
    plain.sa_handler = SIG_DFL;
    sigaction(number, &plain, NULL);
    bool is_fault = info->si_code > 0 && number != SIGABRT &&
                    !(number == SIGBUS && info->si_code == IS_MACHINE_CHECK);
    if (!is_fault) {
        sigset_t one;
        sigemptyset(&one);
        sigaddset(&one, number);
        pthread_sigmask(SIG_BLOCK, &one, NULL);
        m31ri_fault_raise(number, info);
    }
}

static size_t index_of(int number)
{
    size_t i = 0;
    while (i + 1 < N_FATAL && fatal[i] != number) {
        i++;
    }
    return i;
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    struct sigaction action = before[index_of(number)];
    bool is_ignored = action.sa_handler == SIG_IGN && info->si_code <= 0;
    atomic_fetch_add_explicit(&n_inside, 1, memory_order_acq_rel);
    bool is_mended = mend(number, info);
    if (!is_mended && !is_ignored) {
        note_everywhere(number, info, context);
    }
    atomic_fetch_sub_explicit(&n_inside, 1, memory_order_acq_rel);
    if (!is_mended && !is_ignored) {
        bool is_own = (action.sa_flags & SA_SIGINFO) != 0 ||
                      (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
        if (is_own) {
            call_before(&action, number, info, context);
            pass_over(number);
        } else {
            die(number, info);
        }
    }
    errno = saved;
}

/* ------------------------------------------------------------------ installing */

/* SA_NODEFER: a fault of the handler itself comes back to it. */
static void install(size_t i)
{
    struct sigaction ours;
    if (atomic_load_explicit(&is_installed[i], memory_order_relaxed)) {
        return;
    }
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = on_fatal;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&ours.sa_mask);
    if (sigaction(fatal[i], NULL, &before[i]) == 0 && sigaction(fatal[i], &ours, NULL) == 0) {
        atomic_store_explicit(&is_installed[i], true, memory_order_relaxed);
    }
}

/* Where somebody put a handler over ours, it stays and may go on calling us. */
static void uninstall(size_t i)
{
    struct sigaction now;
    if (atomic_load_explicit(&is_installed[i], memory_order_relaxed) &&
        sigaction(fatal[i], NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
        now.sa_sigaction == on_fatal && sigaction(fatal[i], &before[i], NULL) == 0) {
        atomic_store_explicit(&is_installed[i], false, memory_order_relaxed);
    }
}

void m31ri_crash_watch(m31ri_rings *rs, bool catches)
{
    pthread_mutex_lock(&install_lock);
    rs->header = *rs->file.header;
    for (int i = 0; i < WATCHED; i++) {
        if (atomic_load_explicit(&all[i].rings, memory_order_relaxed) == NULL) {
            atomic_store_explicit(&all[i].catches, catches, memory_order_relaxed);
            /* pairs with the acquire in the handler */
            atomic_store_explicit(&all[i].rings, rs, memory_order_release);
            break;
        }
    }
    for (size_t i = 0; i < N_FATAL; i++) {
        if (catches || fatal[i] == SIGBUS) {
            install(i);
        }
    }
    pthread_mutex_unlock(&install_lock);
    if (catches) {
        m31ri_crash_enter_thread();
    }
}

void m31ri_crash_unwatch(m31ri_rings *rs)
{
    const struct timespec step = {0, STEP_NS};
    bool catches_any = false, watches_any = false;
    pthread_mutex_lock(&install_lock);
    for (int i = 0; i < WATCHED; i++) {
        if (atomic_load_explicit(&all[i].rings, memory_order_relaxed) == rs) {
            atomic_store_explicit(&all[i].rings, NULL, memory_order_release);
        }
        bool is_there = atomic_load_explicit(&all[i].rings, memory_order_relaxed) != NULL;
        watches_any |= is_there;
        catches_any |= is_there && atomic_load_explicit(&all[i].catches, memory_order_relaxed);
    }
    for (size_t i = 0; i < N_FATAL; i++) {
        if (!(fatal[i] == SIGBUS ? watches_any : catches_any)) {
            uninstall(i);
        }
    }
    pthread_mutex_unlock(&install_lock);
    for (int i = 0; i < WAIT_STEPS && atomic_load_explicit(&n_inside, memory_order_acquire) != 0;
         i++) {
        nanosleep(&step, NULL);
    }
}

void m31ri_crash_enter_thread(void)
{
    stack_t now;
    if (!atomic_load_explicit(&is_installed[0], memory_order_relaxed) || own_stack != NULL ||
        sigaltstack(NULL, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) {
        return;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *at =
        mmap(NULL, STACK_BYTES + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        return;
    }
    mprotect(at, page, PROT_NONE);
    const stack_t ours = {.ss_sp = at + page, .ss_size = STACK_BYTES};
    if (sigaltstack(&ours, NULL) == 0) {
        own_stack = at;
    } else {
        munmap(at, STACK_BYTES + page);
    }
}

void m31ri_crash_leave_thread(void)
{
    stack_t now;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (own_stack == NULL) {
        return;
    }
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == (char *)own_stack + page) {
        const stack_t none = {.ss_flags = SS_DISABLE};
        sigaltstack(&none, NULL);
    }
    munmap(own_stack, STACK_BYTES + page);
    own_stack = NULL;
}
