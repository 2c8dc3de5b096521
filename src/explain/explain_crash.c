/* explain_crash.c - what a program noted when a fatal signal ended it: signal, place, stack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain_int.h"
#include "format/json_text.h"

#define FRAMES_SAID 8

typedef struct taking {
    m31r_explanation *x;
    m31ri_crash_facts *f;
} taking;

static bool is_key(const m31r_field *field, const char *key)
{
    return field->key_length == strlen(key) && memcmp(field->key, key, field->key_length) == 0;
}

static void copy_field(char *out, size_t size, const m31r_field *field)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_json_unescape(&text, field->value, field->value_length);
    snprintf(out, size, "%s", m31ri_buf_str(&text));
    m31ri_buf_release(&text);
}

static bool take_field(void *context, const m31r_field *field)
{
    const taking *t = context;
    m31ri_crash_facts *f = t->f;
    if (field->type == 'n' && is_key(field, "pid")) {
        f->pid = strtoll(field->value, NULL, 10);
    } else if (field->type == 's' && is_key(field, "signal")) {
        copy_field(f->signal, sizeof f->signal, field);
    } else if (field->type == 's' && is_key(field, "code")) {
        copy_field(f->code, sizeof f->code, field);
    } else if (field->type == 's' && is_key(field, "address")) {
        copy_field(f->address, sizeof f->address, field);
    } else if (field->type == 's' && is_key(field, "thread")) {
        copy_field(f->thread, sizeof f->thread, field);
    } else if (field->type == 's' && is_key(field, "stack")) {
        m31ri_buf text = M31RI_BUF_INIT;
        m31ri_json_unescape(&text, field->value, field->value_length);
        f->stack = m31ri_kept_text(&t->x->kept, m31ri_buf_str(&text), text.length);
        m31ri_buf_release(&text);
    }
    return true;
}

static int64_t pid_of(const m31r_explanation *x, const char *key)
{
    return json_integer_value(m31ri_reader_get(x->reader, key));
}

bool m31ri_explain_is_cause(const m31r_explanation *x)
{
    const m31ri_crash_facts *f = &x->facts.crash;
    return f->place.file[0] != '\0' && f->pid != 0 &&
           (f->pid == pid_of(x, "program.pid") || f->pid == pid_of(x, "writer.pid"));
}

void m31ri_explain_take_crash(m31r_explanation *x, const m31r_record *r, m31ri_place place)
{
    if (m31ri_explain_is_cause(x)) {
        return; /* the others are children's */
    }
    m31ri_crash_facts f = {.place = place, .step = r->has_step ? r->step : M31R_UNKNOWN};
    taking t = {x, &f};
    m31r_record_each(r, take_field, &t);
    x->facts.crash = f;
}

/* The frames from the innermost on, a statement each. */
static void say_stack(m31r_explanation *x)
{
    const m31ri_crash_facts *f = &x->facts.crash;
    const char *at = f->stack != NULL ? f->stack : "";
    for (int i = 0; i < FRAMES_SAID && *at != '\0'; i++) {
        size_t length = strcspn(at, "\n");
        m31ri_explain_say(x, "stack", f->place, "%.*s", (int)length, at);
        at += length + (at[length] == '\n');
    }
    int n = *at != '\0';
    for (const char *c = at; *c != '\0'; c++) {
        n += *c == '\n';
    }
    if (n != 0) {
        m31ri_explain_say(x, "stack", f->place, "and %d more", n);
    }
}

void m31ri_explain_crash(m31r_explanation *x)
{
    const m31ri_crash_facts *f = &x->facts.crash;
    char step[64] = "";
    if (f->place.file[0] == '\0') {
        return;
    }
    if (f->step != M31R_UNKNOWN) {
        snprintf(step, sizeof step, ", step %lld", (long long)f->step);
    }
    m31ri_explain_say(x, "crash", f->place, "%s%s%s%s%s in thread %s of pid %lld%s", f->signal,
                      f->code[0] != '\0' ? " " : "", f->code, f->address[0] != '\0' ? " at " : "",
                      f->address, f->thread, (long long)f->pid, step);
    say_stack(x);
}
