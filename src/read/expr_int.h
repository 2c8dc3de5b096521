/* expr_int.h - an expression from the inside: tokens, the tree, the values that it is asked about.
 *
 * The tree is an array of nodes; children are indices, so that it is one block and freed as one.
 * A field is a slot: before each question the subject's values are put into the slots
 * (m31ri_expr_begin, m31ri_expr_offer), then the tree is walked (m31ri_expr_judge).
 */
#ifndef M31RI_EXPR_INT_H
#define M31RI_EXPR_INT_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "format/json_read.h"
#include "m31r/expr.h"
#include "m31r/log.h"

typedef enum m31ri_token_kind {
    M31RI_TOKEN_END,
    M31RI_TOKEN_WORD,     /* a field, a level or a keyword */
    M31RI_TOKEN_QUOTED,   /* `a field` */
    M31RI_TOKEN_STRING,   /* text: its value is in the arena */
    M31RI_TOKEN_INT,      /* i */
    M31RI_TOKEN_DOUBLE,   /* d */
    M31RI_TOKEN_TIME,     /* i: a point in time, also of a duration: `-2h` */
    M31RI_TOKEN_EQ,       /* == */
    M31RI_TOKEN_NE,       /* != */
    M31RI_TOKEN_LT,       /* < */
    M31RI_TOKEN_LE,       /* <= */
    M31RI_TOKEN_GT,       /* > */
    M31RI_TOKEN_GE,       /* >= */
    M31RI_TOKEN_MATCH,    /* ~ */
    M31RI_TOKEN_NO_MATCH, /* !~ */
    M31RI_TOKEN_DOTS,     /* .. */
    M31RI_TOKEN_OPEN,     /* ( */
    M31RI_TOKEN_CLOSE,    /* ) */
    M31RI_TOKEN_COMMA,
    M31RI_TOKEN_AND, /* keywords, in any case */
    M31RI_TOKEN_OR,
    M31RI_TOKEN_NOT,
    M31RI_TOKEN_IN,
    M31RI_TOKEN_HAS,
    M31RI_TOKEN_CONTAINS
} m31ri_token_kind;

typedef struct m31ri_token {
    m31ri_token_kind kind;
    size_t at, length; /* bytes of the expression */
    const char *text;  /* WORD, QUOTED, STRING: NUL-terminated, in the arena */
    size_t text_length;
    int64_t i;
    double d;
} m31ri_token;

/* What a field is, or what it is compared with. */
enum {
    M31RI_IS_NULL = 1,
    M31RI_IS_BOOL = 2,
    M31RI_IS_TEXT = 4,
    M31RI_IS_INT = 8,
    M31RI_IS_DOUBLE = 16,
    M31RI_IS_TIME = 32,   /* i */
    M31RI_IS_LEVEL = 64,  /* level */
    M31RI_IS_OTHER = 128, /* an object or array: there, and that is all */
    M31RI_IS_WORDS = 256  /* text: words with a blank between, each of which is asked */
};

typedef struct m31ri_expr_value {
    unsigned is;     /* 0: missing */
    bool is_escaped; /* text as in the line */
    bool is_loose;   /* a text that looks like a number is one too: facts of runs */
    bool b;
    int level;
    int64_t i;
    double d;
    const char *text;
    size_t length;
} m31ri_expr_value;

typedef enum m31ri_node_kind {
    M31RI_NODE_AND,
    M31RI_NODE_OR,
    M31RI_NODE_NOT,
    M31RI_NODE_HAS,
    M31RI_NODE_COMPARE, /* `op` is M31RI_TOKEN_EQ to M31RI_TOKEN_GE */
    M31RI_NODE_CONTAINS,
    M31RI_NODE_MATCH, /* `op` is MATCH or NO_MATCH */
    M31RI_NODE_FIELD  /* only while parsing: the left side of a comparison to come */
} m31ri_node_kind;

typedef struct m31ri_node {
    uint8_t kind, op;
    uint16_t left, right, field;
    size_t at, length;
    m31ri_expr_value literal;
    pcre2_code *code;
} m31ri_node;

#define M31RI_MET_NAMES 96 /* names of other fields that are kept for a proposal */
#define M31RI_MET_BYTES 64 /* longer names are not proposed */

typedef struct m31ri_slot {
    m31r_expr_field facts;
    size_t length; /* of the name */
    m31ri_expr_value value;
} m31ri_slot;

