/* rules_int.h - what the privacy rules share: a match, the text being searched, the tables' rows.
 */
#ifndef M31RI_RULES_INT_H
#define M31RI_RULES_INT_H

#include "rules/privacy.h"

/* Bytes [start, end) of the text are to be replaced. */
typedef struct m31ri_match {
    size_t start, end;
    const char *kind;
    const char *instead; /* NULL: [redacted:kind] */
    const char *rule;    /* what found it, for the counters; NULL: a key */
} m31ri_match;

typedef struct m31ri_rule_index m31ri_rule_index;

typedef struct m31ri_subject {
    const m31ri_privacy *p;
    const m31ri_rule_index *index; /* of p */
    const char *s;
    size_t n;
    size_t floor;   /* bytes before it are written already */
    uint64_t first; /* places of the first block, which were looked for already */
} m31ri_subject;

/* A row of the list of keys. */
typedef struct m31ri_key_row {
    const char *words; /* folded and joined */
    const char *kind;  /* NULL: harmless */
    uint8_t class;     /* m31ri_key_class */
    bool in_text;      /* looked for in running text too */
} m31ri_key_row;

/* What a key says. Case, '-', '_', '.', camelCase do not count. `in_text`: the key stands in
 * running text, where fewer words are keys. */
m31ri_key_verdict m31ri_key_judge(const m31ri_privacy *p, const char *key, size_t length,
                                  bool in_text);

/* Marks the three last letters that keys with something to say end in: the quick no for all others.
 * Bits by m31ri_key_tail_of(). */
#define M31RI_TAILS (27 * 27 * 27)
typedef struct m31ri_key_tails {
    uint64_t bits[(M31RI_TAILS + 63) / 64];
} m31ri_key_tails;
void m31ri_key_tails_fill(m31ri_key_tails *tails, bool in_text);
void m31ri_key_tails_add(m31ri_key_tails *tails, const char *word);
bool m31ri_key_tails_have(const m31ri_key_tails *tails, const char *key, size_t length);
const m31ri_key_tails *m31ri_privacy_tails(const m31ri_privacy *p, bool in_text);

/* Lower-case letters and digits of a key only, for comparing; returns the length, at most size - 1.
 */
size_t m31ri_key_fold(const char *key, size_t length, char *out, size_t size);

/* True when the caller's own list holds the key. */
bool m31ri_privacy_denies(const m31ri_privacy *p, const char *key, size_t length);

/* The same rules with prompts allowed, borrowing from `p`: m31ri_free() it before `p`. NULL when
 * memory is out. */
m31ri_privacy *m31ri_privacy_copy_with_prompts(const m31ri_privacy *p);

/* Appends what is written in the place of `value`: [redacted:kind], with a hash where the run has a
 * key (value_key.h). */
void m31ri_privacy_add_marker(const m31ri_privacy *p, const char *kind, m31ri_text_view value,
                              m31ri_buf *out);

/* Counts a find that was decided by a key outside of privacy.c. */
void m31ri_privacy_count_key(const m31ri_privacy *p, const char *kind);

/* Text of nothing but numbers, keys and words of a program: no text of users, whatever its key. */
bool m31ri_is_machine_text(const char *value, size_t length);

/* A datum of no person: an address of one's own network, an account of the system. */
bool m31ri_is_nobody(const char *kind, const char *value, size_t length);

/* A value that stands for one, or is no secret: null, ***, <TOKEN>, ${VAR}, [redacted:x]. */
bool m31ri_is_placeholder(const char *value, size_t length);

/* Letters and digits mixed, long enough, no other shape: what a token looks like. */
bool m31ri_looks_random(const char *value, size_t length);

/* True when text of a SHAPED key is the datum meant. */
bool m31ri_shape_fits(const char *kind, const char *value, size_t length);

/* A piece of a pattern behind its first text: more text, or a run of characters of a set. */
typedef struct m31ri_part {
    const char *literal; /* NULL: a run */
    const uint8_t *set;  /* 256 bits */
    uint16_t min, max;   /* characters of the run; max 0: any number */
} m31ri_part;

/* A row of the table of formats: a literal, found at `at`, and what is done then. */
typedef struct m31ri_rule m31ri_rule;
typedef bool m31ri_handler(const m31ri_subject *t, size_t at, const m31ri_rule *r,
                           m31ri_match *out);

struct m31ri_rule {
    const char *literal; /* a rule for any case has it in lower case */
    const char *kind;
    m31ri_handler *handler;
    const m31ri_part *parts;
    uint8_t n_parts;
    uint8_t alphabet; /* bits of the character classes below: what may follow the literal */
    uint8_t boundary; /* classes that may not stand before it; 0: anything may */
    bool any_case;
    bool is_glued; /* is looked for inside of words too */
    bool is_word;  /* a word of running text: a blank or a mark follows */
    uint16_t min;  /* fewest characters that must follow */
};

