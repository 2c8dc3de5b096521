/* settings.c - reading the strict parts of what a person wrote, by a table of keys.
 *
 * One row says everything about a key: its type, its range, where its value, flag and line go. So
 * an unknown key can be answered with the nearest one, and a key cannot exist without a range. A
 * value is taken only in the type that it has in the file: "yes" is not true and "5" is not 5,
 * because a guess here would change what is kept of a run.
 */
#include "format/settings.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/yaml_int.h"

typedef enum kind {
    KIND_LEVEL,
    KIND_BOOL,
    KIND_CAPTURE,
    KIND_WHEN_FULL,
    KIND_INT,
    KIND_SECONDS,
    KIND_KEYS,
    KIND_TEXT,
    KIND_DOTTED,
    KIND_STAGE,
    KIND_SEED,
    KIND_METRICS,
    KIND_PRIVACY
} kind;

typedef struct rule {
    const char *key;
    kind kind;
    size_t value, set, line; /* offsets in the struct that is filled */
    double low, high;
    double or_else; /* one value outside the range that is allowed too */
} rule;

#define AT(type, field)                                                                            \
    offsetof(type, field), offsetof(type, field##_set), offsetof(type, field##_line)

static const rule section_rules[] = {
    {"level", KIND_LEVEL, AT(m31ri_settings, level), 0, 0, 0},
    {"stdout", KIND_BOOL, AT(m31ri_settings, to_stdout), 0, 0, 0},
    {"file", KIND_BOOL, AT(m31ri_settings, to_file), 0, 0, 0},
    {"capture", KIND_CAPTURE, AT(m31ri_settings, capture), 0, 0, 0},
    {"log_every", KIND_INT, AT(m31ri_settings, log_every), 1, 1e9, 1},
    {"sample_interval_s", KIND_SECONDS, AT(m31ri_settings, sample_interval_s), 0.1, 3600, 0},
    {"log_prompts", KIND_BOOL, AT(m31ri_settings, log_prompts), 0, 0, 0},
    {"deny_keys", KIND_KEYS, AT(m31ri_settings, deny_keys), 0, 0, 0},
    {"privacy_hash", KIND_BOOL, AT(m31ri_settings, privacy_hash), 0, 0, 0},
    {"privacy_rules", KIND_PRIVACY, AT(m31ri_settings, privacy_rules), 0, 0, 0},
    {"block_timeout_s", KIND_SECONDS, AT(m31ri_settings, block_timeout_s), 0, 3600, 0},
    {"sync_interval_s", KIND_SECONDS, AT(m31ri_settings, sync_interval_s), 0, 3600, 0},
    {"rotate_mib", KIND_INT, AT(m31ri_settings, rotate_mib), 1, 1048576, 0},
    {"compress", KIND_BOOL, AT(m31ri_settings, compress), 0, 0, 0},
    {"error_stack", KIND_BOOL, AT(m31ri_settings, error_stack), 0, 0, 0},
    {"when_full", KIND_WHEN_FULL, AT(m31ri_settings, drops_low), 0, 0, 0},
    {"crash_handler", KIND_BOOL, AT(m31ri_settings, crash_handler), 0, 0, 0},
    {"anomalies", KIND_BOOL, AT(m31ri_settings, anomalies), 0, 0, 0},
};

static const rule project_rules[] = {
    {"config_version", KIND_INT, AT(m31ri_project, config_version), 1, 1, 1},
    {"config", KIND_TEXT, AT(m31ri_project, config), 0, 0, 0},
    {"stage", KIND_STAGE, AT(m31ri_project, stage), 0, 0, 0},
    {"dataset", KIND_TEXT, AT(m31ri_project, dataset), 0, 0, 0},
    {"tokenizer", KIND_TEXT, AT(m31ri_project, tokenizer), 0, 0, 0},
    {"name", KIND_TEXT, AT(m31ri_project, name), 0, 0, 0},
    {"seed", KIND_SEED, AT(m31ri_project, seed), 0, 0, 0},
    {"seed_key", KIND_DOTTED, AT(m31ri_project, seed_key), 0, 0, 0},
    {"dataset_key", KIND_DOTTED, AT(m31ri_project, dataset_key), 0, 0, 0},
    {"tokenizer_key", KIND_DOTTED, AT(m31ri_project, tokenizer_key), 0, 0, 0},
    {"root", KIND_TEXT, AT(m31ri_project, root), 0, 0, 0},
    {"metrics", KIND_METRICS, AT(m31ri_project, metrics), 0, 0, 0},
    {"capture", KIND_CAPTURE, AT(m31ri_project, capture), 0, 0, 0},
    {"clean_days", KIND_INT, AT(m31ri_project, clean_days), 0, 36500, 0},
    {"clean_mib", KIND_INT, AT(m31ri_project, clean_mib), 0, 1073741824, 0},
    {"clean_count", KIND_INT, AT(m31ri_project, clean_count), 0, 1000000000, 0},
};

#define N_SECTION_RULES (sizeof section_rules / sizeof section_rules[0])
#define N_PROJECT_RULES (sizeof project_rules / sizeof project_rules[0])

typedef struct reader {
    const rule *rules;
    size_t n_rules;
    const char *where; /* "observability." or "" before a key in messages */
    const char *path;
    void *out;
    m31r_error *e;
} reader;

static const char *type_name(m31ri_yaml_type t)
{
    static const char *const names[] = {"null", "true or false", "an integer", "a number",
                                        "text", "a mapping",     "a list"};
    return names[t];
}

static m31r_err wrong(const reader *r, const rule *what, const m31ri_yaml_node *n,
                      const char *wanted)
{
    m31ri_yaml_fail(
        r->e, r->path, n->line, n->column, "", "%s%s must be %s, not %s%s%.60s%s", r->where,
        what->key, wanted, type_name(n->type), n->first == NULL && n->text_length != 0 ? " (" : "",
        n->first == NULL ? n->text : "", n->first == NULL && n->text_length != 0 ? ")" : "");
    m31ri_fail_hint(r->e, "Correct the value of %s, or remove the line for the default.",
                    what->key);
    return M31R_E_CONFIG;
}

static m31r_err out_of_memory(const reader *r)
{
    return m31ri_fail(r->e, M31R_E_NOMEM, "no memory for the settings of %s", r->path);
}

static bool is_plain_text(const m31ri_yaml_node *n)
{
    bool scalar =
        n->type == M31RI_YAML_STRING || n->type == M31RI_YAML_INT || n->type == M31RI_YAML_FLOAT;
    if (!scalar || n->text_length == 0 || n->text_length > M31RI_SETTING_TEXT_BYTES) {
        return false;
    }
    for (size_t i = 0; i < n->text_length; i++) {
        if ((unsigned char)n->text[i] < 0x20 || n->text[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

static bool is_stage(const char *s)
{
    size_t length = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    return length >= 1 && length <= 32 && s[length] == '\0' && s[0] != '-';
}

/* name=regex; the expression itself is compiled by who uses it. */
static bool is_metric(const m31ri_yaml_node *n)
{
    if (n->type != M31RI_YAML_STRING || !is_plain_text(n)) {
        return false;
    }
    size_t length =
        strspn(n->text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@/-");
    return length >= 1 && length <= 128 && n->text[length] == '=' && n->text[length + 1] != '\0';
}

static void list_release(m31ri_text_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free(l->items[i]);
    }
    m31ri_free(l->items);
    m31ri_free(l->lines);
    *l = (m31ri_text_list){0};
}

static m31r_err take_list(const reader *r, const rule *what, const m31ri_yaml_node *n,
                          m31ri_text_list *out)
{
    bool metrics = what->kind == KIND_METRICS;
    const char *wanted = metrics ? "a list of patterns 'name=regex'" : "a list of key names";
    if (n->type != M31RI_YAML_LIST || n->n_children > M31RI_SETTING_LIST_ITEMS) {
        return wrong(r, what, n, wanted);
    }
    size_t room = (size_t)n->n_children + 1;
    *out = (m31ri_text_list){.items = m31ri_calloc(room, sizeof *out->items),
                             .lines = m31ri_calloc(room, sizeof *out->lines)};
    if (out->items == NULL || out->lines == NULL) {
        return out_of_memory(r);
    }
    for (const m31ri_yaml_node *c = n->first; c != NULL; c = c->next) {
        if (metrics ? !is_metric(c) : c->type != M31RI_YAML_STRING || !is_plain_text(c)) {
            return wrong(r, what, c, wanted);
        }
        out->lines[out->n] = c->line;
        out->items[out->n] = m31ri_strdup(c->text);
        if (out->items[out->n] == NULL) {
            return out_of_memory(r);
        }
        out->n++;
    }
    return M31R_OK;
}

static void privacy_release(m31ri_privacy_settings *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free(l->items[i].kind);
        m31ri_free(l->items[i].pattern);
    }
    m31ri_free(l->items);
    *l = (m31ri_privacy_settings){0};
}

static bool is_kind(const m31ri_yaml_node *n)
{
    size_t length = n != NULL && n->type == M31RI_YAML_STRING
                        ? strspn(n->text, "abcdefghijklmnopqrstuvwxyz0123456789_")
                        : 0;
    return length >= 1 && length <= 40 && n->text[length] == '\0';
}

/* {kind: acme_token, pattern: "acme_[A-Za-z0-9]{20,}"} */
static m31r_err take_privacy_rule(const reader *r, const rule *what, const m31ri_yaml_node *n,
                                  m31ri_privacy_settings *out)
{
    const m31ri_yaml_node *name = m31ri_yaml_get(n, "kind");
    const m31ri_yaml_node *pattern = m31ri_yaml_get(n, "pattern");
    bool fits = n->type == M31RI_YAML_MAP && n->n_children == 2 && is_kind(name) &&
                pattern != NULL && pattern->type == M31RI_YAML_STRING && is_plain_text(pattern);
    if (!fits) {
        return wrong(r, what, n, "a list of {kind: NAME, pattern: PATTERN}, NAME of a-z 0-9 _");
    }
    bool is_quoted = pattern->end - pattern->start > pattern->text_length;
    m31ri_privacy_setting *item = &out->items[out->n];
    *item = (m31ri_privacy_setting){.kind = m31ri_strdup(name->text),
                                    .pattern = m31ri_strdup(pattern->text),
                                    .line = pattern->line,
                                    .column = pattern->column + is_quoted};
    out->n++;
    return item->kind != NULL && item->pattern != NULL ? M31R_OK : out_of_memory(r);
}

static m31r_err take_privacy(const reader *r, const rule *what, const m31ri_yaml_node *n,
                             m31ri_privacy_settings *out)
{
    if (n->type != M31RI_YAML_LIST || n->n_children > M31RI_SETTING_PRIVACY_RULES) {
        return wrong(r, what, n, "a list of {kind: NAME, pattern: PATTERN}, 64 at most");
    }
    *out = (m31ri_privacy_settings){
        .items = m31ri_calloc((size_t)n->n_children + 1, sizeof *out->items)};
    m31r_err err = out->items != NULL ? M31R_OK : out_of_memory(r);
    for (const m31ri_yaml_node *c = n->first; c != NULL && err == M31R_OK; c = c->next) {
        err = take_privacy_rule(r, what, c, out);
    }
    return err;
}

static m31r_err take_number(const reader *r, const rule *what, const m31ri_yaml_node *n, void *out)
{
    char wanted[96];
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_buf_add_format(&text, "%s from %g to %g",
                         what->kind == KIND_INT ? "an integer" : "seconds", what->low, what->high);
    if (what->or_else < what->low) {
        m31ri_buf_add_format(&text, ", or %g for off", what->or_else);
    }
    strncpy(wanted, m31ri_buf_str(&text), sizeof wanted - 1);
    wanted[sizeof wanted - 1] = '\0';
    m31ri_buf_release(&text);
    bool typed =
        n->type == M31RI_YAML_INT || (what->kind == KIND_SECONDS && n->type == M31RI_YAML_FLOAT);
    bool fits = typed && ((n->f >= what->low && n->f <= what->high) || n->f == what->or_else);
    if (!fits) {
        return wrong(r, what, n, wanted);
    }
    if (what->kind == KIND_INT) {
        *(int64_t *)out = n->i;
    } else {
        *(double *)out = n->f;
    }
    return M31R_OK;
}

static m31r_err take_text(const reader *r, const rule *what, const m31ri_yaml_node *n, char **out)
{
    if (!is_plain_text(n)) {
        return wrong(r, what, n, "text on one line (\"none\" where there is nothing)");
    }
    if (what->kind == KIND_STAGE && !is_stage(n->text)) {
        return wrong(r, what, n, "a name of 1 to 32 characters a-z 0-9 _ -");
    }
    bool bad_dots =
        n->text[0] == '.' || n->text[n->text_length - 1] == '.' || strstr(n->text, "..") != NULL;
    if (what->kind == KIND_DOTTED && bad_dots) {
        return wrong(r, what, n, "a dotted key of the config, such as train.seed");
    }
    char *copy = m31ri_strdup(n->text);
    if (copy == NULL) {
        return out_of_memory(r);
    }
    m31ri_free(*out);
    *out = copy;
    return M31R_OK;
}

static m31r_err take_seed(const reader *r, const rule *what, const m31ri_yaml_node *n)
{
    m31ri_project *p = r->out;
    p->seed_is_none = n->type == M31RI_YAML_STRING && strcmp(n->text, "none") == 0;
    if (n->type != M31RI_YAML_INT && !p->seed_is_none) {
        return wrong(r, what, n, "an integer or none");
    }
    p->seed = n->i;
    return M31R_OK;
}

static m31r_err take(const reader *r, const rule *what, const m31ri_yaml_node *n)
{
    void *out = (char *)r->out + what->value;
    *(bool *)((char *)r->out + what->set) = true;
    *(uint32_t *)((char *)r->out + what->line) = n->key_line;
    switch (what->kind) {
    case KIND_LEVEL:
        return n->type == M31RI_YAML_STRING && m31ri_level_read(n->text, out)
                   ? M31R_OK
                   : wrong(r, what, n, "one of DEBUG, INFO, WARNING, ERROR, CRITICAL");
    case KIND_BOOL:
        if (n->type != M31RI_YAML_BOOL) {
            return wrong(r, what, n, "true or false");
        }
        *(bool *)out = n->b;
        return M31R_OK;
    case KIND_CAPTURE:
        return n->type == M31RI_YAML_STRING && m31ri_capture_read(n->text, out)
                   ? M31R_OK
                   : wrong(r, what, n, "one of full, patterns, off");
    case KIND_WHEN_FULL:
        *(bool *)out = strcmp(n->text, "drop") == 0;
        return n->type == M31RI_YAML_STRING && (*(bool *)out || strcmp(n->text, "block") == 0)
                   ? M31R_OK
                   : wrong(r, what, n, "one of block, drop");
    case KIND_INT:
    case KIND_SECONDS:
        return take_number(r, what, n, out);
    case KIND_KEYS:
    case KIND_METRICS:
        return take_list(r, what, n, out);
    case KIND_PRIVACY:
        return take_privacy(r, what, n, out);
    case KIND_TEXT:
    case KIND_DOTTED:
    case KIND_STAGE:
        return take_text(r, what, n, out);
    case KIND_SEED:
        return take_seed(r, what, n);
    }
    return M31R_OK;
}

static unsigned smallest(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edits that make one word the other, case and '-' for '_' not counted; words longer than 63 are
 * far. */
static unsigned distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned row[64];
    if (n >= 64 || m >= 64) {
        return 1000;
    }
    for (size_t j = 0; j <= m; j++) {
        row[j] = (unsigned)j;
    }
    for (size_t i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            char x = a[i - 1] == '-' ? '_' : (char)(a[i - 1] | ' '),
                 y = b[j - 1] == '-' ? '_' : (char)(b[j - 1] | ' ');
            unsigned here = smallest(row[j] + 1, row[j - 1] + 1, diagonal + (x != y));
            diagonal = row[j];
            row[j] = here;
        }
    }
    return row[m];
}

static const rule *find_rule(const rule *rules, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rules[i].key, key) == 0) {
            return &rules[i];
        }
    }
    return NULL;
}

