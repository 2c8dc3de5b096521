/* shape.c - the tree of shapes, and how a line is learned.
 *
 * Learning parses the line once more with the exact reader and cuts it at the values that differ.
 * It happens once for each call site, so it need not be fast; but lines that all differ must not
 * make reading much slower than not learning: the tree is bounded, and forgotten as a whole when it
 * is full.
 */
#include "read/shape.h"

#include <string.h>

#include "base/alloc.h"
#include "format/json_read.h"

#define TIMESTAMP "0000-00-00T00:00:00.000000Z" /* its zeros are any digit */
#define CONSTANTS 3

/* A line on its way into the tree. */
typedef struct learner {
    m31ri_shapes *shapes;
    const char *line;
    size_t end;            /* of what was taken up */
    uint16_t parent;       /* node in the tree that `next` follows */
    m31ri_shape_node next; /* being made */
    size_t n_values;
    uint64_t present;  /* of the names */
    uint64_t constant; /* of those, values that every line of this path has */
    bool fits, is_crowded;
} learner;

bool m31ri_shapes_init(m31ri_shapes *s, const m31ri_shape_names *names)
{
    s->names = *names;
    s->n_nodes = 1;
    s->n_constant = CONSTANTS;
    s->nodes = m31ri_calloc(M31RI_SHAPE_NODES, sizeof *s->nodes);
    return s->nodes != NULL;
}

void m31ri_shapes_release(m31ri_shapes *s)
{
    m31ri_free(s->nodes);
    s->nodes = NULL;
}

static void forget(m31ri_shapes *s)
{
    s->nodes[0].child = 0;
    s->n_forgotten++;
    s->n_nodes = 1;
}

static void begin_node(learner *l)
{
    m31ri_shape_node *n = &l->next;
    memset(n, 0, sizeof *n);
    memset(n->highest, 0xff, sizeof n->highest);
    n->type = '-';
    n->slot = M31RI_NO_SLOT;
}

static bool is_equal(const m31ri_shape_node *a, const m31ri_shape_node *b)
{
    return a->type == b->type && a->length == b->length &&
           memcmp(a->lowest, b->lowest, sizeof a->lowest) == 0 &&
           memcmp(a->highest, b->highest, sizeof a->highest) == 0;
}

/* Puts the node that was made into the tree, or finds the one that is like it. */
static bool end_node(learner *l)
{
    m31ri_shape_node *nodes = l->shapes->nodes;
    uint16_t *link = &nodes[l->parent].child;
    l->next.constant = l->constant;
    size_t n_siblings = 0;
    for (; *link != 0; link = &nodes[*link].sibling) {
        if (is_equal(&nodes[*link], &l->next)) {
            l->parent = *link;
            begin_node(l);
            return true;
        }
        n_siblings++;
    }
    l->is_crowded = n_siblings == M31RI_SHAPE_SIBLINGS;
    if (l->is_crowded || l->shapes->n_nodes == M31RI_SHAPE_NODES) {
        return l->fits = false;
    }
    *link = (uint16_t)l->shapes->n_nodes++;
    nodes[*link] = l->next;
    l->parent = *link;
    begin_node(l);
    return true;
}

/* Takes up the bytes until `until`; as digits in ranges when `is_time`. */
static bool take_literal(learner *l, size_t until, bool is_time)
{
    for (size_t i = l->end; i < until && l->fits; i++) {
        m31ri_shape_node *n = &l->next;
        bool is_digit = is_time && TIMESTAMP[i - l->end] == '0';
        n->lowest[n->length] = is_digit ? '0' : (uint8_t)l->line[i];
        n->highest[n->length++] = is_digit ? '9' : (uint8_t)l->line[i];
        if (n->length == M31RI_SHAPE_LITERAL) {
            (void)end_node(l);
        }
    }
    l->end = until;
    return l->fits;
}

static bool is_named(const m31ri_json_member *m, const char *name)
{
    return strlen(name) == m->key_length && memcmp(name, m->key, m->key_length) == 0;
}

