/* log.h - structured, leveled records.
 *
 * A logger is a module's name bound to a lane; a record is a level, the module, a short event name
 * and key/value pairs. The message is a literal such as "step_complete": variable text goes into
 * fields. A logger is not a file: where records go is the run's business. A CRITICAL record means
 * that the program gives up: it is on disk before the call returns and the run's state becomes
 * `failed`.
 *
 * Invariants: emitting never fails visibly, never blocks for longer than the configured wait, and
 * never changes errno. What could not be kept is counted and recorded.
 *
 * An ERROR or CRITICAL record of a program carries the stack of the call in the field `stack`, one
 * frame a line, and the thread's last step; `observability: error_stack: false` turns that off. A
 * caller that has frames of its own, such as an interpreter, gives them as the string field
 * `stack`: then they are kept instead.
 *
 *     m31r_log *log = m31r_run_logger(run, "trainer");
 *     m31r_info(log, "step_complete", "step", step, "loss", loss);
 *     if (m31r_log_is_on(log, M31R_DEBUG)) {
 *         m31r_debug(log, "weights", "norm", expensive_norm());
 *     }
 *     m31r_error(log, "open_failed", "path", path, "error", m31r_errno(errno));
 *
 * Every function here may be called from any thread at once. None is signal-safe.
 */
#ifndef M31R_LOG_H
#define M31R_LOG_H

#include "m31r/hot.h"
#include "m31r/run.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum m31r_level {
    M31R_DEBUG = 10,
    M31R_INFO = 20,
    M31R_WARNING = 30,
    M31R_ERROR = 40,
    M31R_CRITICAL = 50
} m31r_level;

/* The logger of `module` ([a-zA-Z0-9_.-]{1,64}) on the run's main lane. The same name gives the
 * same logger.
 *
 * Returns: a logger, never NULL: on an inert run, NULL or a bad name it is one that does nothing.
 * Owns:    the run; freed by m31r_run_close().
 * Thread:  any.
 */
M31R_API m31r_log *m31r_run_logger(m31r_run *run, const char *module);

/* The logger of `module` on a lane of its own; see m31r_lane_open().
 *
 * Returns: a logger, never NULL.
 * Owns:    the run; freed by m31r_run_close().
 * Thread:  any.
 */
M31R_API m31r_log *m31r_lane_logger(m31r_lane *lane, const char *module);

/* Sets the lowest level that `log` keeps. It starts at `observability: level` of the config, else
 * INFO.
 *
 * Thread: any; other threads see it at their next call.
 */
M31R_API void m31r_log_set_level(m31r_log *log, m31r_level level);

/* Whether a record of `level` would be kept: one load and one branch.
 *
 * Returns: true when it would.
 * Thread: any.
 */
static inline bool m31r_log_is_on(const m31r_log *log, m31r_level level)
{
    return log != NULL && (int32_t)level >= log->level;
}

/* Emits the record of a call site. The macros below are the way to call it.
 *
 * Owns:   nothing; values are copied before it returns.
 * Thread: any. errno is kept.
 */
M31R_API void m31r_log_emit(m31r_log *log, m31r_site *site, const m31r_value *values);

/* Pairs known only at run time: `n` keys, which are strings, and `n` values; n <= 1024. */
typedef struct m31r_fields {
    const m31r_value *keys;
    const m31r_value *values;
    size_t n;
} m31r_fields;

/* Emits a record whose message or keys are known only at run time, for bindings and commands: the
 * macros are faster and checked by the compiler. A key that collides with a reserved one, or comes
 * twice, is renamed with a leading "ctx_" and the record gets `"renamed":n`. `fields` NULL: none.
 *
 * Returns: M31R_OK when the record was kept or is below the level.
 * Errors:  M31R_E_ARG, M31R_E_LIMIT, M31R_E_IO, M31R_E_CLOSED.
 * Owns:    nothing; everything is copied before it returns.
 * Thread:  any. errno is kept.
 */
M31R_API m31r_err m31r_log_write(m31r_log *log, m31r_level level, m31r_value message,
                                 const m31r_fields *fields);

/* Emits `step_complete` for `step` on the run's main lane with module "trainer", and each numeric
 * pair as a metric point: what m31r_step() expands to.
 *
 * Owns:   nothing; values are copied before it returns.
 * Thread: any. errno is kept.
 */
M31R_API void m31r_step_emit(m31r_run *run, int64_t step, m31r_site *site,
                             const m31r_value *values);