static m31r_err unknown_key(const reader *r, const m31ri_yaml_node *n)
{
    const rule *nearest = NULL;
    unsigned best = (unsigned)strlen(n->key) / 3 + 2;
    m31ri_buf all = M31RI_BUF_INIT;
    for (size_t i = 0; i < r->n_rules; i++) {
        unsigned d = distance(n->key, r->rules[i].key);
        if (d < best) {
            best = d;
            nearest = &r->rules[i];
        }
        m31ri_buf_add_format(&all, "%s%s", i != 0 ? ", " : "", r->rules[i].key);
    }
    m31ri_yaml_fail(r->e, r->path, n->key_line, n->key_column, "", "unknown key %s%.100s", r->where,
                    n->key);
    bool elsewhere =
        r->rules == project_rules && find_rule(section_rules, N_SECTION_RULES, n->key) != NULL;
    if (elsewhere || (r->rules == project_rules && strcmp(n->key, "observability") == 0)) {
        m31ri_fail_hint(
            r->e, "This belongs into section observability: of your config, not into m31r.yaml.");
    } else if (nearest != NULL) {
        m31ri_fail_hint(r->e, "Did you mean %s?", nearest->key);
    } else {
        m31ri_fail_hint(r->e, "Known keys: %s.", m31ri_buf_str(&all));
    }
    m31ri_buf_release(&all);
    return M31R_E_CONFIG;
}

