/* privacy.c - the rules as an object, and a text with what was found replaced.
 *
 * A value under a key that names what it holds is replaced whole; any other is searched (search.c)
 * and copied with markers in place of the matches. What is found is counted by kind and rule,
 * behind a lock: most values hold nothing and never come to it.
 */
#include "rules/privacy.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/rule_pattern.h"
#include "rules/places.h"
#include "rules/value_key.h"

struct m31ri_tally {
    pthread_mutex_t lock;
    m31ri_privacy_count rows[M31RI_PRIVACY_COUNTS];
    uint64_t taken[M31RI_PRIVACY_COUNTS]; /* of each row, so many were said */
    size_t n;
};

struct m31ri_privacy {
    m31ri_rule_index *index;
    m31ri_pattern_rules own; /* the caller's */
    m31ri_rule home_rule;
    bool allow_prompts;
    char **deny;
    size_t n_deny;
    char *home;
    m31ri_key_tails tails, text_tails;
    struct m31ri_tally *tally;
    m31ri_value_key key;
};

static bool copy_deny_keys(m31ri_privacy *p, const m31ri_privacy_options *o)
{
    p->deny = m31ri_calloc(o->n_deny_keys + 1, sizeof *p->deny);
    for (size_t i = 0; p->deny != NULL && i < o->n_deny_keys; i++) {
        char folded[256];
        if (m31ri_key_fold(o->deny_keys[i], strlen(o->deny_keys[i]), folded, sizeof folded) == 0) {
            continue;
        }
        p->deny[p->n_deny] = m31ri_strdup(folded);
        if (p->deny[p->n_deny] == NULL) {
            return false;
        }
        p->n_deny++;
        m31ri_key_tails_add(&p->text_tails, o->deny_keys[i]);
    }
    return p->deny != NULL;
}

static bool copy_home(m31ri_privacy *p, const char *home)
{
    p->home = m31ri_strdup(home);
    if (p->home != NULL) {
        p->home_rule =
            (m31ri_rule){.literal = p->home, .kind = "home", .handler = m31ri_match_own_home};
        (void)m31ri_rule_index_add(p->index, &p->home_rule);
    }
    return p->home != NULL;
}

static bool copy_options(m31ri_privacy *p, const m31ri_privacy_options *o)
{
    p->allow_prompts = o->allow_prompts;
    if (o->home != NULL && strlen(o->home) > 2 && !copy_home(p, o->home)) {
        return false;
    }
    if (o->n_deny_keys != 0 && !copy_deny_keys(p, o)) {
        return false;
    }
    return m31ri_pattern_rules_add(&p->own, o->patterns, o->n_patterns, p->index);
}

m31ri_privacy *m31ri_privacy_new(const m31ri_privacy_options *o)
{
    m31ri_privacy *p = m31ri_calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    p->index = m31ri_rule_index_new();
    p->tally = m31ri_calloc(1, sizeof *p->tally);
    if (p->tally != NULL) {
        pthread_mutex_init(&p->tally->lock, NULL);
    }
    m31ri_key_tails_fill(&p->tails, false);
    m31ri_key_tails_fill(&p->text_tails, true);
    if (p->index == NULL || p->tally == NULL || (o != NULL && !copy_options(p, o))) {
        m31ri_privacy_free(p);
        return NULL;
    }
    return p;
}

void m31ri_privacy_free(m31ri_privacy *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->n_deny; i++) {
        m31ri_free(p->deny[i]);
    }
    if (p->tally != NULL) {
        pthread_mutex_destroy(&p->tally->lock);
    }
    m31ri_free(p->tally);
    m31ri_pattern_rules_release(&p->own);
    m31ri_free(p->index);
    m31ri_free(p->deny);
    m31ri_free(p->home);
    explicit_bzero(&p->key, sizeof p->key);
    m31ri_free(p);
}

m31ri_value_key *m31ri_privacy_value_key(m31ri_privacy *p)
{
    return &p->key;
}

