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
} m31ri_match;

typedef struct m31ri_subject {
    const m31ri_privacy *p;
    const char *s;
    size_t n;
    size_t floor; /* bytes before it are written already */
} m31ri_subject;

/* How sure a key is. In running text ("token=abc") the weak ones need a value that looks like a
 * secret. */
typedef enum m31ri_key_class {
    M31RI_KEY_NONE,
    M31RI_KEY_STRONG,   /* a secret whatever the value looks like */
    M31RI_KEY_WEAK,     /* the word has other uses in text */
    M31RI_KEY_PERSONAL, /* a datum of a person */
    M31RI_KEY_PROMPT,   /* what users typed, or got back */
    M31RI_KEY_SHAPED    /* decided by key and value together: never by the key alone */
} m31ri_key_class;

typedef struct m31ri_key_verdict {
    m31ri_key_class class;
    const char *kind;
} m31ri_key_verdict;

/* What a key says. Case, '-', '_', '.', camelCase do not count. */
m31ri_key_verdict m31ri_key_judge(const m31ri_privacy *p, const char *key, size_t length);

/* Marks the pairs of last letters that keys with something to say end in ([27] is "no letter before
 * it"). */
#define M31RI_TAILS (27 * 26)
void m31ri_key_tails(bool tails[M31RI_TAILS]);
const bool *m31ri_privacy_key_tails(const m31ri_privacy *p);

/* Lower-case letters and digits of a key only, for comparing; returns the length, at most size - 1.
 */
size_t m31ri_key_fold(const char *key, size_t length, char *out, size_t size);

/* True when the caller's own list holds the key. */
bool m31ri_privacy_denies(const m31ri_privacy *p, const char *key, size_t length);
bool m31ri_privacy_allows_prompts(const m31ri_privacy *p);

/* The same rules with prompts allowed, borrowing from `p`: m31ri_free() it before `p`. NULL when
 * memory is out. */
m31ri_privacy *m31ri_privacy_copy_with_prompts(const m31ri_privacy *p);

/* A value that stands for one, or is no secret: null, ***, <TOKEN>, ${VAR}, [redacted:x]. */
bool m31ri_is_placeholder(const char *value, size_t length);

/* Letters and digits mixed, long enough, no other shape: what a token looks like. */
bool m31ri_looks_random(const char *value, size_t length);

/* True when text of a SHAPED key is the datum meant. */
bool m31ri_shape_fits(const char *kind, const char *value, size_t length);

/* A row of the table of formats: a literal, found at `at`, and what is done then. */
typedef struct m31ri_rule m31ri_rule;
typedef bool m31ri_handler(const m31ri_subject *t, size_t at, const m31ri_rule *r,
                           m31ri_match *out);

struct m31ri_rule {
    const char *literal;
    const char *kind;
    m31ri_handler *handler;
    uint8_t alphabet; /* bits of the character classes below: what may follow the literal */
    uint8_t boundary; /* classes that may not stand before it; 0: anything may */
    uint8_t any_case;
    uint16_t min; /* fewest characters that must follow */
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

/* True when a token may start at `at`: nothing of `classes` stands before it (an escape such as \n
 * or %3D is no letter). */
bool m31ri_may_start(const m31ri_subject *t, size_t at, uint8_t classes);

/* True when `literal` stands at `at`. */
bool m31ri_has(const m31ri_subject *t, size_t at, const char *literal, bool any_case);

/* The tables. */
extern const m31ri_rule m31ri_token_rules[];
extern const size_t m31ri_n_token_rules;
extern const m31ri_rule m31ri_text_rules[];
extern const size_t m31ri_n_text_rules;

/* Handlers. */
m31ri_handler m31ri_match_token, m31ri_match_openai, m31ri_match_jwt, m31ri_match_pem,
    m31ri_match_putty, m31ri_match_before, m31ri_match_azure, m31ri_match_telegram,
    m31ri_match_dotted, m31ri_match_hash, m31ri_match_webhook;
m31ri_handler m31ri_match_keyed, m31ri_match_scheme, m31ri_match_url, m31ri_match_userpass;
m31ri_handler m31ri_match_home, m31ri_match_numbers, m31ri_match_plus, m31ri_match_mac,
    m31ri_match_iban, m31ri_match_from, m31ri_match_name, m31ri_match_zip, m31ri_match_pgpass;
bool m31ri_match_at(const m31ri_subject *t, size_t at, m31ri_match *out);
bool m31ri_match_discord(const m31ri_subject *t, size_t dot, m31ri_match *out);

#endif
