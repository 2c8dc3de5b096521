/* privacy.c - the search: which places of a text are worth a rule, and the text with what was found
 * replaced.
 *
 * Every rule starts with a literal of at least two characters, so three bytes decide whether any
 * rule can begin here: a bit set over a hash of the three lower-cased bytes says "no" for almost
 * all places of a harmless line, in about a nanosecond each. Only then the rules of those three
 * bytes are tried. Marks without a literal (the @ of an address, the dots of a Discord token) are
 * looked for by memchr, and only when there are any.
 *
 * Invariant: matches come in order and never reach back before what was written already (`floor`).
 */
#include "rules/privacy.h"

#include <endian.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/rules_int.h"

#define FILTER_BITS 16
#define MAX_RULES 512
#define SHAPES 6
#define BUCKETS 4096
#define MAX_ENTRIES 16384

typedef struct entry {
    uint32_t gram;
    uint16_t rule;
    uint16_t next; /* in its bucket, 0: none */
    char fourth;   /* lower case; 0: any, or none */
} entry;

struct m31ri_privacy {
    uint8_t filter[(1u << FILTER_BITS) / 8];
    uint16_t bucket[BUCKETS]; /* index into entries, 0: none */
    entry entries[MAX_ENTRIES];
    size_t n_entries;
    const m31ri_rule *rules[MAX_RULES];
    size_t n_rules;
    m31ri_rule shapes[SHAPES];
    bool allow_prompts;
    char **deny;
    size_t n_deny;
    char *home;
    bool tails[M31RI_TAILS];
};

static uint32_t hash(uint32_t gram)
{
    return (gram * 0x9E3779B1u) >> 8;
}

static uint32_t gram_of(const char *s)
{
    return ((uint32_t)(unsigned char)s[0] | (uint32_t)(unsigned char)s[1] << 8 |
            (uint32_t)(unsigned char)s[2] << 16) |
           0x202020u;
}

static bool may_match(const m31ri_privacy *p, uint32_t gram)
{
    uint32_t h = hash(gram) & ((1u << FILTER_BITS) - 1);
    return p->filter[h >> 3] >> (h & 7) & 1;
}

static void add_gram(m31ri_privacy *p, const char *three, size_t rule, char fourth)
{
    uint32_t gram = gram_of(three), h = hash(gram) & ((1u << FILTER_BITS) - 1);
    uint16_t *head = &p->bucket[hash(gram) >> 4 & (BUCKETS - 1)];
    if (p->n_entries + 1 >= MAX_ENTRIES) {
        return;
    }
    p->filter[h >> 3] |= (uint8_t)(1u << (h & 7));
    /* to the end of the bucket: rules are tried in the order of the table */
    while (*head != 0) {
        head = &p->entries[*head].next;
    }
    p->n_entries++;
    p->entries[p->n_entries] = (entry){
        .gram = gram, .rule = (uint16_t)rule, .fourth = (char)(fourth != 0 ? fourth | 0x20 : 0)};
    *head = (uint16_t)p->n_entries;
}

/* A literal of two characters is entered with every third one that may follow. */
static void add_rule(m31ri_privacy *p, const m31ri_rule *r)
{
    if (p->n_rules >= MAX_RULES) {
        return;
    }
    size_t index = p->n_rules++;
    p->rules[index] = r;
    if (strlen(r->literal) >= 3) {
        add_gram(p, r->literal, index, r->literal[3]);
        return;
    }
    static const char third[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.~";
    for (const char *c = third; *c != '\0'; c++) {
        char three[3] = {r->literal[0], r->literal[1], *c};
        add_gram(p, three, index, 0);
    }
}

static m31ri_rule *add_shape(m31ri_privacy *p, size_t i, const char *kind, m31ri_handler *handler)
{
    p->shapes[i] = (m31ri_rule){.literal = "", .kind = kind, .handler = handler};
    p->rules[p->n_rules++] = &p->shapes[i];
    return &p->shapes[i];
}

static void add_triples(m31ri_privacy *p, const char *a, const char *b, const char *c)
{
    for (const char *x = a; *x != '\0'; x++) {
        for (const char *y = b; *y != '\0'; y++) {
            for (const char *z = c; *z != '\0'; z++) {
                char three[3] = {*x, *y, *z};
                add_gram(p, three, p->n_rules - 1, 0);
            }
        }
    }
}

/* What has no literal but a shape of three bytes: 1-2, +12, a:b, DE1. */
static void add_shapes(m31ri_privacy *p)
{
    static const char digits[] = "0123456789";
    static const char countries[] = "adaealatazbabebgbhbrbychcrcydedkdoeeegesfifofrgbgegigrgthrhuie"
                                    "iliqisitjokwkzlbliltlulvlymcmdmemk"
                                    "mrmtmunlnoomplpsptqarorssasascsesiskssmstsvtltnTrtuavavgxk";
    add_shape(p, 0, "number", m31ri_match_numbers);
    add_triples(p, digits, " -", digits);
    add_shape(p, 1, "phone", m31ri_match_plus);
    add_triples(p, "+", digits, digits);
    add_triples(p, "+", digits, " -(");
    add_shape(p, 2, "mac", m31ri_match_mac);
    add_triples(p, "0123456789abcdef", ":", "0123456789abcdef");
    add_shape(p, 4, "address", m31ri_match_zip);
    add_triples(p, ",", " ", "abcdefghijklmnopqrstuvwxyz");
    add_shape(p, 3, "iban", m31ri_match_iban);
    for (size_t i = 0; i + 1 < sizeof countries - 1; i += 2) {
        char first[2] = {countries[i], '\0'}, second[2] = {countries[i + 1], '\0'};
        add_triples(p, first, second, digits);
    }
}

static bool copy_options(m31ri_privacy *p, const m31ri_privacy_options *o)
{
    p->allow_prompts = o->allow_prompts;
    if (o->home != NULL && strlen(o->home) > 2) {
        p->home = m31ri_strdup(o->home);
        if (p->home == NULL) {
            return false;
        }
    }
    if (o->n_deny_keys == 0) {
        return true;
    }
    p->deny = m31ri_calloc(o->n_deny_keys, sizeof *p->deny);
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
    }
    return p->deny != NULL;
}