struct m31r_expr {
    m31r_expr_subject subject;
    char *text; /* NUL-terminated copy */
    size_t length;
    char *arena; /* names and strings; large enough for every token of the text */
    size_t arena_used;
    m31ri_node *nodes; /* M31R_EXPR_TESTS of them */
    size_t n_nodes, root;
    m31ri_slot slots[M31R_EXPR_FIELDS];
    size_t n_slots, n_unmet; /* fields that no subject has had */
    bool asks_place;         /* for the file, lane or line of a record */
    uint64_t n_asked;
    int64_t now_ns;
    m31ri_buf scratch;           /* an unescaped string */
    pcre2_match_data *match;     /* NULL without a regular expression */
    pcre2_match_context *limits; /* so that no pattern takes for ever */
    size_t n_met;
    char met[M31RI_MET_NAMES][M31RI_MET_BYTES];
};

/* Where the parser is. */
typedef struct m31ri_expr_parser {
    m31r_expr *x;
    size_t next; /* byte after `token` */
    m31ri_token token;
    unsigned depth;
    m31r_error *e;
    m31r_err err; /* the first fault; parsing stops at it */
} m31ri_expr_parser;

/* expr_lex.c: reads the next token into p->token; a fault ends up in p->err. */
void m31ri_expr_next(m31ri_expr_parser *p);

/* expr_fault.c: states a fault once: message, line, column, and the text with a caret below. False,
 * for `return`. `hint` NULL: none. */
bool m31ri_expr_fault(m31ri_expr_parser *p, size_t at, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* expr_fault.c: the nearest of `n` words by edit distance, or NULL when none is near. */
const char *m31ri_nearest(const char *word, const char *const *words, size_t n);

/* expr_fields.c: the slot of a field; false when the subject cannot have it. */
bool m31ri_expr_slot(m31ri_expr_parser *p, const m31ri_token *token, uint16_t *out);

/* expr_literal.c: checks and completes what a field is compared with. `bare` is a word without
 * quotes. */
bool m31ri_expr_literal(m31ri_expr_parser *p, const m31ri_node *field, m31ri_expr_value *out);
bool m31ri_expr_pattern(m31ri_expr_parser *p, pcre2_code **out);

/* expr_parse.c: the whole text; the tree is in p->x. */
bool m31ri_expr_parse(m31ri_expr_parser *p);

/* expr_time.c: "2h", "2026-11-23", ...; false when it is no time. */
bool m31ri_time_of(const char *text, size_t length, int64_t now_ns, int64_t *out_wall_ns);

/* expr_eval.c: forget the last subject; give one field's value, by slot or by name; walk the tree.
 */
void m31ri_expr_begin(m31r_expr *x);
void m31ri_expr_put(m31r_expr *x, size_t slot, const m31ri_expr_value *v);
void m31ri_expr_offer(m31r_expr *x, const char *name, size_t length, const m31ri_expr_value *v);
bool m31ri_expr_judge(m31r_expr *x);

/* expr.c: forget the last record, and give what is known of its place; give a member of it to a
 * slot, `level` being not 0 when it is that of the record. */
void m31ri_expr_begin_record(m31r_expr *x, const struct m31r_record *place);
void m31ri_expr_set(m31r_expr *x, size_t slot, const m31ri_json_member *m, m31r_level level);

/* True when it names the file, lane or line of a record. */
bool m31ri_expr_asks_place(const m31r_expr *x);

/* expr.c: the same expression for another thread, with nothing counted; NULL when memory is out.
 * And what that thread has counted, added to `x`. */
m31r_expr *m31ri_expr_copy(const m31r_expr *x);
void m31ri_expr_add_counts(m31r_expr *x, const m31r_expr *from);

/* True when every field has been met. */
bool m31ri_expr_all_met(const m31r_expr *x);

/* True while a field has not been met and names of others are kept, to propose one. */
bool m31ri_expr_is_looking(const m31r_expr *x);

/* Values of facts. Empty text and M31R_UNKNOWN are missing; text that looks like a number is one.
 */
void m31ri_expr_offer_text(m31r_expr *x, const char *name, const char *text);
void m31ri_expr_offer_words(m31r_expr *x, const char *name, const char *words);
void m31ri_expr_offer_int(m31r_expr *x, const char *name, int64_t i);
void m31ri_expr_offer_double(m31r_expr *x, const char *name, double d);

/* True when a field of the expression begins so. */
bool m31ri_expr_asks(const m31r_expr *x, const char *prefix);

#endif
