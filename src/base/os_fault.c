/* os_fault.c - registers of the processors that are known here, and what Linux says of faults. */
#include "base/os_fault.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

uintptr_t m31ri_fault_pc(const void *context)
{
    const ucontext_t *c = context;
#if defined(__x86_64__)
    return (uintptr_t)c->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)c->uc_mcontext.pc;
#else
    (void)c;
    return 0;
#endif
}

bool m31ri_fault_return(void *context)
{
    ucontext_t *c = context;
#if defined(__x86_64__)
    greg_t *r = c->uc_mcontext.gregs;
    uint64_t to = *(const volatile uint64_t *)(uintptr_t)r[REG_RSP];
    r[REG_RIP] = (greg_t)(to - 1); /* in the call */
    r[REG_RSP] += 8;
    return true;
#elif defined(__aarch64__)
    c->uc_mcontext.pc = c->uc_mcontext.regs[30] - 1;
    return true;
#else
    (void)c;
    return false;
#endif
}

void m31ri_fault_save(const void *context, m31ri_fault_state *out)
{
    const ucontext_t *c = context;
#if defined(__x86_64__)
    *out = (m31ri_fault_state){(uint64_t)c->uc_mcontext.gregs[REG_RIP],
                               (uint64_t)c->uc_mcontext.gregs[REG_RSP]};
#elif defined(__aarch64__)
    *out = (m31ri_fault_state){c->uc_mcontext.pc, c->uc_mcontext.sp};
#else
    (void)c;
    *out = (m31ri_fault_state){0, 0};
#endif
}

void m31ri_fault_restore(void *context, const m31ri_fault_state *before)
{
    ucontext_t *c = context;
#if defined(__x86_64__)
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)before->pc;
    c->uc_mcontext.gregs[REG_RSP] = (greg_t)before->sp;
#elif defined(__aarch64__)
    c->uc_mcontext.pc = before->pc;
    c->uc_mcontext.sp = before->sp;
#else
    (void)c;
    (void)before;
#endif
}

uint32_t m31ri_fault_thread(char name[16])
{
    memset(name, 0, 16);
    prctl(PR_GET_NAME, name, 0, 0, 0);
    return (uint32_t)syscall(SYS_gettid);
}

void m31ri_fault_raise(int number, void *info)
{
    long self = syscall(SYS_gettid);
    if (syscall(SYS_rt_tgsigqueueinfo, getpid(), self, number, info) != 0) {
        syscall(SYS_tgkill, getpid(), self, number);
    }
}

typedef struct code_name {
    int number, code;
    const char *name;
} code_name;

const char *m31ri_fault_code(int number, int code)
{
    static const code_name names[] = {
        {SIGSEGV, SEGV_MAPERR, "SEGV_MAPERR"}, {SIGSEGV, SEGV_ACCERR, "SEGV_ACCERR"},
        {SIGBUS, BUS_ADRALN, "BUS_ADRALN"},    {SIGBUS, BUS_ADRERR, "BUS_ADRERR"},
        {SIGBUS, BUS_OBJERR, "BUS_OBJERR"},    {SIGFPE, FPE_INTDIV, "FPE_INTDIV"},
        {SIGFPE, FPE_INTOVF, "FPE_INTOVF"},    {SIGFPE, FPE_FLTDIV, "FPE_FLTDIV"},
        {SIGFPE, FPE_FLTOVF, "FPE_FLTOVF"},    {SIGFPE, FPE_FLTUND, "FPE_FLTUND"},
        {SIGFPE, FPE_FLTRES, "FPE_FLTRES"},    {SIGFPE, FPE_FLTINV, "FPE_FLTINV"},
        {SIGFPE, FPE_FLTSUB, "FPE_FLTSUB"},    {SIGILL, ILL_ILLOPC, "ILL_ILLOPC"},
        {SIGILL, ILL_ILLOPN, "ILL_ILLOPN"},    {SIGILL, ILL_ILLADR, "ILL_ILLADR"},
        {SIGILL, ILL_ILLTRP, "ILL_ILLTRP"},    {SIGILL, ILL_PRVOPC, "ILL_PRVOPC"},
    };
    static const code_name any[] = {
        {0, SI_USER, "SI_USER"}, {0, SI_QUEUE, "SI_QUEUE"}, {0, SI_TKILL, "SI_TKILL"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].number == number && names[i].code == code) {
            return names[i].name;
        }
    }
    for (size_t i = 0; i < sizeof any / sizeof *any; i++) {
        if (any[i].code == code) {
            return any[i].name;
        }
    }
    return code == 0x80 ? "SI_KERNEL" : "";
}
