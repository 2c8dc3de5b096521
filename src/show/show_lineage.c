/* show_lineage.c - a lineage as JSON, or as two trees: the run asked for with what it made; what it
 * came from, link by link; what came of it. A run that several links lead to is drawn once, and
 * named with "above" after that, so a cycle ends. Lines are UTF-8, as every course and plot is.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"

#include "m31r/json.h"
#include "m31r/lineage.h"
#include "show/rows.h"
#include "show/text.h"

#define DEEPEST 40 /* generations drawn; columns run out sooner */

static const char *const kins[] = {"ancestor", "self", "descendant"};

static void add_parents(m31r_json *j, const m31r_lineage *l, size_t run)
{
    m31r_lineage_parent p;
    m31r_json_open(j, "parents", '[');
    for (size_t i = 0; m31r_lineage_get_parent(l, i, &p) == M31R_OK; i++) {
        if (p.run == run) {
            m31r_json_open(j, NULL, '{');
            m31r_json_add_text(j, "run_id", p.parent);
            m31r_json_add_text(j, "broken", p.broken[0] != '\0' ? p.broken : NULL);
            m31r_json_close(j);
        }
    }
    m31r_json_close(j);
}

/* `*next` is the first file of the run; files are in the order of runs. */
static void add_files(m31r_json *j, const m31r_lineage *l, size_t run, size_t *next)
{
    m31r_lineage_file f;
    m31r_json_open(j, "files", '[');
    for (; m31r_lineage_get_file(l, *next, &f) == M31R_OK && f.run == run; ++*next) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "role", f.role);
        m31r_json_add_text(j, "path", f.path);
        m31r_json_add_text(j, "sha256", f.digest);
        m31ri_add_step(j, "step", f.step);
        m31r_json_add_text(j, "made_by", f.maker[0] != '\0' ? f.maker : NULL);
        m31r_json_add_text(j, "broken", f.broken[0] != '\0' ? f.broken : NULL);
        m31r_json_add_bool(j, "target", f.is_target);
        m31r_json_close(j);
    }
    m31r_json_close(j);
}

static m31r_err write_json(const m31r_screen *s, const m31r_lineage *l, m31r_error *e)
{
    m31r_lineage_run r;
    size_t next_file = 0;
    m31r_json *j = m31r_json_new("lineage");
    m31r_json_add_int(j, "broken", (int64_t)m31r_lineage_broken(l));
    m31r_json_open(j, "runs", '[');
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "run_id", r.run_id);
        m31r_json_add_text(j, "path", r.path);
        m31r_json_add_text(j, "stage", r.stage);
        m31r_json_add_text(j, "state", m31r_state_name(r.state));
        m31r_json_add_text(j, "kin", kins[r.kin]);
        m31r_json_add_int(j, "generations", r.generations);
        m31r_json_add_text(j, "config", r.config);
        m31r_json_add_text(j, "config_sha256", r.config_digest);
        m31r_json_add_text(j, "dataset", r.dataset);
        m31r_json_add_text(j, "tokenizer", r.tokenizer);
        m31r_json_add_text(j, "commit", r.commit);
        m31r_json_add_bool(j, "dirty", r.is_dirty);
        m31r_json_add_text(j, "seed", r.seed);
        m31r_json_add_text(j, "metric", r.metric[0] != '\0' ? r.metric : NULL);
        if (r.metric[0] != '\0') {
            m31r_json_add_double(j, "last", r.metric_last);
        } else {
            m31r_json_add_null(j, "last");
        }
        add_files(j, l, i, &next_file);
        add_parents(j, l, i);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

static void put(const m31r_screen *s, const char *label, const char *text)
{
    fprintf(s->out, "%s", label);
    m31r_show_text(s, text[0] != '\0' ? text : "?");
}

static void write_identity(const m31r_screen *s, const m31r_lineage_run *r)
{
    char number[M31RI_HUMAN_BYTES];
    put(s, "config ", r->config);
    fprintf(s->out, " %.6s", r->config_digest);
    put(s, "  data ", r->dataset);
    put(s, "  tokenizer ", r->tokenizer);
    fprintf(s->out, "  code %.12s%s", r->commit[0] != '\0' ? r->commit : "?",
            r->is_dirty ? "+" : "");
    put(s, "  seed ", r->seed);
    if (r->metric[0] != '\0') {
        put(s, "  ", r->metric);
        fprintf(s->out, " %s", m31ri_human_number(r->metric_last, number));
    }
    fputc('\n', s->out);
}

