/* stage_find.c - looking things up in the tables of the stages. They are small: a walk will do. */
#include <string.h>

#include "format/stage_table.h"

const m31ri_stage *m31ri_stage_find(const char *name)
{
    for (size_t i = 0; i < M31RI_STAGES; i++) {
        if (strcmp(m31ri_stages[i].name, name) == 0) {
            return &m31ri_stages[i];
        }
    }
    return NULL;
}

const m31ri_stage_message *m31ri_stage_message_find(const m31ri_stage *stage, const char *name,
                                                    size_t length)
{
    for (size_t i = 0; i < stage->n_messages; i++) {
        const char *known = stage->messages[i].name;
        if (strlen(known) == length && memcmp(known, name, length) == 0) {
            return &stage->messages[i];
        }
    }
    return NULL;
}

static const m31ri_stage_message *find_call(const m31ri_stage *stage, uint32_t call)
{
    for (size_t i = 0; i < stage->n_messages && call != 0; i++) {
        if (stage->messages[i].call == call) {
            return &stage->messages[i];
        }
    }
    return NULL;
}

const m31ri_stage *m31ri_stage_of_call(uint32_t call)
{
    for (size_t i = 0; i < M31RI_STAGES; i++) {
        if (find_call(&m31ri_stages[i], call) != NULL) {
            return &m31ri_stages[i];
        }
    }
    return NULL;
}

const m31ri_stage_message *m31ri_stage_message_of_call(uint32_t call)
{
    const m31ri_stage *stage = m31ri_stage_of_call(call);
    return stage != NULL ? find_call(stage, call) : NULL;
}

static bool measures(const m31ri_stage_message *m, const char *name, size_t length)
{
    for (size_t i = 0; i < m->n_fields; i++) {
        const m31ri_stage_field *f = &m->fields[i];
        if ((f->flags & M31RI_FIELD_MEASURED) != 0 && strlen(f->key) == length &&
            memcmp(f->key, name, length) == 0) {
            return true;
        }
    }
    return false;
}

bool m31ri_stage_measures(const char *name, size_t length)
{
    for (size_t i = 0; i < M31RI_STAGES; i++) {
        for (size_t k = 0; k < m31ri_stages[i].n_messages; k++) {
            if (measures(&m31ri_stages[i].messages[k], name, length)) {
                return true;
            }
        }
    }
    return false;
}