static m31r_err read_map(const reader *r, const m31ri_yaml_node *map)
{
    for (const m31ri_yaml_node *n = map->first; n != NULL; n = n->next) {
        const rule *what = find_rule(r->rules, r->n_rules, n->key);
        m31r_err err = what != NULL ? take(r, what, n) : unknown_key(r, n);
        if (err != M31R_OK) {
            return err;
        }
    }
    return M31R_OK;
}

const char *m31ri_capture_name(m31ri_capture c)
{
    static const char *const names[] = {"full", "patterns", "off"};
    return (unsigned)c < 3 ? names[c] : "?";
}

bool m31ri_capture_read(const char *text, m31ri_capture *out)
{
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, m31ri_capture_name((m31ri_capture)i)) == 0) {
            *out = (m31ri_capture)i;
            return true;
        }
    }
    return false;
}

bool m31ri_level_read(const char *text, m31r_level *out)
{
    static const struct {
        const char *name;
        m31r_level level;
    } levels[] = {
        {"DEBUG", M31R_DEBUG}, {"INFO", M31R_INFO},         {"WARNING", M31R_WARNING},
        {"ERROR", M31R_ERROR}, {"CRITICAL", M31R_CRITICAL},
    };
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (strcasecmp(text, levels[i].name) == 0) {
            *out = levels[i].level;
            return true;
        }
    }
    return false;
}

