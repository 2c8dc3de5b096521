/* verify_add.c - what every part of a verification shares: a check added, a text kept. */
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "verify/verify_int.h"

static const char *keep(m31r_verification *v, char *text)
{
    if (text != NULL && v->n_owned == v->owned_capacity) {
        size_t capacity = v->owned_capacity * 2 + 32;
        char **grown = m31ri_realloc(v->owned, capacity * sizeof *grown);
        if (grown == NULL) {
            m31ri_free(text);
            text = NULL;
        } else {
            v->owned = grown;
            v->owned_capacity = capacity;
        }
    }
    if (text == NULL) {
        v->is_out_of_memory = true;
        return "";
    }
    v->owned[v->n_owned++] = text;
    return text;
}

const char *m31ri_verify_text(m31r_verification *v, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return keep(v, m31ri_strdup(text));
}

void m31ri_verify_add(m31r_verification *v, const char *const statement[2], m31r_answer answer,
                      m31ri_check_place place, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (v->n_checks == v->capacity) {
        m31r_check *grown = m31ri_realloc(v->checks, (v->capacity + 32) * sizeof *grown);
        if (grown == NULL) {
            v->is_out_of_memory = true;
            return;
        }
        v->checks = grown;
        v->capacity += 32;
    }
    bool is_placed = answer == M31R_NO;
    v->checks[v->n_checks++] = (m31r_check){.id = statement[0],
                                            .what = statement[1],
                                            .answer = answer,
                                            .why = keep(v, m31ri_strdup(text)),
                                            .path = is_placed ? place.path : "",
                                            .line = is_placed ? place.line : 0,
                                            .byte = is_placed ? place.byte : 0,
                                            .has_byte = is_placed && place.has_byte,
                                            .breaks = place.breaks};
}

bool m31ri_verify_is_ended(const m31r_verification *v)
{
    const m31r_facts *f = &v->reader->facts;
    return f->end[0] != '\0' && f->state >= M31R_STATE_FINISHED && f->state <= M31R_STATE_CRASHED;
}
