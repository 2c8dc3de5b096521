/* The parts of the pipeline that compute, each against a slow and plain version of itself or
 * against what must hold: merges, round trips, near duplicates, generation, ends of completions.
 * Prints what fails and exits 1.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_train.h"
#include "filter.h"
#include "generator.h"
#include "near.h"
#include "task.h"
#include "utf8.h"

enum { TEXT_BYTES = 4000, VOCAB = 300 };

static int failures;

static void expect(bool holds, const char *statement)
{
    if (!holds) {
        (void)printf("failed: %s\n", statement);
        failures++;
    }
}

/* A text of few words, so that pairs are often equally frequent. */
static bytes text_new(uint64_t seed)
{
    static const char *const WORDS[] = {"fn ", "let ", "abab", "ab",   "= ", "{\n    ",
                                        "}\n", "1234", "aaa",  "mut ", "",   "_x"};
    bytes text = {0};
    fault error;
    xoshiro rng;
    xoshiro_init(&rng, seed);
    while (text.size < TEXT_BYTES) {
        const char *word = WORDS[xoshiro_below(&rng, sizeof WORDS / sizeof *WORDS)];
        (void)bytes_append(&text, word, strlen(word) + (*word == '\0'), &error);
    }
    return text;
}

/* ---- merges -----------------------------------------------------------------------------------
 */

/* A text as tokens, with -1 between words. */
static size_t tokens_of(const bytes *text, int *tokens)
{
    size_t n = 0;
    const uint8_t *end = text->data + text->size;
    for (const uint8_t *at = text->data; at < end;) {
        size_t size = bpe_word_size(at, end);
        for (size_t i = 0; i < size; i++) {
            tokens[n++] = at[i];
        }
        tokens[n++] = -1;
        at += size;
    }
    return n;
}

/* The most frequent pair, found by counting everything anew; 0 when none is there twice. */
static uint32_t best_pair(const int *tokens, size_t n, size_t min_pairs)
{
    static uint32_t counts[VOCAB * VOCAB];
    uint32_t best = 0;
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i + 1 < n; i++) {
        if (tokens[i] > 0 && tokens[i + 1] > 0) {
            counts[tokens[i] * VOCAB + tokens[i + 1]]++;
        }
    }
    for (uint32_t pair = 1; pair < VOCAB * VOCAB; pair++) {
        best = counts[pair] > counts[best] ? pair : best;
    }
    return counts[best] >= min_pairs ? best : 0;
}

static size_t merge_all(int *tokens, size_t n, uint32_t pair, int made)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; kept++) {
        bool is_pair =
            i + 1 < n && tokens[i] == (int)(pair / VOCAB) && tokens[i + 1] == (int)(pair % VOCAB);
        tokens[kept] = is_pair ? made : tokens[i];
        i += is_pair ? 2 : 1;
    }
    return kept;
}

static void test_bpe__merges_are_those_of_counting_everything_anew(uint64_t seed)
{
    static int tokens[3 * TEXT_BYTES];
    const bpe_train_plan plan = {VOCAB, 2};
    bpe_train_report report = {0};
    fault error = {0};
    bytes text = text_new(seed);
    bpe *b = bpe_train(&text, &plan, &report, &error);
    expect(b != NULL, "a tokenizer is trained");
    size_t n = tokens_of(&text, tokens);
    size_t n_merges = 0;
    bool same = b != NULL;
    for (uint32_t pair;
         same && n_merges < VOCAB - BPE_BYTES && (pair = best_pair(tokens, n, plan.min_pairs)) != 0;
         n_merges++) {
        const uint16_t made = (uint16_t)(BPE_BYTES + n_merges);
        size_t sizes[3];
        n = merge_all(tokens, n, pair, made);
        const uint8_t *left = bpe_token(b, (uint16_t)(pair / VOCAB), &sizes[0]);
        const uint8_t *right = bpe_token(b, (uint16_t)(pair % VOCAB), &sizes[1]);
        const uint8_t *both = n_merges < report.n_merges ? bpe_token(b, made, &sizes[2]) : NULL;
        same = both != NULL && sizes[2] == sizes[0] + sizes[1] &&
               memcmp(both, left, sizes[0]) == 0 && memcmp(both + sizes[0], right, sizes[1]) == 0;
    }
    expect(same && n_merges == report.n_merges, "every merge is the one of the plain version");
    bpe_free(b);
    bytes_release(&text);
}

static void test_bpe__any_bytes_come_back(void)
{
    fault error = {0};
    xoshiro rng;
    bytes text = text_new(3);
    bytes tokens = {0};
    bytes back = {0};
    bpe *b = bpe_train(&text, &(bpe_train_plan){VOCAB, 2}, &(bpe_train_report){0}, &error);
    xoshiro_init(&rng, 5);
    for (size_t i = 0; i < text.size; i += 1 + xoshiro_below(&rng, 9)) {
        text.data[i] = (uint8_t)xoshiro_next(&rng);
    }
    expect(bpe_encode(b, text.data, text.size, &tokens, &error), "noise is encoded");
    for (size_t i = 0; i < tokens.size; i += 2) {
        uint16_t token;
        size_t size;
        memcpy(&token, tokens.data + i, 2);
        const uint8_t *spelled = bpe_token(b, token, &size);
        (void)bytes_append(&back, spelled, size, &error);
    }
    expect(back.size == text.size && memcmp(back.data, text.data, text.size) == 0,
           "what was encoded comes back byte for byte");
    expect(tokens.size / 2 < text.size, "merges make it shorter");
    bpe_free(b);
    bytes_release(&text);
    bytes_release(&tokens);
    bytes_release(&back);
}

/* ---- generation -------------------------------------------------------------------------------
 */

