/* line_search.c - which lines of two lists differ: Myers' O(ND) algorithm in linear space.
 *
 * From both corners of the box the furthest reaching paths are grown, one difference more a round,
 * until they meet; that point parts the box in two. After COST rounds the furthest point reached is
 * taken instead, so that two large texts with nothing in common do not take the square of their
 * size; the answer may then have more differences than the shortest.
 */
#include <stdint.h>

#include "base/alloc.h"
#include "git/line_diff_int.h"

#define COST 400

typedef struct box {
    int64_t a0, a1, b0, b1;
} box;

typedef struct point {
    int64_t x, y;
} point;

/* Diagonals d = x - y that the two searches are on; ends are inclusive. */
typedef struct band {
    int64_t low, high;
    int64_t *reached; /* x by diagonal; index 0 is the middle of the allocation */
} band;

typedef struct search {
    const m31ri_lines *a, *b;
    int64_t *memory;
    band forward, backward;
} search;

static bool is_same(const search *s, int64_t x, int64_t y)
{
    return s->a->ids[x] == s->b->ids[y];
}

/* Widens the band by one diagonal at each end; where the box ends it narrows, which keeps the
 * parity of the diagonals. */
static void widen(band *f, const box *k, int64_t nothing)
{
    if (f->low > k->a0 - k->b1) {
        f->reached[--f->low - 1] = nothing;
    } else {
        f->low++;
    }
    if (f->high < k->a1 - k->b0) {
        f->reached[++f->high + 1] = nothing;
    } else {
        f->high--;
    }
}

static bool holds(const band *f, int64_t d)
{
    return d >= f->low && d <= f->high;
}

/* One round from the start of the box. True when it met the other search, at `*met`. */
static bool step_forward(search *s, const box *k, bool may_meet, point *met)
{
    band *f = &s->forward;
    widen(f, k, -1);
    for (int64_t d = f->high; d >= f->low; d -= 2) {
        int64_t down = f->reached[d + 1];
        int64_t right = f->reached[d - 1] + 1;
        int64_t x = down >= right ? down : right;
        while (x < k->a1 && x - d < k->b1 && is_same(s, x, x - d)) {
            x++;
        }
        f->reached[d] = x;
        if (may_meet && holds(&s->backward, d) && s->backward.reached[d] <= x) {
            *met = (point){x, x - d};
            return true;
        }
    }
    return false;
}

static bool step_backward(search *s, const box *k, bool may_meet, point *met)
{
    band *b = &s->backward;
    widen(b, k, INT64_MAX / 2);
    for (int64_t d = b->high; d >= b->low; d -= 2) {
        int64_t up = b->reached[d - 1];
        int64_t left = b->reached[d + 1] - 1;
        int64_t x = up <= left ? up : left;
        while (x > k->a0 && x - d > k->b0 && is_same(s, x - 1, x - d - 1)) {
            x--;
        }
        b->reached[d] = x;
        if (may_meet && holds(&s->forward, d) && x <= s->forward.reached[d]) {
            *met = (point){x, x - d};
            return true;
        }
    }
    return false;
}

/* The point inside the box that the forward search has got furthest to. */
static point furthest(const search *s, const box *k)
{
    point best = {k->a0, k->b0};
    for (int64_t d = s->forward.high; d >= s->forward.low; d -= 2) {
        int64_t x = s->forward.reached[d] < k->a1 ? s->forward.reached[d] : k->a1;
        int64_t y = x - d;
        if (y > k->b1) {
            y = k->b1;
            x = y + d;
        }
        if (x >= k->a0 && y >= k->b0 && x + y > best.x + best.y) {
            best = (point){x, y};
        }
    }
    return best;
}

/* Inside the box and at neither corner, so that both parts are smaller than the box. */
static bool parts(const box *k, point p)
{
    return p.x >= k->a0 && p.x <= k->a1 && p.y >= k->b0 && p.y <= k->b1 &&
           (p.x > k->a0 || p.y > k->b0) && (p.x < k->a1 || p.y < k->b1);
}

/* Where to part a box whose first and last lines differ. */
static point part(search *s, const box *k)
{
    point met = {k->a0, k->b0};
    int64_t start = k->a0 - k->b0;
    int64_t end = k->a1 - k->b1;
    bool is_odd = ((start - end) & 1) != 0;
    s->forward.low = s->forward.high = start;
    s->backward.low = s->backward.high = end;
    s->forward.reached[start] = k->a0;
    s->backward.reached[end] = k->a1;
    for (int cost = 1; cost <= COST; cost++) {
        if (step_forward(s, k, is_odd, &met) || step_backward(s, k, !is_odd, &met)) {
            break;
        }
    }
    return parts(k, met) ? met : furthest(s, k);
}

static void mark(bool *is_changed, int64_t from, int64_t to)
{
    for (; from < to; from++) {
        is_changed[from] = true;
    }
}

/* Takes equal lines off both ends. */
static void shrink(const search *s, box *k)
{
    while (k->a0 < k->a1 && k->b0 < k->b1 && is_same(s, k->a0, k->b0)) {
        k->a0++;
        k->b0++;
    }
    while (k->a0 < k->a1 && k->b0 < k->b1 && is_same(s, k->a1 - 1, k->b1 - 1)) {
        k->a1--;
        k->b1--;
    }
}

static int64_t size_of(const box *k)
{
    return k->a1 - k->a0 + (k->b1 - k->b0);
}

/* The smaller part by recursion, so that it is no deeper than the logarithm of the lines. */
static void compare(search *s, box k)
{
    for (;;) {
        shrink(s, &k);
        if (k.a0 == k.a1 || k.b0 == k.b1) {
            mark(s->a->is_changed, k.a0, k.a1);
            mark(s->b->is_changed, k.b0, k.b1);
            return;
        }
        point p = part(s, &k);
        if (!parts(&k, p)) {
            p = (point){k.a1, k.b0}; /* all of one, then all of the other */
        }
        box first = {k.a0, p.x, k.b0, p.y};
        box second = {p.x, k.a1, p.y, k.b1};
        bool is_first_smaller = size_of(&first) < size_of(&second);
        compare(s, is_first_smaller ? first : second);
        k = is_first_smaller ? second : first;
    }
}

bool m31ri_line_search(const m31ri_lines *a, const m31ri_lines *b)
{
    size_t n_diagonals = a->n + b->n + 5;
    search s = {.a = a, .b = b, .memory = m31ri_calloc(2 * n_diagonals, sizeof *s.memory)};
    if (s.memory == NULL) {
        return false;
    }
    s.forward.reached = s.memory + b->n + 2;
    s.backward.reached = s.forward.reached + n_diagonals;
    compare(&s, (box){0, (int64_t)a->n, 0, (int64_t)b->n});
    m31ri_free(s.memory);
    return true;
}
