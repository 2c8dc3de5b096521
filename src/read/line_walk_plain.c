/* line_walk_plain.c - line_walk.h in plain C, for any machine. */
#include "read/line_walk.h"

#define LANES 16
#define STRIDE 1

typedef struct lanes_constants {
    char quote, backslash;
} lanes_constants;

static inline lanes_constants make_constants(void)
{
    return (lanes_constants){'"', '\\'};
}

static inline uint64_t equals_of(const char *p, char c)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i++) {
        mask |= (uint64_t)(p[i] == c) << i;
    }
    return mask;
}

static inline uint64_t strings_of(const char *p, char letter, size_t n)
{
    uint64_t first = equals_of(p + 1, letter) | equals_of(p + 1, (char)(letter ^ 0x20));
    return first & equals_of(p, '"') & equals_of(p + n + 1, '"');
}

static inline uint64_t misfits_of(const char *p)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i++) {
        unsigned char x = (unsigned char)p[i];
        bool is_odd = (x < 0x20 && x != '\n') || x > 0x7f || x == '\\' ||
                      (x == '\n') != (p[i + 1] == '{') || (x == '}') != (p[i + 1] == '\n');
        mask |= (uint64_t)is_odd << i;
    }
    return mask;
}

static inline uint64_t string_stops(const char *p, const lanes_constants *c)
{
    for (unsigned i = 0; i < LANES; i++) {
        unsigned char x = (unsigned char)p[i];
        if (p[i] == c->quote || p[i] == c->backslash || x < 0x20 || x > 0x7f) {
            return (uint64_t)1 << i;
        }
    }
    return 0;
}

static inline uint64_t other_than_digits(const char *p, const lanes_constants *c)
{
    uint64_t mask = 0;
    (void)c;
    for (unsigned i = 0; i < LANES; i++) {
        mask |= (uint64_t)(p[i] < '0' || p[i] > '9') << i;
    }
    return mask;
}

static inline bool is_same(const char *p, const m31ri_shape_node *node)
{
    for (unsigned i = 0; i < node->length; i++) {
        unsigned char x = (unsigned char)p[i];
        if (x < node->lowest[i] || x > node->highest[i]) {
            return false;
        }
    }
    return true;
}

#include "read/line_walk_each.h"

const m31ri_walk m31ri_walk_plain = {"plain", find_newlines, find_sieved, walk};
