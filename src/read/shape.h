/* shape.h - the shapes of lines met so far: what stands between the values that differ.
 *
 * Records of one call site differ in their values only, and in few of these:
 *
 *     {"ts":"DDDD-..Z","level":"INFO","module":"trainer","msg":"step_complete","step":  n  ,"loss":
 *     '- literal 1: each byte has a lowest and a highest value -'       literal 2 -'     '- 3 ...
 *
 * A shape is a row of literals with a value of a known kind behind each; shapes that begin alike
 * share their beginning, so all of them are one tree. A line that is found in the tree is a valid
 * record, proved by comparing its literals as bytes, 32 or 64 at once, and walking over its values
 * by their grammar: no key is hashed, and none is looked up. A line that is not found goes to the
 * exact parser, which judges it, and when it is a flat object its shape is learned. What a shape
 * looks like is learned, never presumed: the spaces and the order of keys of another writer are
 * literals like ours.
 *
 * Values that are the same in most lines of a call site (level, module, msg) belong to the literal,
 * so that they are compared and not read. When that gives too many shapes, because messages are
 * free text, the tree starts again without. A timestamp of our form is a literal whose digits have
 * ranges.
 *
 * Invariants: only lines that the exact parser called OK are learned, so the keys of a path are
 * unique; no literal has room for a newline but the last of a path. No shape has an object, an
 * array or a key with an escape.
 *
 * Not thread-safe while learning: each thread has its own shapes.
 */
#ifndef M31RI_SHAPE_H
#define M31RI_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_SHAPE_LITERAL 64  /* bytes; a longer literal is several, one behind the other */
#define M31RI_SHAPE_VALUES 64   /* of a line */
#define M31RI_SHAPE_NODES 2048  /* when they are used up, learning starts again */
#define M31RI_SHAPE_SIBLINGS 16 /* literals that may follow the same beginning */
#define M31RI_SHAPE_FIXED 4     /* values inside of a literal that are asked for */
#define M31RI_SHAPE_SLOTS 64    /* fields that can be asked for */
#define M31RI_NO_SLOT 0xff

/* A value inside of a literal. */
typedef struct m31ri_shape_fixed {
    uint8_t slot, start, length;
    char type;
} m31ri_shape_fixed;

/* One literal and the value behind it. */
typedef struct m31ri_shape_node {
    uint8_t lowest[M31RI_SHAPE_LITERAL], highest[M31RI_SHAPE_LITERAL]; /* behind it: any byte */
    uint8_t length;
    char type;      /* 's' 'n' as in json_read.h; '-' no value; '}' the line has ended */
    uint8_t slot;   /* of the value's key, or M31RI_NO_SLOT */
    uint8_t pauses; /* M31RI_PAUSE_...: what was reached here */
    bool is_told;   /* of '}': for the owner of the shapes, false when made */
    uint8_t n_fixed;
    m31ri_shape_fixed fixed[M31RI_SHAPE_FIXED];
    uint64_t constant; /* names whose values are the same in every line that gets here */
    uint16_t child;    /* what may follow; 0: nothing */
    uint16_t sibling;  /* what may stand here instead; 0: nothing */
} m31ri_shape_node;

/* Where a walk can pause. */
#define M31RI_PAUSE_CHECK 1u /* behind each of `checkpoints`, and the last of `together` */
#define M31RI_PAUSE_ALL 2u   /* behind the last of all names */

/* Fields that are asked for, as plain bytes. */
typedef struct m31ri_shape_names {
    const char *names[M31RI_SHAPE_SLOTS];
    size_t n;
    uint64_t checkpoints, together; /* bit i: names[i] */
} m31ri_shape_names;

typedef struct m31ri_shapes {
    m31ri_shape_node *nodes; /* [0] is no node: its `child` is the first of all lines */
    size_t n_nodes;
    size_t n_constant;    /* how many of msg, module, level are still taken for constant */
    uint64_t n_forgotten; /* times that all nodes were given up */
    m31ri_shape_names names;
} m31ri_shapes;

/* A value in its line: strings without quotes, still escaped. */
typedef struct m31ri_shape_value {
    uint32_t start, length; /* from the line's start */
    char type;              /* also 't' 'f' '0' */
    bool is_escaped;
} m31ri_shape_value;

/* A line on its way through the tree. */
typedef struct m31ri_found {
    uint64_t present;                            /* bit i: names[i] is there */
    m31ri_shape_value values[M31RI_SHAPE_SLOTS]; /* of those that are present */
    m31ri_shape_node *last;                      /* node that was found last */
    const char *at;                              /* behind what was found */
} m31ri_found;

/* False when memory is out. */
bool m31ri_shapes_init(m31ri_shapes *s, const m31ri_shape_names *names);
void m31ri_shapes_release(m31ri_shapes *s);

/* Learns from a line (up to and with its newline) that the exact parser has called OK. */
void m31ri_shapes_learn(m31ri_shapes *s, const char *line, size_t length);

#endif
