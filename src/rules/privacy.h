/* privacy.h - what must not be in any file, and what is written in its place.
 *
 * A datum is decided by its key first (a `password` is one whatever it looks like), then by its
 * value (a token is one wherever it stands). Never by entropy: hashes, tensors and ids are what
 * these logs are made of. What is taken out is replaced by [redacted:kind]; the home directory of a
 * person by ~; the user of user@host by the kind.
 *
 * Invariants: constant after m31ri_privacy_new(), so any thread may use it at once; a marker is not
 * taken for a datum when a text is scrubbed again; the time is near linear in the length whatever
 * the text. Numbers that are typed as numbers are not for these functions and must not be passed to
 * them.
 */
#ifndef M31RI_PRIVACY_H
#define M31RI_PRIVACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/yaml.h"

typedef struct m31ri_privacy m31ri_privacy;

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

/* What a key says of its values; constant as long as the rules live, so asked once a call site. */
typedef struct m31ri_key_verdict {
    m31ri_key_class class;
    const char *kind; /* constant text */
} m31ri_key_verdict;

/* A rule of the user: what it is called, and its pattern (rule_pattern.h). */
typedef struct m31ri_own_rule {
    const char *kind, *pattern;
} m31ri_own_rule;

typedef struct m31ri_privacy_options {
    bool allow_prompts; /* the opt-in: prompt, messages, content... are written (secrets still are
                           not) */
    const char *const *deny_keys; /* further keys whose values are never written: kind "denied" */
    size_t n_deny_keys;
    const char
        *home; /* a home directory to write as ~ besides /home/NAME and /Users/NAME; NULL: none */
    const m31ri_own_rule
        *patterns; /* further formats of tokens; those that do not parse are left out */
    size_t n_patterns;
} m31ri_privacy_options;

/* How often a rule found a kind. Both are constant as long as the rules live. */
typedef struct m31ri_privacy_count {
    const char *kind, *rule; /* rule: the text it begins with, a shape's kind, or "key" */
    uint64_t n;
} m31ri_privacy_count;

#define M31RI_PRIVACY_COUNTS 512 /* rows at most */

/* `o` NULL: defaults. NULL when memory is out. */
m31ri_privacy *m31ri_privacy_new(const m31ri_privacy_options *o);
void m31ri_privacy_free(m31ri_privacy *p);

/* Kind ("password", "prompt", ...) when values under this key are never written, decided by the key
 * alone; else NULL. Holds for a string, and for every string below a map or list under the key.
 * Constant text. */
const char *m31ri_privacy_key_kind(const m31ri_privacy *p, const char *key, size_t length);

/* Appends `text` to `out` with each secret or personal datum replaced by [redacted:kind]; returns
 * how many. `key` may be NULL. Bytes need not be valid UTF-8. Thread: any. */
uint32_t m31ri_privacy_scrub(const m31ri_privacy *p, const char *key, size_t key_length,
                             const char *text, size_t length, m31ri_buf *out);

/* True when text of users is written by choice. Thread: any. */
bool m31ri_privacy_keeps_prompts(const m31ri_privacy *p);

/* What was found so far, in the order of the first find; returns how many rows of
 * M31RI_PRIVACY_COUNTS. Thread: any. */
size_t m31ri_privacy_counts(const m31ri_privacy *p, m31ri_privacy_count *out);

/* As m31ri_privacy_counts(), of what was found since this was last called; and takes that for
 * said. Thread: any. */
size_t m31ri_privacy_take_counts(const m31ri_privacy *p, m31ri_privacy_count *out);

/* In a forked child, before anything else: what was found so far is the parent's to say. */
void m31ri_privacy_after_fork(const m31ri_privacy *p);

/* The verdict on a key (NULL: none); Thread: any. */
m31ri_key_verdict m31ri_privacy_judge(const m31ri_privacy *p, const char *key, size_t length);

/* As m31ri_privacy_scrub() under a key that was judged before, but appends nothing and returns 0
 * when nothing is to be replaced: what most strings are. Thread: any. */
uint32_t m31ri_privacy_clean(const m31ri_privacy *p, m31ri_key_verdict key, const char *text,
                             size_t length, m31ri_buf *out);

typedef struct m31ri_text_view {
    const char *s;
    size_t n;
} m31ri_text_view;

/* Who is told of each find: what, by which rule, and where in the text it begins. */
typedef struct m31ri_teller {
    void (*tell)(void *context, const char *kind, const char *rule, size_t start);
    void *context;
} m31ri_teller;

/* As m31ri_privacy_clean(), and says what it finds. Thread: any. */
uint32_t m31ri_privacy_clean_telling(const m31ri_privacy *p, m31ri_key_verdict key,
                                     m31ri_text_view text, m31ri_buf *out, m31ri_teller teller);

/* The verdict on the argument behind this one: "--password". Thread: any. */
m31ri_key_verdict m31ri_privacy_judge_option(const m31ri_privacy *p, const char *s, size_t length);

/* True when m31ri_privacy_clean() would find nothing; counts nothing. Thread: any. */
bool m31ri_privacy_is_clean(const m31ri_privacy *p, m31ri_key_verdict key, const char *text,
                            size_t length);

/* Each of the `n` arguments scrubbed onto `out`, each followed by a NUL: `--token X`,
 * `--api-key=X`, `-p X`, `KEY=X`, URL passwords. Returns how many were changed. */
uint32_t m31ri_privacy_scrub_argv(const m31ri_privacy *p, const char *const *argv, size_t n,
                                  m31ri_buf *out);

/* The text of a config with values under denied keys, or holding secrets, replaced in place;
 * comments and layout are kept, and comments are scrubbed too. `tree` is what these bytes were read
 * into. Returns how many. */
uint32_t m31ri_privacy_scrub_config(const m31ri_privacy *p, const m31ri_yaml *tree,
                                    const char *bytes, size_t length, m31ri_buf *out);

#endif
