/* logger.c - loggers and the calls that make records of a module. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os_errno.h"
#include "emit/state.h"
#include "m31r/log.h"
#include "m31r/metric.h"

#define MAX_SITE_KEYS 24 /* what the macros allow */

/* Flat switch: one line a level. */
const char *m31r_level_name(m31r_level level)
{
    switch (level) {
    case M31R_DEBUG:
        return "DEBUG";
    case M31R_INFO:
        return "INFO";
    case M31R_WARNING:
        return "WARNING";
    case M31R_ERROR:
        return "ERROR";
    case M31R_CRITICAL:
        return "CRITICAL";
    }
    return "?";
}

static bool equals_ignoring_case(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char upper = *a >= 'a' && *a <= 'z' ? (char)(*a - 32) : *a;
        if (upper != *b) {
            return false;
        }
    }
    return *a == *b;
}

m31r_level m31r_level_of(const char *name)
{
    static const struct {
        const char *name;
        m31r_level level;
    } levels[] = {{"DEBUG", M31R_DEBUG},   {"INFO", M31R_INFO},   {"WARNING", M31R_WARNING},
                  {"WARN", M31R_WARNING},  {"ERROR", M31R_ERROR}, {"CRITICAL", M31R_CRITICAL},
                  {"FATAL", M31R_CRITICAL}};
    for (size_t i = 0; name != NULL && i < sizeof levels / sizeof *levels; i++) {
        if (equals_ignoring_case(name, levels[i].name)) {
            return levels[i].level;
        }
    }
    return (m31r_level)0;
}

m31r_value m31r_errno(int number)
{
    return m31r_of_string(m31ri_errno_text(number));
}

static m31ri_logger *find_logger(m31r_run *run, const m31r_lane *lane, const char *module)
{
    for (m31ri_logger *l = run->loggers; l != NULL; l = l->next) {
        if (l->lane == lane && strcmp(l->module, module) == 0) {
            return l;
        }
    }
    return NULL;
}

static m31ri_logger *new_logger(m31r_run *run, m31r_lane *lane, const char *module)
{
    m31ri_logger *l = m31ri_calloc(1, sizeof *l);
    if (l != NULL) {
        l->public_part.level = run->settings->level;
        l->lane = lane;
        snprintf(l->module, sizeof l->module, "%s", module);
        l->next = run->loggers;
        run->loggers = l;
    }
    return l;
}

m31r_log *m31r_lane_logger(m31r_lane *lane, const char *module)
{
    if (lane == NULL || !m31ri_run_enter(lane->run)) {
        return &m31ri_inert_run()->nowhere.public_part;
    }
    m31r_run *run = lane->run;
    if (module == NULL || !m31ri_module_name_is_valid(module, strlen(module))) {
        return &run->nowhere.public_part;
    }
    pthread_mutex_lock(&run->lock);
    m31ri_logger *l = find_logger(run, lane, module);
    if (l == NULL) {
        l = new_logger(run, lane, module);
        if (l != NULL && run->rings != NULL) {
            m31ri_rings_add_logger(run->rings, &l->public_part);
        }
    }
    pthread_mutex_unlock(&run->lock);
    return l != NULL ? &l->public_part : &run->nowhere.public_part;
}

m31r_log *m31r_run_logger(m31r_run *run, const char *module)
{
    if (!m31ri_run_enter(run) || run->main_lane == NULL) {
        return &m31ri_inert_run()->nowhere.public_part;
    }
    return m31r_lane_logger(run->main_lane, module);
}

void m31r_log_set_level(m31r_log *log, m31r_level level)
{
    if (log != NULL && log->level != INT32_MAX) {
        __atomic_store_n(&log->level, (int32_t)level, __ATOMIC_RELAXED);
    }
}

static void note_critical(m31r_run *run, const char *module)
{
    m31ri_notice(run, json_pack("{s:s, s:s}", "kind", "critical", "module", module));
}

/* The stack of whoever called the function that returns to `from`; false when the record needs
 * none. */
static bool take_stack(const m31r_run *run, m31r_level level, const m31r_fields *f,
                       const void *from, m31ri_stack *out)
{
    if (level < M31R_ERROR || !run->takes_stacks) {
        return false;
    }
    for (size_t i = 0; i < f->n; i++) {
        const m31r_value *key = &f->keys[i];
        if (key->type == M31R_T_STRING && key->length == 5 && memcmp(key->as.s, "stack", 5) == 0) {
            return false; /* the caller's own */
        }
    }
    out->n = m31ri_stack_walk(from, out->addresses, M31RI_STACK_FRAMES);
    return out->n != 0;
}