void m31ri_settings_init(m31ri_settings *s)
{
    *s = (m31ri_settings){.level = M31R_INFO,
                          .to_stdout = true,
                          .to_file = true,
                          .log_every = 1,
                          .sample_interval_s = 1,
                          .block_timeout_s = 5,
                          .sync_interval_s = 1,
                          .rotate_mib = 256,
                          .compress = true,
                          .error_stack = true,
                          .anomalies = true};
}

void m31ri_settings_release(m31ri_settings *s)
{
    list_release(&s->deny_keys);
    privacy_release(&s->privacy_rules);
}

m31r_err m31ri_settings_read(const m31ri_yaml *config, const char *path, m31ri_settings *out,
                             m31r_error *e)
{
    m31ri_settings s;
    m31ri_settings_init(&s);
    reader r = {.rules = section_rules,
                .n_rules = N_SECTION_RULES,
                .where = "observability.",
                .path = path,
                .out = &s,
                .e = e};
    const m31ri_yaml_node *root = m31ri_yaml_root(config);
    const m31ri_yaml_node *section = m31ri_yaml_get(root, "observability");
    s.config_version_set = m31ri_yaml_get(root, "config_version") != NULL;
    s.section_set = section != NULL;
    s.section_line = section != NULL ? section->key_line : 0;
    m31r_err err = M31R_OK;
    if (section != NULL && section->type == M31RI_YAML_MAP) {
        err = read_map(&r, section);
    } else if (section != NULL && section->type != M31RI_YAML_NULL) {
        err = m31ri_yaml_fail(e, path, section->line, section->column,
                              "Write observability: and indented keys below it.",
                              "observability must be a mapping, not %s", type_name(section->type));
    }
    if (err != M31R_OK) {
        m31ri_settings_release(&s);
        return err;
    }
    m31ri_settings_release(out);
    *out = s;
    return M31R_OK;
}

bool m31ri_project_init(m31ri_project *p)
{
    *p = (m31ri_project){.config_version = 1, .root = m31ri_strdup("experiments")};
    return p->root != NULL;
}

void m31ri_project_release(m31ri_project *p)
{
    char *texts[] = {p->config,   p->stage,       p->dataset,       p->tokenizer, p->name,
                     p->seed_key, p->dataset_key, p->tokenizer_key, p->root};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        m31ri_free(texts[i]);
    }
    list_release(&p->metrics);
    *p = (m31ri_project){0};
}

m31r_err m31ri_project_read(const m31ri_yaml *file, const char *path, m31ri_project *out,
                            m31r_error *e)
{
    m31ri_project p;
    reader r = {.rules = project_rules,
                .n_rules = N_PROJECT_RULES,
                .where = "",
                .path = path,
                .out = &p,
                .e = e};
    m31r_err err = m31ri_project_init(&p) ? read_map(&r, m31ri_yaml_root(file)) : out_of_memory(&r);
    if (err != M31R_OK) {
        m31ri_project_release(&p);
        return err;
    }
    m31ri_project_release(out);
    *out = p;
    return M31R_OK;
}