static void write_run(const m31r_screen *s, const m31r_lineage_run *r)
{
    m31ri_style style = r->kin == M31R_KIN_SELF ? M31RI_BOLD : M31RI_PLAIN;
    fputs(m31ri_style_on(s, style), s->out);
    m31r_show_text(s, r->run_id);
    fprintf(s->out, "%s", m31ri_style_off(s, style));
    put(s, "  ", r->stage);
    fprintf(s->out, "  %s%s%s", m31ri_style_on(s, m31ri_state_style(r->state)),
            m31r_state_name(r->state), m31ri_style_off(s, m31ri_state_style(r->state)));
}

static void write_file(const m31r_screen *s, const m31r_lineage_file *f)
{
    m31ri_style style = f->is_target ? M31RI_BOLD : M31RI_PLAIN;
    fputs(m31ri_style_on(s, style), s->out);
    m31r_show_text(s, f->path[0] != '\0' ? f->path : "?");
    fprintf(s->out, "%s  %s%.12s%s", m31ri_style_off(s, style), m31ri_style_on(s, M31RI_DIM),
            f->digest[0] != '\0' ? f->digest : "no digest", m31ri_style_off(s, M31RI_DIM));
}

static void write_broken(const m31r_screen *s, const char *who, const char *why)
{
    if (why[0] != '\0') {
        fprintf(s->out, "  %sBROKEN: ", m31ri_style_on(s, M31RI_BOLD_RED));
        m31r_show_text(s, why);
        put(s, ": ", who);
        fputs(m31ri_style_off(s, M31RI_BOLD_RED), s->out);
    }
}

/* ---- trees -------------------------------------------------------------------------------------
 */

/* A branch: the link, and the run at its other end, M31R_LINEAGE_NONE when that is not drawn. */
typedef struct branch {
    m31r_lineage_file file; /* with the path "" for a parent that no file tells of */
    const char *parent;     /* its id; "" for a file */
    size_t to;
} branch;

typedef struct tree {
    const m31r_screen *s;
    const m31r_lineage *l;
    bool is_forward;
    bool *is_drawn; /* of the lineage's runs */
    m31ri_buf indent;
    int depth;
} tree;

/* Is the link in `out->file` a branch of `run`? Fills the rest. */
static bool is_file_branch(const tree *t, size_t run, branch *out)
{
    bool is_input = strcmp(out->file.role, "input") == 0;
    out->parent = "";
    out->to = t->is_forward ? out->file.run : out->file.maker_run;
    return is_input && (t->is_forward ? out->file.maker_run : out->file.run) == run;
}

static bool is_parent_branch(const tree *t, size_t run, const m31r_lineage_parent *p, branch *out)
{
    *out = (branch){.file = {.path = "", .broken = p->broken}, .parent = p->parent};
    out->to = t->is_forward ? p->run : p->parent_run;
    return (t->is_forward ? p->parent_run : p->run) == run;
}

/* The next branch; files come first, then parents. `*file` and `*parent` are moved behind it. */
static bool next_branch(const tree *t, size_t run, size_t *file, size_t *parent, branch *out)
{
    m31r_lineage_parent p;
    while (m31r_lineage_get_file(t->l, *file, &out->file) == M31R_OK) {
        ++*file;
        if (is_file_branch(t, run, out)) {
            return true;
        }
    }
    while (m31r_lineage_get_parent(t->l, *parent, &p) == M31R_OK) {
        ++*parent;
        if (is_parent_branch(t, run, &p, out)) {
            return true;
        }
    }
    return false;
}

static void write_link(const tree *t, const branch *b)
{
    if (b->parent[0] == '\0') {
        write_file(t->s, &b->file);
        write_broken(t->s, b->file.maker, b->file.broken);
    } else {
        fputs("named as parent", t->s->out);
        write_broken(t->s, b->parent, b->file.broken);
    }
    if (b->to == M31R_LINEAGE_NONE && b->file.broken[0] == '\0') {
        fputs("  no run here made it", t->s->out);
    }
}