/* Name of a level in upper case.
 *
 * Returns: such as "INFO"; "?" for a number that is none.
 * Owns:   nothing; a constant string.
 * Thread: any.
 */
M31R_API const char *m31r_level_name(m31r_level level);

/* Level of a name, upper or lower case ("WARN" and "FATAL" are understood).
 *
 * Returns: the level; 0 when the name is none.
 * Thread: any.
 */
M31R_API m31r_level m31r_level_of(const char *name);

#ifndef __cplusplus
/* clang-format off */
#define M31R_LOG(log, lvl, ...) \
    do { \
        m31r_log *m31r_log_ = (log); \
        if (m31r_log_is_on(m31r_log_, (lvl))) { \
            M31R_EACH(M31R_CHECK_PAIR, __VA_ARGS__) \
            static const char *const m31r_keys_[] = { \
                M31R_EACH(M31R_KEY_OF_PAIR, __VA_ARGS__) NULL}; \
            static m31r_site m31r_site_ = {(lvl), sizeof m31r_keys_ / sizeof *m31r_keys_ - 1, \
                                           "" M31R_FIRST(__VA_ARGS__), m31r_keys_, __FILE__, \
                                           __LINE__, 0, M31R_NO_PASS}; \
            enum { m31r_n_ = sizeof m31r_keys_ / sizeof *m31r_keys_ - 1 }; \
            M31R_EACH(M31R_TAKE_PAIR, __VA_ARGS__) \
            const uint64_t m31r_text_ = M31R_EACH(M31R_TEXT_BYTES, __VA_ARGS__) 0u; \
            const uint64_t m31r_bytes_ = M31R_HOT_BYTES(m31r_n_, m31r_text_); \
            m31r_hot *const m31r_hot_ = m31r_hot_1; \
            char *const m31r_at_ = \
                (M31R_EACH(M31R_IS_TYPED, __VA_ARGS__) 1) \
                    ? m31r_hot_begin(m31r_hot_, m31r_log_, &m31r_site_, m31r_bytes_, m31r_text_) \
                    : NULL; \
            if (__builtin_expect(m31r_at_ != NULL, 1)) { \
                char *m31r_end_ = m31r_at_ + m31r_n_ * 8; \
                M31R_EACH(M31R_PUT_WORD, __VA_ARGS__) \
                M31R_EACH(M31R_PUT_TEXT, __VA_ARGS__) \
                (void)m31r_end_; \
                m31r_hot_end(m31r_hot_, m31r_bytes_); \
            } else { \
                m31r_value m31r_values_[m31r_n_ + 1]; \
                m31r_values_[m31r_n_] = (m31r_value){0, 0, {0}}; \
                M31R_EACH(M31R_KEEP_PAIR, __VA_ARGS__) \
                m31r_log_emit(m31r_log_, &m31r_site_, m31r_values_); \
            } \
        } \
    } while (0)

/* MSG, then up to 24 pairs of literal key and value. */
#define m31r_debug(log, ...) M31R_LOG(log, M31R_DEBUG, __VA_ARGS__)
#define m31r_info(log, ...) M31R_LOG(log, M31R_INFO, __VA_ARGS__)
#define m31r_warning(log, ...) M31R_LOG(log, M31R_WARNING, __VA_ARGS__)
#define m31r_error(log, ...) M31R_LOG(log, M31R_ERROR, __VA_ARGS__)
#define m31r_critical(log, ...) M31R_LOG(log, M31R_CRITICAL, __VA_ARGS__)

/* m31r_step(run, STEP, KEY, VALUE, ...): the record and the points in one call. */
#define m31r_step(run, ...) \
    do { \
        M31R_EACH(M31R_CHECK_PAIR, __VA_ARGS__) \
        static const char *const m31r_keys_[] = { \
                M31R_EACH(M31R_KEY_OF_PAIR, __VA_ARGS__) NULL}; \
        static m31r_site m31r_site_ = {M31R_INFO, sizeof m31r_keys_ / sizeof *m31r_keys_ - 1, \
                                       "step_complete", m31r_keys_, __FILE__, __LINE__, 0, \
                                       0}; \
        const m31r_value m31r_values_[] = { \
            M31R_EACH(M31R_VALUE_OF_PAIR, __VA_ARGS__) {0, 0, {0}}}; \
        m31r_step_emit((run), M31R_FIRST(__VA_ARGS__), &m31r_site_, m31r_values_); \
    } while (0)
/* clang-format on */
#endif /* !__cplusplus */

#ifdef __cplusplus
}
#endif
#endif
