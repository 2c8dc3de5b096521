/* explain_say.c - a statement with the file and line that it rests on. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explain/explain_int.h"
#include "base/alloc.h"

#define METADATA "metadata.json"

void m31ri_explain_say(m31r_explanation *x, const char *topic, m31ri_place place,
                       const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (x->n == x->capacity) {
        m31r_statement *grown = m31ri_realloc(x->statements, (x->capacity + 32) * sizeof *grown);
        if (grown == NULL) {
            x->kept.failed = true;
            return;
        }
        x->statements = grown;
        x->capacity += 32;
    }
    const char *file = place.file[0] != '\0' ? place.file : METADATA;
    x->statements[x->n++] = (m31r_statement){.topic = topic,
                                             .text = m31ri_kept_text(&x->kept, text, strlen(text)),
                                             .file = m31ri_kept_text(&x->kept, file, strlen(file)),
                                             .line = place.line,
                                             .last_line = place.line};
}

m31ri_place m31ri_explain_metadata_at(const m31r_reader *reader, const char *key)
{
    m31ri_place place = {.file = METADATA, .line = 0};
    char wanted[64];
    const char *text = reader->facts.metadata;
    snprintf(wanted, sizeof wanted, "\n  \"%s\":", key);
    const char *found = strstr(text, wanted);
    for (const char *at = text; found != NULL && at <= found; at++) {
        place.line += *at == '\n';
    }
    place.line += found != NULL;
    return place;
}
