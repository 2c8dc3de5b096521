/* fuzz_judge.c - any text as lines: the walk through known shapes, in every way this machine has,
 * says what the exact parser says.
 *
 * The first byte chooses a filter. Each line is judged by the exact parser alone; by each way,
 * reading every line to its end: class, verdict and record must be the same; and by each way as it
 * is used: what passes must be the same. The lines before one are what shapes were learned from.
 * The sieve holds back every line that does not look like a record, and every one that passes; of
 * the others, read only until their values are there, those that are records are judged the same.
 */
#include <string.h>

#include "fuzz.h"
#include "read/expr_int.h"
#include "read/judge.h"

#define N_WALKS 5

static const char *const walks[N_WALKS] = {"avx512", "avx2", "sse2", "neon", "plain"};
static const char *const wanted[] = {"loss", "route", "nested", "msg"};

static m31r_filter filter_of(uint8_t choice)
{
    static const char *const texts[] = {"level>=WARNING and step in 10..2000",
                                        "loss>2 or route~\"v1\"", "not (has nested) and missing!=3",
                                        "line>2 and msg contains \"e\""};
    m31r_filter f = {0};
    m31r_error e;
    switch (choice % 8) {
    case 1:
        f.min_level = M31R_WARNING;
        break;
    case 2:
        f.module = "trainer";
        f.has_steps = true;
        f.first_step = -5;
        f.last_step = 1500;
        break;
    case 3:
        f.since_ns = 1795000000000000000;
        f.until_ns = 1795478400000000000;
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        REQUIRE(m31r_expr_compile(&f.expr, texts[choice % 8 - 4], M31R_EXPR_RECORD, &e) == M31R_OK);
        break;
    default:
        break;
    }
    return f;
}

/* What passes through a sieve looks like this. */
static bool looks_like_record(const char *line, size_t length)
{
    bool is_fine = length >= 2 && line[0] == '{' && line[length - 1] == '}';
    for (size_t i = 0; i < length && is_fine; i++) {
        bool is_bracket = (line[i] == '{' && i > 0) || (line[i] == '}' && i + 1 < length);
        is_fine = !is_bracket && line[i] >= 0x20 && line[i] != '\\';
    }
    return is_fine;
}

/* The places that a sieve holds back, and how many there are; to be freed. */
static m31ri_sieved *sieve(const char *text, size_t size, const m31ri_walk *walk,
                           const m31ri_sieve *s, size_t *n)
{
    size_t n_lines, n_newlines = 0;
    m31ri_sieved *held = malloc((size + 16) * sizeof *held);
    REQUIRE(held != NULL);
    *n = walk->sieve(text, size, s, held, &n_lines);
    for (size_t i = 0, k = 0; i < size; i++) {
        for (; k < *n && held[k].at == i; k++) {
            REQUIRE(held[k].n_before == n_newlines);
        }
        n_newlines += text[i] == '\n';
    }
    REQUIRE(n_lines == n_newlines);
    return held;
}

/* `*next` goes on from line to line. */
static bool is_held(const m31ri_sieved *held, size_t n, size_t *next, size_t start, size_t newline)
{
    while (*next < n && held[*next].at < start) {
        ++*next;
    }
    return *next < n && held[*next].at <= newline;
}

typedef struct side {
    m31ri_judge judge;
    m31r_filter filter;
    uint8_t slots[4];
    m31ri_verdict verdict;
    m31r_record record;
} side;

static void open_side(side *s, uint8_t choice, const char *walk, bool is_strict)
{
    s->filter = filter_of(choice);
    m31ri_judge_wants wants = {&s->filter, is_strict, true, wanted, 4, s->slots};
    REQUIRE(m31ri_judge_init(&s->judge, &wants));
    s->judge.walk = walk != NULL ? m31ri_walk_named(walk) : NULL;
}

static void close_side(side *s)
{
    m31ri_judge_release(&s->judge);
    m31r_expr_free(s->filter.expr);
}

static void judge(side *s, const char *line, size_t length, uint64_t line_number)
{
    s->record = (m31r_record){.file = "f", .lane = "", .line_number = line_number};
    s->verdict = m31ri_judge_line(&s->judge, line, length, &s->record);
    if (s->verdict == M31RI_KEEP || (s->verdict == M31RI_DROP && s->judge.is_strict)) {
        m31ri_judge_record(&s->judge, line, length, &s->record);
    }
}

static void require_same(const m31r_record *a, const m31r_record *b)
{
    REQUIRE(a->line == b->line && a->length == b->length);
    REQUIRE(a->wall_ns == b->wall_ns && a->level == b->level);
    REQUIRE(a->module == b->module && a->module_length == b->module_length);
    REQUIRE(a->message == b->message && a->message_length == b->message_length);
    REQUIRE(a->has_step == b->has_step && (!a->has_step || a->step == b->step));
}

/* Values that were asked for are those that the exact parser gives. */
typedef struct look {
    const side *s;
    const char *line;
    uint64_t met;
} look;

static bool look_up(void *context, const m31ri_json_member *m)
{
    look *l = context;
    for (size_t i = 0; i < 4; i++) {
        if (!m->key_escaped && strlen(wanted[i]) == m->key_length &&
            memcmp(wanted[i], m->key, m->key_length) == 0) {
            uint8_t slot = l->s->slots[i];
            const m31ri_shape_value *v = &l->s->judge.found.values[slot];
            l->met |= (uint64_t)1 << i;
            REQUIRE((l->s->judge.found.present >> slot & 1) != 0);
            REQUIRE(l->line + v->start == m->value && v->length == m->value_length);
            REQUIRE(v->type == m->type && v->is_escaped == m->value_escaped);
        }
    }
    return true;
}