enum {
    M31RI_LOWER = 1,
    M31RI_UPPER = 2,
    M31RI_DIGIT = 4,
    M31RI_LINE = 8, /* _ */
    M31RI_DASH = 16,
    M31RI_DOT = 32,
    M31RI_HEX = 64,
    M31RI_BASE64 = 128 /* + / = */
};
#define M31RI_ALPHA (M31RI_LOWER | M31RI_UPPER)
#define M31RI_ALNUM (M31RI_ALPHA | M31RI_DIGIT)
#define M31RI_WORD (M31RI_ALNUM | M31RI_LINE)
#define M31RI_URLSAFE (M31RI_WORD | M31RI_DASH)

extern const uint8_t m31ri_classes[256]; /* by byte */

static inline uint8_t m31ri_class_of(char c)
{
    return m31ri_classes[(unsigned char)c];
}

static inline bool m31ri_is_alnum(char c)
{
    return (m31ri_class_of(c) & M31RI_ALNUM) != 0;
}

static inline bool m31ri_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool m31ri_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes from `at` on that are of these classes; zero-width characters between them belong to the
 * run. */
size_t m31ri_run(const m31ri_subject *t, size_t at, uint8_t classes);

/* Length of the zero-width character at `at`; 0: there is none. */
size_t m31ri_zero_width(const m31ri_subject *t, size_t at);

/* True when a token may start at `at`: nothing of `classes` stands before it (an escape such as \n
 * or %3D is no letter). */
bool m31ri_may_start(const m31ri_subject *t, size_t at, uint8_t classes);

/* True when `literal` stands at `at`. */
bool m31ri_has(const m31ri_subject *t, size_t at, const char *literal, bool any_case);

/* True when the byte is in the set. */
static inline bool m31ri_in_set(const uint8_t *set, char c)
{
    return (set[(unsigned char)c >> 3] >> ((unsigned char)c & 7) & 1) != 0;
}

/* The tables (rules_table.c, made from rules.txt). */
extern const m31ri_rule m31ri_rules[];
extern const size_t m31ri_n_rules;
extern const m31ri_key_row m31ri_key_rows[]; /* sorted by `words` */
extern const size_t m31ri_n_key_rows;
extern const char *const m31ri_key_owners[]; /* sorted; each list ends with NULL */
extern const char *const m31ri_key_pieces[];
extern const char *const m31ri_key_places[];

/* Fills `out` and returns true at the next match at or after *at, which moves on (search.c). */
bool m31ri_search_next(const m31ri_subject *t, size_t *at, m31ri_match *out);

/* A key that ends at `end`, in text: "key=", "key:", "--key ". `r`: the rule of a word, or NULL. */
bool m31ri_match_key_at(const m31ri_subject *t, size_t start, size_t end, const m31ri_rule *r,
                        m31ri_match *out);
/* Behind a word and a blank: a number of `kind`, or the secret that a key is said to have. */
bool m31ri_match_after_word(const m31ri_subject *t, size_t i, const char *kind, m31ri_match *out);
bool m31ri_match_stated(const m31ri_subject *t, size_t i, m31ri_key_verdict key, m31ri_match *out);
bool m31ri_match_key_before(const m31ri_subject *t, size_t mark, m31ri_match *out);
bool m31ri_match_key_element(const m31ri_subject *t, size_t mark, m31ri_match *out);
bool m31ri_match_key_option(const m31ri_subject *t, size_t dash, m31ri_match *out);

/* Handlers. */
m31ri_handler m31ri_match_token, m31ri_match_openai, m31ri_match_jwt, m31ri_match_pem,
    m31ri_match_putty, m31ri_match_before, m31ri_match_around, m31ri_match_mixed,
    m31ri_match_telegram, m31ri_match_hash, m31ri_match_webhook;
m31ri_handler m31ri_match_keyed, m31ri_match_scheme, m31ri_match_header, m31ri_match_url,
    m31ri_match_userpass, m31ri_match_alias, m31ri_match_login, m31ri_match_kaggle,
    m31ri_match_said, m31ri_match_near, m31ri_match_defined, m31ri_match_client, m31ri_match_slash,
    m31ri_match_piped, m31ri_match_quoted, m31ri_match_call, m31ri_match_account;
m31ri_handler m31ri_match_home, m31ri_match_numbers, m31ri_match_plus, m31ri_match_mac,
    m31ri_match_iban, m31ri_match_from, m31ri_match_name, m31ri_match_zip, m31ri_match_pgpass,
    m31ri_match_place, m31ri_match_own_home, m31ri_match_spelled;
bool m31ri_match_azure(const m31ri_subject *t, size_t at, m31ri_match *out);
bool m31ri_match_at(const m31ri_subject *t, size_t at, m31ri_match *out);
bool m31ri_match_discord(const m31ri_subject *t, size_t start, m31ri_match *out);

#endif
