/* notice.c - what a process tells its run's owner, cleaned: notices hold paths, causes, units and
 * names that come from the program, and become metadata.json as they are.
 *
 * Every notice passes here, so there is one place where text that is no record meets the rules.
 * What the rules took out in this process is told the same way, as what is new since it was told
 * last: the owner adds it up, whoever wrote and whoever died.
 */
#include <errno.h>

#include "emit/state.h"
#include "store/notices.h"
#include "store/reserve.h"

#define NOTICE_BYTES 4096 /* room for one, and for the block that it begins */

static json_t *cleaned(const m31ri_privacy *p, json_t *value);

static void clean_members(const m31ri_privacy *p, json_t *object)
{
    const char *key;
    void *next;
    json_t *member;
    json_object_foreach_safe(object, next, key, member)
    {
        json_t *clean = cleaned(p, member);
        if (clean != NULL) {
            json_object_set_new(object, key, clean);
        }
    }
}

static void clean_elements(const m31ri_privacy *p, json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *clean = cleaned(p, json_array_get(list, i));
        if (clean != NULL) {
            json_array_set_new(list, i, clean);
        }
    }
}

/* What is to stand for a string; NULL: it stays. Objects and lists are cleaned in place. */
static json_t *cleaned(const m31ri_privacy *p, json_t *value)
{
    if (json_is_object(value)) {
        clean_members(p, value);
    } else if (json_is_array(value)) {
        clean_elements(p, value);
    }
    if (!json_is_string(value)) {
        return NULL;
    }
    const m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
    m31ri_buf text = M31RI_BUF_INIT;
    json_t *clean = NULL;
    if (m31ri_privacy_clean(p, none, json_string_value(value), json_string_length(value), &text) !=
        0) {
        clean = m31ri_buf_ok(&text) ? json_stringn(m31ri_buf_str(&text), text.length) : NULL;
        clean = clean != NULL ? clean : json_null(); /* no memory: then nothing of it */
    }
    m31ri_buf_release(&text);
    return clean;
}

/* On a full disk a notice, which may be the only word about a loss, goes where ERROR records go. */
void m31ri_notice(m31r_run *run, json_t *notice)
{
    m31r_error e = {0};
    if (notice == NULL) {
        return;
    }
    cleaned(run->privacy, notice);
    if (m31ri_notice_add(&run->dir, json_incref(notice), &e) != M31R_OK &&
        (e.sys_errno == ENOSPC || e.sys_errno == EDQUOT) &&
        m31ri_reserve_give(&run->dir, NOTICE_BYTES)) {
        m31ri_notice_add(&run->dir, json_incref(notice), NULL);
    }
    json_decref(notice);
}

void m31ri_tell_redactions(m31r_run *run)
{
    json_t *notice = m31ri_redactions_notice(run->privacy);
    if (notice == NULL) {
        return;
    }
    if (m31ri_notice_add(&run->dir, json_incref(notice), NULL) != M31R_OK &&
        run->role == M31RI_ROLE_OWNER) { /* at the end, when no notice is taken any more */
        m31ri_metadata_fold(&run->metadata, notice);
    }
    json_decref(notice);
}
