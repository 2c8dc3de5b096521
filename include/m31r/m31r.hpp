/* m31r.hpp - the same calls for C++17, as templates in namespace m31r.
 *
 * The C macros are for C: here a pair's value is converted by overload, and a type that has no form
 * in a record does not compile. Keys are string literals, checked at run time for what C checks at
 * compile time (a reserved key is renamed).
 *
 *     #include <m31r/m31r.hpp>
 *
 *     m31r_run *run = m31r_run_here("train.yaml");
 *     m31r_log *log = m31r_run_logger(run, "trainer");
 *     m31r::info(log, "step_complete", "step", step, "loss", loss);
 *     m31r::step(run, i, "loss", loss, "lr", lr);
 *
 * The typed calls of stage.h are macros in C++ too, checked by types of their own:
 *
 *     m31r_train_step(run, .step = i, .loss = loss, .lr = lr, .grad_norm = norm, .tokens = n);
 */
#ifndef M31R_M31R_HPP
#define M31R_M31R_HPP

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "m31r/m31r.h"

namespace m31r {

template <typename T> m31r_value of(const T &x)
{
    if constexpr (std::is_same_v<T, bool>) {
        return m31r_of_bool(x);
    } else if constexpr (std::is_same_v<T, m31r_value>) {
        return x;
    } else if constexpr (std::is_enum_v<T>) {
        return m31r_of_int(static_cast<int64_t>(x));
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
        return m31r_of_int(x);
    } else if constexpr (std::is_integral_v<T>) {
        return m31r_of_uint(x);
    } else if constexpr (std::is_same_v<T, float>) {
        return m31r_of_float(x);
    } else if constexpr (std::is_same_v<T, double>) {
        return m31r_of_double(x);
    } else if constexpr (std::is_convertible_v<const T &, const char *>) {
        return m31r_of_string(x);
    } else {
        static_assert(std::is_convertible_v<const T &, std::string_view>,
                      "this type has no form in a record");
        std::string_view text = x;
        return m31r_text(text.data(), text.size());
    }
}

/* Emits a record; `pairs` alternate literal key and value. Thread: any. */
template <typename... Pairs>
void log(m31r_log *logger, m31r_level level, const char *message, const Pairs &...pairs)
{
    static_assert(sizeof...(pairs) % 2 == 0, "keys and values come in pairs");
    if (!m31r_log_is_on(logger, level)) {
        return;
    }
    const m31r_value all[] = {of(pairs)..., m31r_value{}};
    m31r_value keys[sizeof...(pairs) / 2 + 1];
    m31r_value values[sizeof...(pairs) / 2 + 1];
    for (std::size_t i = 0; i < sizeof...(pairs) / 2; i++) {
        keys[i] = all[2 * i];
        values[i] = all[2 * i + 1];
    }
    const m31r_fields fields = {keys, values, sizeof...(pairs) / 2};
    m31r_log_write(logger, level, m31r_of_string(message), &fields);
}

template <typename... Pairs>
void debug(m31r_log *logger, const char *message, const Pairs &...pairs)
{
    log(logger, M31R_DEBUG, message, pairs...);
}

template <typename... Pairs> void info(m31r_log *logger, const char *message, const Pairs &...pairs)
{
    log(logger, M31R_INFO, message, pairs...);
}

template <typename... Pairs>
void warning(m31r_log *logger, const char *message, const Pairs &...pairs)
{
    log(logger, M31R_WARNING, message, pairs...);
}

template <typename... Pairs>
void error(m31r_log *logger, const char *message, const Pairs &...pairs)
{
    log(logger, M31R_ERROR, message, pairs...);
}

template <typename... Pairs>
void critical(m31r_log *logger, const char *message, const Pairs &...pairs)
{
    log(logger, M31R_CRITICAL, message, pairs...);
}

/* The record and the points in one call, as m31r_step() in C; at most 24 pairs. Thread: any. */
template <typename... Pairs> void step(m31r_run *run, int64_t number, const Pairs &...pairs)
{
    static_assert(sizeof...(pairs) % 2 == 0, "keys and values come in pairs");
    static_assert(sizeof...(pairs) <= 48, "at most 24 pairs");
    const m31r_value all[] = {of(pairs)..., m31r_value{}};
    const char *keys[sizeof...(pairs) / 2 + 1];
    m31r_value values[sizeof...(pairs) / 2 + 1];
    for (std::size_t i = 0; i < sizeof...(pairs) / 2; i++) {
        keys[i] = all[2 * i].as.s;
        values[i] = all[2 * i + 1];
    }
    m31r_site site = {M31R_INFO, sizeof...(pairs) / 2, "step_complete", keys, "", 0, 0, 0};
    m31r_step_emit(run, number, &site, values);
}

} /* namespace m31r */

#endif