static m31r_err write_record(m31r_log *log, m31r_level level, m31r_value message,
                             const m31r_fields *f, const void *from)
{
    m31ri_logger *l = (m31ri_logger *)log;
    m31r_run *run = l->lane->run;
    m31ri_stack stack;
    if (!m31ri_run_enter(run)) {
        return M31R_E_CLOSED;
    }
    int saved = errno;
    bool has_stack = take_stack(run, level, f, from, &stack);
    errno = saved;
    m31r_err err =
        m31ri_lane_write_at(l->lane, level, l->module, message, f, has_stack ? &stack : NULL);
    if (level == M31R_CRITICAL) {
        note_critical(run, l->module);
    }
    if (run->rings == NULL) {
        m31ri_owner_pace(run);
    }
    return err;
}

static m31r_value key_value(const char *key)
{
    return m31r_text(key, strlen(key));
}

m31r_err m31r_log_write(m31r_log *log, m31r_level level, m31r_value message,
                        const m31r_fields *fields)
{
    static const m31r_fields none = {NULL, NULL, 0};
    const m31r_fields *f = fields != NULL ? fields : &none;
    if (log == NULL || log->level == INT32_MAX) {
        return M31R_E_CLOSED;
    }
    if (!m31r_log_is_on(log, level)) {
        return M31R_OK;
    }
    return write_record(log, level, message, f, __builtin_return_address(0));
}

static bool emit_severe(m31ri_rings *rings, m31r_log *log, m31r_site *site,
                        const m31r_value *values, const void *from)
{
    int saved = errno;
    const m31ri_logger *l = (const m31ri_logger *)log;
    bool is_put = m31ri_rings_emit_severe(rings, log, site, values, from);
    if (is_put && site->level >= M31R_CRITICAL) {
        note_critical(l->lane->run, l->module);
    }
    errno = saved;
    return is_put;
}

static void emit_slowly(m31r_log *log, const m31r_site *site, const m31r_value *values,
                        const void *from)
{
    m31r_value keys[MAX_SITE_KEYS];
    uint32_t n = site->n_keys <= MAX_SITE_KEYS ? site->n_keys : MAX_SITE_KEYS;
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = key_value(site->keys[i]);
    }
    const m31r_fields fields = {keys, values, n};
    if (log->level != INT32_MAX && m31r_log_is_on(log, (m31r_level)site->level)) {
        write_record(log, (m31r_level)site->level, key_value(site->message), &fields, from);
    }
}

void m31r_log_emit(m31r_log *log, m31r_site *site, const m31r_value *values)
{
    m31ri_rings *rings = __atomic_load_n(&((m31ri_logger *)log)->rings, __ATOMIC_RELAXED);
    if (__builtin_expect(rings != NULL, 1) && m31ri_rings_emit(rings, log, site, values)) {
        return;
    }
    const void *from = __builtin_return_address(0);
    if (rings != NULL && site->level >= M31R_ERROR && emit_severe(rings, log, site, values, from)) {
        return;
    }
    emit_slowly(log, site, values, from);
}

/* The record carries the step first, then the pairs; the points are the numeric pairs. */
void m31r_step_emit(m31r_run *run, int64_t step, m31r_site *site, const m31r_value *values)
{
    m31r_value keys[MAX_SITE_KEYS + 1];
    m31r_value all[MAX_SITE_KEYS + 1];
    if (run != NULL && run->rings != NULL && m31r_log_is_on(run->step_logger, M31R_INFO) &&
        m31ri_rings_step(run->rings, run->step_logger, step, site, values)) {
        return;
    }
    if (!m31ri_run_enter(run)) {
        return;
    }
    uint32_t n = site->n_keys <= MAX_SITE_KEYS ? site->n_keys : MAX_SITE_KEYS;
    keys[0] = key_value("step");
    all[0] = m31r_of_int(step);
    for (uint32_t i = 0; i < n; i++) {
        keys[i + 1] = key_value(site->keys[i]);
        all[i + 1] = values[i];
    }
    m31r_log *log = m31r_run_logger(run, "trainer");
    const m31r_fields fields = {keys, all, n + 1};
    m31r_log_write(log, M31R_INFO, key_value(site->message), &fields);
    m31ri_points_add(run, site->keys, values, n, step >= 0 ? step : M31R_NO_STEP);
}