static bool is_timestamp(const m31ri_json_member *m)
{
    static const char form[] = TIMESTAMP;
    bool is_fine = m->type == 's' && m->value_length == sizeof form - 1;
    for (size_t i = 0; i < sizeof form - 1 && is_fine; i++) {
        is_fine =
            form[i] == '0' ? m->value[i] >= '0' && m->value[i] <= '9' : m->value[i] == form[i];
    }
    return is_fine;
}

/* A value that is compared, not read. */
static bool is_constant(const learner *l, const m31ri_json_member *m)
{
    static const char *const names[CONSTANTS] = {"level", "module", "msg"};
    bool is_one = m->type == 't' || m->type == 'f' || m->type == '0';
    for (size_t i = 0; i < l->shapes->n_constant; i++) {
        is_one |=
            m->type == 's' && m->value_length <= 40 && !m->value_escaped && is_named(m, names[i]);
    }
    return is_one;
}

static uint8_t slot_of(learner *l, const m31ri_json_member *m, uint8_t *pauses)
{
    const m31ri_shape_names *names = &l->shapes->names;
    for (size_t i = 0; i < names->n; i++) {
        uint64_t bit = (uint64_t)1 << i;
        if (is_named(m, names->names[i])) {
            l->present |= bit;
            bool is_check = (names->checkpoints & bit) != 0 ||
                            ((names->together & bit) != 0 && (names->together & ~l->present) == 0);
            uint64_t all = UINT64_MAX >> (64 - names->n);
            *pauses =
                (is_check ? M31RI_PAUSE_CHECK : 0) | (l->present == all ? M31RI_PAUSE_ALL : 0);
            return (uint8_t)i;
        }
    }
    return M31RI_NO_SLOT;
}

/* A value inside of the literal; one that is asked for must lie in one node. */
static bool take_fixed(learner *l, const m31ri_json_member *m, bool is_time)
{
    uint8_t pauses = 0;
    uint8_t slot = slot_of(l, m, &pauses);
    bool is_long = l->next.length + m->value_length > M31RI_SHAPE_LITERAL;
    bool is_full = l->next.n_fixed == M31RI_SHAPE_FIXED;
    if (slot != M31RI_NO_SLOT && (is_long || is_full) && !end_node(l)) {
        return false;
    }
    if (slot != M31RI_NO_SLOT) {
        m31ri_shape_node *n = &l->next;
        n->fixed[n->n_fixed++] =
            (m31ri_shape_fixed){slot, n->length, (uint8_t)m->value_length, m->type};
        n->pauses |= pauses;
        l->constant |= is_time ? 0 : (uint64_t)1 << slot;
    }
    return take_literal(l, l->end + m->value_length, is_time);
}

static bool take_member(void *context, const m31ri_json_member *m)
{
    learner *l = context;
    bool is_time = is_timestamp(m);
    l->fits = m->type != 'o' && m->type != 'a' && !m->key_escaped &&
              l->n_values++ < M31RI_SHAPE_VALUES &&
              take_literal(l, (size_t)(m->value - l->line), false);
    if (l->fits && (is_time || is_constant(l, m))) {
        return take_fixed(l, m, is_time);
    }
    if (l->fits) {
        uint8_t pauses = 0;
        l->next.type = m->type;
        l->next.slot = slot_of(l, m, &pauses);
        l->next.pauses |= pauses;
        l->end += m->value_length;
        (void)end_node(l);
    }
    return l->fits;
}

void m31ri_shapes_learn(m31ri_shapes *s, const char *line, size_t length)
{
    learner l = {.shapes = s, .line = line, .fits = true};
    if (s->n_nodes + 2 * M31RI_SHAPE_VALUES >= M31RI_SHAPE_NODES) {
        forget(s);
    }
    begin_node(&l);
    (void)m31ri_json_read_object(line, length - 1, take_member, &l, NULL);
    if (l.fits && take_literal(&l, length, false)) {
        l.next.type = '}';
        (void)end_node(&l);
    }
    if (l.is_crowded && s->n_constant > 0) {
        s->n_constant--;
        forget(s);
    }
}