m31ri_privacy *m31ri_privacy_new(const m31ri_privacy_options *o)
{
    m31ri_privacy *p = m31ri_calloc(1, sizeof *p);
    if (p == NULL) {
        return NULL;
    }
    if (o != NULL && !copy_options(p, o)) {
        m31ri_privacy_free(p);
        return NULL;
    }
    m31ri_key_tails(p->tails);
    for (size_t i = 0; i < m31ri_n_token_rules; i++) {
        add_rule(p, &m31ri_token_rules[i]);
    }
    for (size_t i = 0; i < m31ri_n_text_rules; i++) {
        add_rule(p, &m31ri_text_rules[i]);
    }
    for (size_t i = 0; i < p->n_deny; i++) { /* own keys are looked for in text too */
        if (strlen(p->deny[i]) >= 3) {
            add_gram(p, p->deny[i], m31ri_n_token_rules, 0);
        }
    }
    add_shapes(p);
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
    m31ri_free(p->deny);
    m31ri_free(p->home);
    m31ri_free(p);
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

bool m31ri_privacy_allows_prompts(const m31ri_privacy *p)
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

const bool *m31ri_privacy_key_tails(const m31ri_privacy *p)
{
    return p->tails;
}

const char *m31ri_privacy_key_kind(const m31ri_privacy *p, const char *key, size_t length)
{
    if (key == NULL || length == 0) {
        return NULL;
    }
    m31ri_key_verdict v = m31ri_key_judge(p, key, length);
    bool token_word = v.class == M31RI_KEY_WEAK && strcmp(v.kind, "session") == 0;
    return v.class == M31RI_KEY_SHAPED || v.class == M31RI_KEY_NONE || token_word ? NULL : v.kind;
}

static bool try_rules(const m31ri_subject *t, size_t at, uint32_t gram, m31ri_match *out)
{
    const m31ri_privacy *p = t->p;
    for (uint16_t i = p->bucket[hash(gram) >> 4 & (BUCKETS - 1)]; i != 0; i = p->entries[i].next) {
        const entry *e = &p->entries[i];
        bool other = e->fourth != 0 && (at + 3 >= t->n || (t->s[at + 3] | 0x20) != e->fourth);
        if (e->gram != gram || other) {
            continue;
        }
        const m31ri_rule *r = p->rules[p->entries[i].rule];
        bool keyed = r->handler == m31ri_match_keyed && p->entries[i].rule == m31ri_n_token_rules;
        if ((keyed || m31ri_has(t, at, r->literal, r->any_case)) && r->handler(t, at, r, out) &&
            out->end > out->start && out->start >= t->floor) {
            return true;
        }
    }
    return false;
}

static size_t next_of(const m31ri_subject *t, size_t from, char c)
{
    const char *at = from < t->n ? memchr(t->s + from, c, t->n - from) : NULL;
    return at != NULL ? (size_t)(at - t->s) : t->n;
}

/* First dot at or after `from` that another follows at seven bytes' distance. */
static size_t next_dots(const m31ri_subject *t, size_t from)
{
    size_t at = next_of(t, from, '.');
    while (at < t->n && (at + 7 >= t->n || t->s[at + 7] != '.')) {
        at = next_of(t, at + 1, '.');
    }
    return at;
}

static bool match_own_home(const m31ri_subject *t, size_t at, m31ri_match *out)
{
    const char *home = t->p->home;
    size_t length = home != NULL ? strlen(home) : 0;
    bool here = length != 0 && m31ri_has(t, at, home, false) &&
                (at + length == t->n || (m31ri_class_of(t->s[at + length]) & M31RI_URLSAFE) == 0);
    *out = (m31ri_match){.start = at, .end = at + length, .kind = "home", .instead = "~"};
    return here;
}

/* First place from `at` on, before `end`, where a rule may begin: eight bytes are read for four
 * places at once. */
static size_t skip_clean(const m31ri_subject *t, size_t at, size_t end)
{
    const m31ri_privacy *p = t->p;
    while (at + 8 <= end) {
        uint64_t bytes;
        memcpy(&bytes, t->s + at, sizeof bytes);
        bytes = le64toh(bytes) | 0x2020202020202020u;
        bool any = may_match(p, bytes & 0xFFFFFFu) | may_match(p, bytes >> 8 & 0xFFFFFFu) |
                   may_match(p, bytes >> 16 & 0xFFFFFFu) | may_match(p, bytes >> 24 & 0xFFFFFFu) |
                   may_match(p, bytes >> 32 & 0xFFFFFFu) | may_match(p, bytes >> 40 & 0xFFFFFFu);
        if (any) {
            break;
        }
        at += 6;
    }
    while (at < end && !may_match(p, gram_of(t->s + at))) {
        at++;
    }
    return at;
}

typedef struct search {
    size_t at, next_at, next_dots, next_home;
} search;

static bool next_match(const m31ri_subject *t, search *s, m31ri_match *out)
{
    size_t last = t->n >= 3 ? t->n - 2 : 0;
    while (s->at < t->n) {
        size_t stop = s->next_at < s->next_dots ? s->next_at : s->next_dots;
        stop = s->next_home < stop ? s->next_home : stop;
        size_t fast = stop < last ? stop : last;
        s->at = skip_clean(t, s->at, fast);
        size_t at = s->at;
        if (at >= last && at < stop) {
            at = s->at = stop; /* the last two bytes start no rule */
            if (at >= t->n) {
                return false;
            }
        }
        bool hit = (at == s->next_at && m31ri_match_at(t, at, out)) ||
                   (at == s->next_dots && m31ri_match_discord(t, at, out)) ||
                   (at == s->next_home && match_own_home(t, at, out));
        hit = hit || (at < last && try_rules(t, at, gram_of(t->s + at), out));
        s->at = at + 1;
        if (s->at > s->next_at) {
            s->next_at = next_of(t, s->at, '@');
        }
        if (s->at > s->next_dots) {
            s->next_dots = next_dots(t, s->at);
        }
        if (s->at > s->next_home) {
            s->next_home = next_of(t, s->at, t->p->home[0]);
        }
        if (hit) {
            return true;
        }
    }
    return false;
}

static void add_marker(m31ri_buf *out, const char *kind)
{
    m31ri_buf_add_str(out, "[redacted:");
    m31ri_buf_add_str(out, kind);
    m31ri_buf_add_char(out, ']');
}

static uint32_t scrub_text(const m31ri_privacy *p, const char *text, size_t length, m31ri_buf *out)
{
    m31ri_subject t = {.p = p, .s = text, .n = length};
    search s = {.at = 0,
                .next_at = next_of(&t, 0, '@'),
                .next_dots = length >= 50 ? next_dots(&t, 0) : length,
                .next_home = p->home != NULL ? next_of(&t, 0, p->home[0]) : (size_t)-1};
    uint32_t n = 0;
    m31ri_match m;
    while (next_match(&t, &s, &m)) {
        m31ri_buf_add(out, text + t.floor, m.start - t.floor);
        if (m.instead != NULL) {
            m31ri_buf_add_str(out, m.instead);
        } else {
            add_marker(out, m.kind);
        }
        n++;
        t.floor = m.end;
        s.at = m.end > s.at ? m.end : s.at;
        s.next_at = s.next_at < s.at ? next_of(&t, s.at, '@') : s.next_at;
        s.next_dots = s.next_dots < s.at ? next_dots(&t, s.at) : s.next_dots;
        s.next_home = s.next_home < s.at ? next_of(&t, s.at, p->home[0]) : s.next_home;
    }
    m31ri_buf_add(out, text + t.floor, length - t.floor);
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

uint32_t m31ri_privacy_scrub(const m31ri_privacy *p, const char *key, size_t key_length,
                             const char *text, size_t length, m31ri_buf *out)
{
    m31ri_key_verdict v = {M31RI_KEY_NONE, NULL};
    if (key != NULL && key_length != 0 && length != 0) {
        v = m31ri_key_judge(p, key, key_length);
    }
    if (v.kind != NULL && v.class == M31RI_KEY_WEAK && strcmp(v.kind, "token") == 0 &&
        !is_one_ascii_word(text, length)) {
        v.class =
            M31RI_KEY_NONE; /* a piece of text: no token holds a blank or a letter beyond ASCII */
    }
    bool denied = v.class == M31RI_KEY_SHAPED ? m31ri_shape_fits(v.kind, text, length)
                                              : v.class != M31RI_KEY_NONE;
    if (denied && !m31ri_is_placeholder(text, length)) {
        add_marker(out, v.kind);
        return 1;
    }
    return scrub_text(p, text, length, out);
}
