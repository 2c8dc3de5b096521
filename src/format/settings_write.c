/* settings_write.c - the m31r.yaml that `m31r init` writes: a file to be read and changed by a
 * person.
 *
 * Every key is there, those without a value as a comment, so that the file is its own manual. Text
 * is quoted whenever reading it plain would give another type or text; the test writes, reads back
 * and compares.
 */
#include <string.h>

#include "format/settings.h"
#include "format/yaml_int.h"

static bool reads_back_plain(const char *text)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-@";
    m31ri_yaml_node n = {.text = text, .text_length = strlen(text)};
    return n.text_length != 0 && strspn(text, safe) == n.text_length &&
           strchr("-@", text[0]) == NULL && m31ri_yaml_resolve(&n) && n.type == M31RI_YAML_STRING;
}

void m31ri_yaml_quote(m31ri_buf *out, const char *text)
{
    if (reads_back_plain(text)) {
        m31ri_buf_add_str(out, text);
        return;
    }
    m31ri_buf_add_char(out, '"');
    for (const char *s = text; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7F) {
            m31ri_buf_add_format(out, "\\x%02x", c);
            continue;
        }
        if (c == '"' || c == '\\') {
            m31ri_buf_add_char(out, '\\');
        }
        m31ri_buf_add_char(out, *s);
    }
    m31ri_buf_add_char(out, '"');
}

static void add_text(m31ri_buf *out, const char *key, const char *value, const char *example,
                     const char *comment)
{
    m31ri_buf_add_format(out, "\n# %s\n", comment);
    if (value == NULL) {
        m31ri_buf_add_format(out, "#%s: %s\n", key, example);
        return;
    }
    m31ri_buf_add_format(out, "%s: ", key);
    m31ri_yaml_quote(out, value);
    m31ri_buf_add_char(out, '\n');
}

static void add_seed(m31ri_buf *out, const m31ri_project *p)
{
    m31ri_buf_add_str(out,
                      "\n# The seed: an integer, or none when the program has no randomness.\n");
    if (!p->seed_set) {
        m31ri_buf_add_str(out, "#seed: 42\n");
    } else if (p->seed_is_none) {
        m31ri_buf_add_str(out, "seed: none\n");
    } else {
        m31ri_buf_add_format(out, "seed: %lld\n", (long long)p->seed);
    }
}

static void add_metrics(m31ri_buf *out, const m31ri_project *p)
{
    m31ri_buf_add_str(out, "\n# Numbers to take out of printed lines: name=regex; the first group "
                           "is the value, a group named\n"
                           "# step is the step.\n");
    if (p->metrics.n == 0) {
        m31ri_buf_add_str(out,
                          "#metrics:\n#  - 'loss=step (?<step>[0-9]+).*loss:? ([0-9.eE+-]+)'\n");
        return;
    }
    m31ri_buf_add_str(out, "metrics:\n");
    for (size_t i = 0; i < p->metrics.n; i++) {
        m31ri_buf_add_str(out, "  - ");
        m31ri_yaml_quote(out, p->metrics.items[i]);
        m31ri_buf_add_char(out, '\n');
    }
}

static void add_clean(m31ri_buf *out, const m31ri_project *p)
{
    const struct {
        const char *key;
        bool is_set;
        int64_t value, example;
    } rules[] = {{"clean_days", p->clean_days_set, p->clean_days, 90},
                 {"clean_mib", p->clean_mib_set, p->clean_mib, 1024},
                 {"clean_count", p->clean_count_set, p->clean_count, 100}};
    m31ri_buf_add_str(out,
                      "\n# What `m31r clean` leaves of rotated logs outside of runs: days, MiB, "
                      "segments.\n");
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        m31ri_buf_add_format(out, "%s%s: %lld\n", rules[i].is_set ? "" : "#", rules[i].key,
                             (long long)(rules[i].is_set ? rules[i].value : rules[i].example));
    }
}

void m31ri_project_write(m31ri_buf *out, const m31ri_project *p)
{
    m31ri_buf_add_str(out, "# What m31r must know about this project. With it, `m31r run -- "
                           "PROGRAM` needs no option.\n"
                           "config_version: 1\n");
    add_text(out, "config", p->config, "configs/train.yaml",
             "The program's own config, kept with every run (YAML, JSON or any file).");
    add_text(out, "stage", p->stage, "train",
             "What the program does: data, tokenizer, train, eval, serve, or another word.");
    add_text(out, "dataset", p->dataset, "data/corpus",
             "The dataset: a path (fingerprinted), a version such as name@1.2, or none.");
    add_text(out, "dataset_key", p->dataset_key, "data.path", "... or where the config says it.");
    add_text(out, "tokenizer", p->tokenizer, "data/tokenizer.json",
             "The tokenizer: a path, a version, or none.");
    add_text(out, "tokenizer_key", p->tokenizer_key, "tokenizer.path",
             "... or where the config says it.");
    add_seed(out, p);
    add_text(out, "seed_key", p->seed_key, "train.seed", "... or where the config says it.");
    add_text(out, "root", p->root_set ? p->root : NULL, "experiments", "Where runs are kept.");
    add_text(out, "name", p->name, "first-try", "A name for the runs, beside their id.");
    add_text(out, "capture", p->capture_set ? m31ri_capture_name(p->capture) : NULL, "full",
             "What is kept of printed lines: full, patterns (only numbers found), off.");
    add_metrics(out, p);
    add_clean(out, p);
}