bool m31ri_privacy_denies(const m31ri_privacy *p, const char *key, size_t length)
{
    if (p == NULL || p->n_deny == 0) {
        return false;
    }
    char folded[256];
    m31ri_key_fold(key, length, folded, sizeof folded);
    for (size_t i = 0; i < p->n_deny; i++) {
        if (strcmp(folded, p->deny[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool m31ri_privacy_keeps_prompts(const m31ri_privacy *p)
{
    return p != NULL && p->allow_prompts;
}

m31ri_privacy *m31ri_privacy_copy_with_prompts(const m31ri_privacy *p)
{
    m31ri_privacy *copy = m31ri_alloc(sizeof *copy);
    if (copy != NULL) {
        *copy = *p;
        copy->allow_prompts = true;
    }
    return copy;
}

const m31ri_key_tails *m31ri_privacy_tails(const m31ri_privacy *p, bool in_text)
{
    return in_text ? &p->text_tails : &p->tails;
}

m31ri_key_verdict m31ri_privacy_judge(const m31ri_privacy *p, const char *key, size_t length)
{
    return key == NULL || length == 0 ? (m31ri_key_verdict){M31RI_KEY_NONE, NULL}
                                      : m31ri_key_judge(p, key, length, false);
}

const char *m31ri_privacy_key_kind(const m31ri_privacy *p, const char *key, size_t length)
{
    m31ri_key_verdict v = m31ri_privacy_judge(p, key, length);
    bool token_word = v.class == M31RI_KEY_WEAK && strcmp(v.kind, "session") == 0;
    return v.class == M31RI_KEY_SHAPED || v.class == M31RI_KEY_NONE || token_word ? NULL : v.kind;
}

static void count_one(const m31ri_privacy *p, const char *kind, const char *rule)
{
    struct m31ri_tally *t = p->tally;
    pthread_mutex_lock(&t->lock);
    size_t i = 0;
    while (i < t->n && (strcmp(t->rows[i].kind, kind) != 0 || strcmp(t->rows[i].rule, rule) != 0)) {
        i++;
    }
    if (i == t->n && t->n < M31RI_PRIVACY_COUNTS) {
        t->rows[t->n++] = (m31ri_privacy_count){.kind = kind, .rule = rule};
    }
    if (i < t->n) {
        t->rows[i].n++;
    }
    pthread_mutex_unlock(&t->lock);
}

void m31ri_privacy_count_key(const m31ri_privacy *p, const char *kind)
{
    count_one(p, kind, "key");
}

size_t m31ri_privacy_counts(const m31ri_privacy *p, m31ri_privacy_count *out)
{
    pthread_mutex_lock(&p->tally->lock);
    size_t n = p->tally->n;
    memcpy(out, p->tally->rows, n * sizeof *out);
    pthread_mutex_unlock(&p->tally->lock);
    return n;
}

size_t m31ri_privacy_take_counts(const m31ri_privacy *p, m31ri_privacy_count *out)
{
    struct m31ri_tally *t = p->tally;
    size_t n = 0;
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->n; i++) {
        if (t->rows[i].n != t->taken[i]) {
            out[n] = t->rows[i];
            out[n++].n -= t->taken[i];
            t->taken[i] = t->rows[i].n;
        }
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

void m31ri_privacy_after_fork(const m31ri_privacy *p)
{
    struct m31ri_tally *t = p->tally;
    pthread_mutex_init(&t->lock, NULL); /* a thread that is not here may have held it */
    for (size_t i = 0; i < t->n; i++) {
        t->taken[i] = t->rows[i].n;
    }
}

void m31ri_privacy_add_marker(const m31ri_privacy *p, const char *kind, m31ri_text_view value,
                              m31ri_buf *out)
{
    m31ri_buf_add_str(out, "[redacted:");
    m31ri_buf_add_str(out, kind);
    if (p->key.is_set) {
        uint8_t mac[M31RI_HMAC_BYTES];
        m31ri_hmac_of(p->key.bytes, value.s, value.n, mac);
        m31ri_buf_add_format(out, ":%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3]);
    }
    m31ri_buf_add_char(out, ']');
}

/* False when no rule can begin anywhere in the text, which is what most strings are; `*first`:
 * where in its first block one may. */
static inline bool has_any(const m31ri_privacy *p, m31ri_text_view text, uint64_t *first)
{
    if (text.n < M31RI_SHORTEST) {
        return false;
    }
    *first = p->index->places(p->index, text, 0);
    return *first != 0 || text.n > M31RI_BLOCK;
}

static void note(const m31ri_privacy *p, const m31ri_match *m, m31ri_teller teller)
{
    const char *rule = m->rule != NULL ? m->rule : "key";
    count_one(p, m->kind, rule);
    if (teller.tell != NULL) {
        teller.tell(teller.context, m->kind, rule, m->start);
    }
}

/* Replaces what is found from `first` on. Appends nothing when nothing is found. */
static uint32_t clean_text(const m31ri_privacy *p, m31ri_text_view text, uint64_t first,
                           m31ri_buf *out, m31ri_teller teller)
{
    m31ri_subject t = {.p = p, .index = p->index, .s = text.s, .n = text.n, .first = first};
    uint32_t n = 0;
    size_t at = 0;
    m31ri_match m;
    while (m31ri_search_next(&t, &at, &m)) {
        m31ri_buf_add(out, text.s + t.floor, m.start - t.floor);
        if (m.instead != NULL) {
            m31ri_buf_add_str(out, m.instead);
        } else {
            m31ri_text_view found = {text.s + m.start, m.end - m.start};
            m31ri_privacy_add_marker(p, m.kind, found, out);
        }
        note(p, &m, teller);
        n++;
        t.floor = m.end;
    }
    if (n != 0) {
        m31ri_buf_add(out, text.s + t.floor, text.n - t.floor);
    }
    return n;
}

static bool is_one_ascii_word(const char *s, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (s[i] <= ' ' || (unsigned char)s[i] >= 0x7F) {
            return false;
        }
    }
    return true;
}

/* True when the key alone, or the key with this value, takes the value out whole. */
static bool takes_all(m31ri_key_verdict v, const char *text, size_t length)
{
    switch (v.class) {
    case M31RI_KEY_NONE:
        return false;
    case M31RI_KEY_SHAPED:
        return m31ri_shape_fits(v.kind, text, length);
    case M31RI_KEY_WEAK: /* a piece of text: no token holds a blank or a letter beyond ASCII */
        return strcmp(v.kind, "token") != 0 || is_one_ascii_word(text, length);
    case M31RI_KEY_PROMPT:
        return !m31ri_is_machine_text(text, length);
    case M31RI_KEY_PERSONAL:
        return !m31ri_is_nobody(v.kind, text, length);
    default:
        return true;
    }
}

uint32_t m31ri_privacy_clean_telling(const m31ri_privacy *p, m31ri_key_verdict key,
                                     m31ri_text_view text, m31ri_buf *out, m31ri_teller teller)
{
    if (key.class != M31RI_KEY_NONE && text.n != 0 && takes_all(key, text.s, text.n) &&
        !m31ri_is_placeholder(text.s, text.n)) {
        m31ri_privacy_add_marker(p, key.kind, text, out);
        note(p, &(m31ri_match){.kind = key.kind}, teller);
        return 1;
    }
    uint64_t first = 0;
    return has_any(p, text, &first) ? clean_text(p, text, first, out, teller) : 0;
}

uint32_t m31ri_privacy_clean(const m31ri_privacy *p, m31ri_key_verdict key, const char *text,
                             size_t length, m31ri_buf *out)
{
    static const m31ri_teller nobody = {NULL, NULL};
    m31ri_text_view view = {text, length};
    uint64_t first = 0;
    if (key.class != M31RI_KEY_NONE) {
        return m31ri_privacy_clean_telling(p, key, view, out, nobody);
    }
    return has_any(p, view, &first) ? clean_text(p, view, first, out, nobody) : 0;
}

bool m31ri_privacy_is_clean(const m31ri_privacy *p, m31ri_key_verdict key, const char *text,
                            size_t length)
{
    if (key.class != M31RI_KEY_NONE && length != 0 && takes_all(key, text, length) &&
        !m31ri_is_placeholder(text, length)) {
        return false;
    }
    uint64_t first = 0;
    if (!has_any(p, (m31ri_text_view){text, length}, &first)) {
        return true;
    }
    m31ri_subject t = {.p = p, .index = p->index, .s = text, .n = length, .first = first};
    size_t at = 0;
    m31ri_match m;
    return !m31ri_search_next(&t, &at, &m);
}

uint32_t m31ri_privacy_scrub(const m31ri_privacy *p, const char *key, size_t key_length,
                             const char *text, size_t length, m31ri_buf *out)
{
    m31ri_key_verdict v = m31ri_privacy_judge(p, key, length != 0 ? key_length : 0);
    uint32_t n = m31ri_privacy_clean(p, v, text, length, out);
    if (n == 0) {
        m31ri_buf_add(out, text, length);
    }
    return n;
}