static void test_generator__gives_what_the_forward_step_gives(void)
{
    enum { CONTEXT = 12, TOKENS = 50 };
    fault error;
    model m;
    xoshiro rng;
    uint16_t tokens[CONTEXT + 1];
    expect(model_plan(&m, (model_shape){16, 2, 2, 24, CONTEXT, TOKENS}, &error), "a model");
    real *parameters = calloc(m.n_parameters, sizeof *parameters);
    model_memory *memory = model_memory_new(&m, 1);
    xoshiro_init(&rng, 11);
    model_parameters_init(&m, parameters, &rng);
    for (size_t i = 0; i < m.n_parameters; i++) {
        parameters[i] += (real)(0.1 * xoshiro_normal(&rng));
    }
    for (int i = 0; i <= CONTEXT; i++) {
        tokens[i] = (uint16_t)xoshiro_below(&rng, TOKENS);
    }
    double whole = model_forward(&m, parameters, memory,
                                 (model_batch){.n_sequences = 1, tokens, tokens + 1, 1});
    generator *g = generator_new(&m, parameters);
    double sum = 0;
    (void)generator_begin(g, tokens, 1);
    for (int i = 1; i <= CONTEXT; i++) {
        sum -= generator_log_probability(g, tokens[i]);
        generator_push(g, tokens[i]);
    }
    expect(fabs(sum - whole) < 1e-3 * whole, "token by token is all at once");
    expect(generator_begin(g, tokens, CONTEXT + 1) == CONTEXT - CONTEXT / 4,
           "of a long beginning the end is taken");
    for (int i = 0; i < 5 * CONTEXT; i++) {
        expect(generator_next(g, 0.7, &rng) < TOKENS, "it goes on behind a full context");
    }
    generator_free(g);
    model_memory_free(memory);
    free(parameters);
}

/* ---- data -------------------------------------------------------------------------------------
 */

static void test_near__estimates_how_much_two_texts_share(void)
{
    enum { WORDS = 2000 };
    near_signature a;
    near_signature b;
    fault error;
    for (int changed = 0; changed <= WORDS; changed += WORDS / 4) {
        bytes one = {0};
        bytes two = {0};
        for (int i = 0; i < WORDS; i++) {
            char word[32];
            size_t size = (size_t)snprintf(word, sizeof word, "w%d ", i);
            (void)bytes_append(&one, word, size, &error);
            size = (size_t)snprintf(word, sizeof word, "%c%d ", i < changed ? 'v' : 'w', i);
            (void)bytes_append(&two, word, size, &error);
        }
        expect(near_signature_set(&a, &one) && near_signature_set(&b, &two), "texts have shingles");
        double shared = WORDS - changed;
        double exact = shared / (2.0 * WORDS - shared);
        expect(fabs(near_similarity(&a, &b) - exact) < 0.15, "within three standard errors");
        bytes_release(&one);
        bytes_release(&two);
    }
}

static void test_utf8__is_as_the_rfc_has_it(void)
{
    static const struct {
        const char *text;
        bool is_valid;
    } CASES[] = {{"abc", true},           {"\xc3\xa9", true},
                 {"\xe2\x82\xac", true},  {"\xf0\x9f\x98\x80", true},
                 {"\xc0\x80", false},     {"\xe0\x80\x80", false},
                 {"\xed\xa0\x80", false}, {"\xf4\x90\x80\x80", false},
                 {"\xc3", false},         {"a\x80", false},
                 {"\xe2\x82", false},     {"\xff", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const uint8_t *at = (const uint8_t *)CASES[i].text;
        expect(utf8_is_valid(at, strlen(CASES[i].text)) == CASES[i].is_valid, CASES[i].text);
    }
    fault error;
    bytes from = {0};
    bytes to = {0};
    (void)bytes_append(&from, "a\xff\xe2\x82", 4, &error);
    expect(utf8_move(&from, &to, false, &error) && to.size == 4 && from.size == 2,
           "what is cut off waits, what is wrong is replaced");
    (void)bytes_append(&from, "\xac", 1, &error);
    expect(utf8_move(&from, &to, true, &error) && to.size == 7 && from.size == 0 &&
               memcmp(to.data, "a\xef\xbf\xbd\xe2\x82\xac", 7) == 0,
           "what was cut off is made whole");
    bytes_release(&from);
    bytes_release(&to);
}

static void test_task__ends_where_the_braces_of_the_prompt_close(void)
{
    static const char PROMPT[] = "pub fn f() { // {\n    if a == '{' { \"}\"; } else {";
    static const char BEST[] = " b(\"}\") }\n}\nfn rest() {}";
    task t = {.stop = TASK_STOP_BRACE,
              .prompt = {(uint8_t *)PROMPT, sizeof PROMPT - 1, sizeof PROMPT - 1}};
    size_t end = 0;
    expect(task_has_ended(&t, (const uint8_t *)BEST, sizeof BEST - 1, &end) &&
               strncmp(BEST + end, "\nfn rest", 8) == 0,
           "texts, characters and comments do not count");
    expect(!task_has_ended(&t, (const uint8_t *)" b }", 4, &end), "one brace is still open");
    t.stop = TASK_STOP_LINE;
    expect(!task_has_ended(&t, (const uint8_t *)"a", 1, &end), "a line without its end");
    expect(task_has_ended(&t, (const uint8_t *)"a\nb", 3, &end) && end == 2, "the first line");
}

int main(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        test_bpe__merges_are_those_of_counting_everything_anew(seed);
    }
    test_bpe__any_bytes_come_back();
    test_generator__gives_what_the_forward_step_gives();
    test_near__estimates_how_much_two_texts_share();
    test_utf8__is_as_the_rfc_has_it();
    test_task__ends_where_the_braces_of_the_prompt_close();
    return failures == 0 ? 0 : 1;
}