static void draw(tree *t, size_t run);

/* One branch and all behind it. */
static void draw_branch(tree *t, const branch *b, bool is_last)
{
    m31r_lineage_run r;
    size_t length = t->indent.length;
    fprintf(t->s->out, "%s%s", m31ri_buf_str(&t->indent), is_last ? "└─ " : "├─ ");
    write_link(t, b);
    bool is_run = m31r_lineage_get_run(t->l, b->to, &r) == M31R_OK;
    bool is_new = is_run && !t->is_drawn[b->to];
    if (is_run) {
        fputs("  ", t->s->out);
        write_run(t->s, &r);
        fputs(is_new ? "" : r.kin == M31R_KIN_SELF ? "  (the run itself)" : "  (above)", t->s->out);
    }
    fputc('\n', t->s->out);
    if (is_new) {
        m31ri_buf_add_str(&t->indent, is_last ? "   " : "│  ");
        fprintf(t->s->out, "%s   ", m31ri_buf_str(&t->indent));
        write_identity(t->s, &r);
        draw(t, b->to);
        t->indent.length = length;
        if (t->indent.data != NULL) {
            t->indent.data[length] = '\0';
        }
    }
}

static void draw(tree *t, size_t run)
{
    branch b, after;
    size_t file = 0, parent = 0;
    t->is_drawn[run] = true;
    bool is_one = next_branch(t, run, &file, &parent, &b);
    if (is_one && t->depth >= DEEPEST) {
        fprintf(t->s->out, "%s└─ further: see --json\n", m31ri_buf_str(&t->indent));
        return;
    }
    t->depth++;
    while (is_one) {
        bool is_more = next_branch(t, run, &file, &parent, &after);
        draw_branch(t, &b, !is_more);
        b = after;
        is_one = is_more;
    }
    t->depth--;
}

static m31r_err draw_tree(const m31r_screen *s, const m31r_lineage *l, size_t self, bool is_forward)
{
    tree t = {.s = s, .l = l, .is_forward = is_forward};
    size_t file = 0, parent = 0;
    branch b;
    if (!next_branch(&t, self, &file, &parent, &b)) {
        fprintf(s->out, "%s: nothing here\n", is_forward ? "came of it" : "came from");
        return M31R_OK;
    }
    t.is_drawn = m31ri_calloc(m31r_lineage_runs(l) + 1, sizeof *t.is_drawn);
    if (t.is_drawn == NULL) {
        return M31R_E_NOMEM;
    }
    fprintf(s->out, "%s\n", is_forward ? "came of it" : "came from");
    draw(&t, self);
    m31ri_buf_release(&t.indent);
    m31ri_free(t.is_drawn);
    return M31R_OK;
}

static void write_self(const m31r_screen *s, const m31r_lineage *l, size_t self)
{
    m31r_lineage_run r;
    m31r_lineage_file f;
    m31r_lineage_get_run(l, self, &r);
    write_run(s, &r);
    fputs("\n   ", s->out);
    write_identity(s, &r);
    for (size_t i = 0; m31r_lineage_get_file(l, i, &f) == M31R_OK; i++) {
        if (f.run == self && strcmp(f.role, "input") != 0) {
            fputs("   made ", s->out);
            write_file(s, &f);
            put(s, "  ", f.role);
            fputc('\n', s->out);
        }
    }
}

m31r_err m31r_show_lineage(const m31r_screen *s, const m31r_lineage *l, m31r_error *e)
{
    m31r_lineage_run r;
    size_t self = 0;
    if (s->is_json) {
        return write_json(s, l, e);
    }
    while (m31r_lineage_get_run(l, self, &r) == M31R_OK && r.kin != M31R_KIN_SELF) {
        self++;
    }
    write_self(s, l, self);
    m31r_err err = draw_tree(s, l, self, false);
    if (err == M31R_OK) {
        err = draw_tree(s, l, self, true);
    }
    if (err != M31R_OK) {
        return m31ri_fail(e, err, "out of memory for a lineage");
    }
    size_t n = m31r_lineage_broken(l);
    fprintf(s->out, "%zu broken link%s\n", n, n == 1 ? "" : "s");
    return M31R_OK;
}