static void require_values(const side *s, const char *line, size_t length)
{
    look l = {s, line, 0};
    (void)m31ri_json_read_object(line, length, look_up, &l, NULL);
    for (size_t i = 0; i < 4; i++) {
        REQUIRE((s->judge.found.present >> s->slots[i] & 1) == (l.met >> i & 1));
    }
}

static void require_same_counts(const side *a, const side *b)
{
    for (size_t i = 0; a->filter.expr != NULL && i < m31r_expr_fields(a->filter.expr); i++) {
        m31r_expr_field x, y;
        REQUIRE(m31r_expr_field_get(a->filter.expr, i, &x) == M31R_OK);
        REQUIRE(m31r_expr_field_get(b->filter.expr, i, &y) == M31R_OK);
        REQUIRE(x.n_met == y.n_met && x.n_other == y.n_other);
        REQUIRE((x.nearest == NULL) == (y.nearest == NULL));
        REQUIRE(x.nearest == NULL || strcmp(x.nearest, y.nearest) == 0);
    }
}

/* Each line through the sieve of the filter, and through the empty one. */
static void compare_sieved(const char *text, size_t size, uint8_t choice, const char *walk)
{
    static side exact, started;
    static const m31ri_sieve empty;
    size_t n_held, n_odd, next_held = 0, next_odd = 0;
    m31ri_sieve wanted_sieve;
    uint64_t line_number = 0;
    open_side(&exact, choice, NULL, true);
    open_side(&started, choice, walk, false);
    bool is_demanding = m31ri_sieve_of(&exact.filter, &wanted_sieve);
    m31ri_needle_choose(&wanted_sieve.needle, text, size);
    m31ri_sieved *held = sieve(text, size, started.judge.walk, &wanted_sieve, &n_held);
    m31ri_sieved *odd = sieve(text, size, started.judge.walk, &empty, &n_odd);
    for (size_t start = 0, newline; start < size; start = newline + 1) {
        newline = (size_t)((const char *)memchr(text + start, '\n', size - start) - text);
        const char *line = text + start;
        size_t length = newline - start;
        judge(&exact, line, length, ++line_number);
        bool passed = !is_held(held, n_held, &next_held, start, newline);
        REQUIRE(!passed || looks_like_record(line, length));
        REQUIRE(!passed || !is_demanding || exact.verdict != M31RI_KEEP);
        if (is_held(odd, n_odd, &next_odd, start, newline)) {
            judge(&started, line, length, line_number);
            continue;
        }
        started.record = (m31r_record){.file = "f", .lane = "", .line_number = line_number};
        started.verdict = m31ri_judge_start(&started.judge, line, length, &started.record);
        REQUIRE(exact.verdict == M31RI_BAD || exact.verdict == started.verdict);
        if (exact.verdict == M31RI_KEEP && started.judge.is_found) {
            require_values(&started, line, length);
        }
    }
    free(held);
    free(odd);
    close_side(&exact);
    close_side(&started);
}

static void compare(const char *text, size_t size, uint8_t choice, const char *walk)
{
    static side exact, strict, used;
    uint64_t line_number = 0;
    open_side(&exact, choice, NULL, true);
    open_side(&strict, choice, walk, true);
    open_side(&used, choice, walk, false);
    for (const char *line = text; line < text + size;) {
        const char *newline = memchr(line, '\n', (size_t)(text + size - line));
        size_t length = (size_t)(newline - line);
        line_number++;
        judge(&exact, line, length, line_number);
        judge(&strict, line, length, line_number);
        judge(&used, line, length, line_number);
        REQUIRE(exact.judge.class == strict.judge.class && exact.verdict == strict.verdict);
        REQUIRE((exact.verdict == M31RI_KEEP) == (used.verdict == M31RI_KEEP));
        REQUIRE(used.verdict != M31RI_BAD || exact.verdict == M31RI_BAD);
        if (exact.verdict != M31RI_BAD) {
            require_same(&exact.record, &strict.record);
        }
        if (exact.verdict == M31RI_KEEP) {
            require_same(&exact.record, &used.record);
        }
        if (exact.verdict != M31RI_BAD && strict.judge.is_found) {
            require_values(&strict, line, length);
        }
        line = newline + 1;
    }
    require_same_counts(&exact, &strict);
    close_side(&exact);
    close_side(&strict);
    close_side(&used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    /* Twice, so that the second half is judged by what the first half has taught. */
    size_t length = size - 1;
    char *text = malloc(2 * (length + 1) + M31RI_READ_BEYOND);
    REQUIRE(text != NULL);
    memcpy(text, data + 1, length);
    text[length] = '\n';
    memcpy(text + length + 1, text, length + 1);
    memset(text + 2 * (length + 1), 'x', M31RI_READ_BEYOND);
    for (size_t i = 0; i < N_WALKS; i++) {
        if (m31ri_walk_named(walks[i]) != NULL) {
            compare(text, 2 * (length + 1), data[0], walks[i]);
        }
    }
    size_t turn = size; /* the sieve in one way each time, whichever is next */
    while (m31ri_walk_named(walks[turn % N_WALKS]) == NULL) {
        turn++;
    }
    compare_sieved(text, 2 * (length + 1), data[0], walks[turn % N_WALKS]);
    free(text);
    return 0;
}
