/* A library that a program loads when it runs already; for run_cases_crash.py. */
typedef struct m31r_log m31r_log;

void plugin_calls_back(void (*f)(m31r_log *), m31r_log *log);

__attribute__((visibility("default"), noinline)) void plugin_calls_back(void (*f)(m31r_log *),
                                                                        m31r_log *log)
{
    f(log);
    __asm__ volatile("");
}
