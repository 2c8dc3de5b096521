/* show.h - results for a person on a terminal, or as JSON lines for a program.
 *
 * A screen says where results go and in which of the two forms: JSON when asked for or when the
 * output is no terminal, else aligned tables with colour. What is shown comes from the other public
 * headers; nothing is computed here. Text from records, names and paths is made safe for a
 * terminal: control characters and bidi overrides are shown escaped.
 *
 *     m31r_screen screen;
 *     m31r_screen_init(&screen, stdout, M31R_FORM_AUTO, M31R_COLOR_AUTO);
 *     m31r_show_error(&screen, &error);
 *
 * One thread at a time for each screen.
 */
#ifndef M31R_SHOW_H
#define M31R_SHOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "m31r/anomaly.h"
#include "m31r/chain.h"
#include "m31r/changes.h"
#include "m31r/clean.h"
#include "m31r/compare.h"
#include "m31r/diff.h"
#include "m31r/error.h"
#include "m31r/explain.h"
#include "m31r/groups.h"
#include "m31r/keep.h"
#include "m31r/key.h"
#include "m31r/lineage.h"
#include "m31r/notes.h"
#include "m31r/proof.h"
#include "m31r/pair.h"
#include "m31r/recover.h"
#include "m31r/reproduce.h"
#include "m31r/runs.h"
#include "m31r/scan.h"
#include "m31r/series.h"
#include "m31r/trend.h"
#include "m31r/verify.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum m31r_form {
    M31R_FORM_AUTO = 0, /* JSON lines unless the output is a terminal */
    M31R_FORM_JSON,
    M31R_FORM_TEXT
} m31r_form;

typedef enum m31r_color {
    M31R_COLOR_AUTO = 0, /* on a terminal, unless NO_COLOR is set or TERM is "dumb" */
    M31R_COLOR_ALWAYS,
    M31R_COLOR_NEVER
} m31r_color;

/* Where results go. Read-only after m31r_screen_init(). */
typedef struct m31r_screen {
    FILE *out;
    bool is_terminal;
    bool is_json;
    bool is_color;
    int width; /* columns; 0 when the output has no width */
} m31r_screen;

/* Looks at what `out` is and at NO_COLOR, TERM and COLUMNS.
 *
 * Owns:   nothing; `out` stays the caller's.
 * Thread: any.
 */
M31R_API void m31r_screen_init(m31r_screen *s, FILE *out, m31r_form form, m31r_color color);

/* Writes an error: one line
 * {"v":1,"kind":"error","error":{code,exit,message,path,line,column,hint}} on a JSON screen, else
 * message, place and hint for a person.
 *
 * Owns:   nothing.
 * Thread: one at a time per screen.
 */
M31R_API void m31r_show_error(const m31r_screen *s, const m31r_error *e);

/* Writes text with everything escaped that a terminal could act on: controls, C1, bidi overrides
 * and invalid UTF-8.
 *
 * Owns:   nothing.
 * Thread: one at a time per screen.
 */
M31R_API void m31r_show_text(const m31r_screen *s, const char *text);

/* Writes how far something is over the line that is being written, on a terminal: "hashing 1.2 GiB
 * of 4.0 GiB, 30 %". Elsewhere, and on a JSON screen, nothing. `what` NULL: takes it away again.
 *
 * Owns:   nothing.
 * Thread: any; one write for each call.
 */
M31R_API void m31r_show_progress(const m31r_screen *s, const char *what, uint64_t done,
                                 uint64_t total);

/* Which runs of a list to show, and what of them. All zero: all runs, the table's own columns. */
typedef struct m31r_runs_view {
    const char *const *fields; /* columns instead of the table's: those of m31r_runs_value() */
    size_t n_fields;
    int64_t limit; /* the first so many; 0 all */
} m31r_runs_view;

/* Writes the table of runs in the order of the list, and how many there are in each state. In JSON
 * an object of kind run each, or of kind fields (null for what a run does not have), then the
 * counts.
 *
 * Returns: M31R_OK when all was written.
 * Errors:  M31R_E_ARG (a field that no run has), M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen and list.
 */
M31R_API m31r_err m31r_show_runs(const m31r_screen *s, m31r_runs *runs, const m31r_runs_view *view,
                                 m31r_error *e);

/* Writes one run at a glance, the newest of `chain`; on a JSON screen one object with lanes,
 * artifacts, metrics and attempts. `series` is that of the chain.
 *
 * Returns: M31R_OK when all was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_run(const m31r_screen *s, const m31r_chain *chain,
                                const m31r_series *series, m31r_error *e);

/* Writes a table of metrics; on a JSON screen one object each.
 *
 * Returns: M31R_OK when all was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_metrics(const m31r_screen *s, const m31r_metric_facts *metrics,
                                    size_t n, m31r_error *e);

/* Draws the course of a metric with dots; also on a JSON screen.
 *
 * Thread: one at a time per screen.
 */
M31R_API void m31r_show_plot(const m31r_screen *s, const m31r_metric_facts *m);

/* How records are written. */
typedef struct m31r_record_view_options {
    const char *const *fields; /* only these, in this order; NULL: all */
    size_t n_fields;
    bool shows_lane; /* name the lane of each record (text) */
    bool shows_date; /* the whole time, not only that of the day (text) */
} m31r_record_view_options;

/* Writes one record: on a JSON screen its own line, or an object of the wanted fields (null for one
 * it lacks); else a compact line for a person.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_record(const m31r_screen *s, const m31r_record *record,
                                   const m31r_record_view_options *options, m31r_error *e);

/* Writes the first line of CSV (RFC 4180): the names of the wanted fields, without any
 * ts,level,module,msg,step. Lines end in CR LF (on a terminal in LF).
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_csv_names(const m31r_screen *s, const m31r_record_view_options *options,
                                      m31r_error *e);

/* Writes a record as a line of CSV: strings without their JSON escapes but for what a terminal
 * could act on, nothing for a field that is missing or null, "" for an empty string, objects and
 * arrays as their JSON text.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_csv_record(const m31r_screen *s, const m31r_record *record,
                                       const m31r_record_view_options *options, m31r_error *e);

/* Writes groups of records as a table; on a JSON screen one object of kind "count" or "stats" each.
 *
 * Returns: M31R_OK when all was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen and groups.
 */
M31R_API m31r_err m31r_show_groups(const m31r_screen *s, m31r_groups *groups, m31r_error *e);

/* The same as comma-separated values with a first line of names: the fields grouped by, count, and
 * of a number nonfinite,min,max,mean,p50,p90,p99; what is not there is an empty cell.
 *
 * Returns: M31R_OK when all was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen and groups.
 */
M31R_API m31r_err m31r_show_csv_groups(const m31r_screen *s, m31r_groups *groups, m31r_error *e);

/* Writes a lineage: ancestors, the run itself, descendants, each with its files.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_lineage(const m31r_screen *s, const m31r_lineage *l, m31r_error *e);

/* Writes a lineage as one JSON document of W3C PROV (PROV-JSON): runs are activities, files by
 * their SHA-256 entities, config, dataset, tokenizer and commit too.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_lineage_prov(const m31r_screen *s, const m31r_lineage *l,
                                         m31r_error *e);

/* The same as the ro-crate-metadata.json of an RO-Crate 1.2 whose root is the directory of runs:
 * runs are CreateActions, files are File entities.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_lineage_rocrate(const m31r_screen *s, const m31r_lineage *l,
                                            m31r_error *e);

/* Writes a verification: the five criteria, the checks, the verdict.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_verification(const m31r_screen *s, const m31r_reader *r,
                                         const m31r_verification *v, m31r_error *e);

/* Writes a proof that held.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_proof(const m31r_screen *s, const m31r_proof *p, m31r_error *e);

/* Writes which key signs, never the secret one.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_key(const m31r_screen *s, const m31r_key *key, m31r_error *e);

/* Writes what was found in a file, where, and by which rule: one line.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_leak(const m31r_screen *s, const m31r_leak *l, m31r_error *e);

/* Writes which file cannot be proved clean, and why: one line.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_unproved(const m31r_screen *s, const m31r_unproved *u, m31r_error *e);

/* Writes the sums of a search for what must not be there.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_privacy(const m31r_screen *s, const char *path,
                                    const m31r_privacy_summary *sum, m31r_error *e);

/* Writes what was, or would be, done with a run that nobody ended.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_recovery(const m31r_screen *s, const m31r_recovery *r, m31r_error *e);

/* Writes that a note was added, or that there was nothing to add.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_noted(const m31r_screen *s, m31r_note_kind kind,
                                  const m31r_noted *noted, m31r_error *e);

/* Writes that a run, or its payload, was or would be removed, or why it stays.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_removal(const m31r_screen *s, const m31r_removal *r, bool is_payload,
                                    m31r_error *e);

/* Writes where a run was, or would be, moved.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_archived(const m31r_screen *s, const m31r_archived *a, m31r_error *e);

/* Writes what was, or would be, taken out of a sealed run.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_redaction(const m31r_screen *s, const m31r_redaction *r, m31r_error *e);

/* Writes one segment of logs/ that goes or stays.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_cleaned(const m31r_screen *s, const m31r_cleaned *c, m31r_error *e);

/* Writes the levels of a series: its course, a row for each change, what it is now; on a JSON
 * screen one object of kind "trend_change" each, then one of kind "trend". `c` was made of the `n`
 * `values`.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_changes(const m31r_screen *s, const m31r_changes *c,
                                    const double *values, size_t n, m31r_error *e);

/* Writes what was found before a run is repeated.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_reproduction(const m31r_screen *s, const m31r_reproduction *p,
                                         m31r_error *e);

/* Writes again, below a difference, the source files and inputs that were found not to be what they
 * were: of them the comparison of the two runs knows digests only. Nothing on a JSON screen, where
 * m31r_show_reproduction() has said it.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_parted_by(const m31r_screen *s, const m31r_reproduction *p,
                                      m31r_error *e);

/* Writes whether the second of two runs is the first again, by their difference, and what of code,
 * data and environment is not the same, by their comparison.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_reproduced(const m31r_screen *s, const m31r_reader *const runs[2],
                                       const m31r_diff *d, const m31r_comparison *c, m31r_error *e);

/* Writes the history of a metric: for each group its course, its changes, what it is now and what
 * the gate says; `shows_points`: each run, too. On a JSON screen objects of kind "trend_point",
 * "trend_change" and "trend" for each group, then one of kind "trend_summary".
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_trend(const m31r_screen *s, const m31r_trend *t, bool shows_points,
                                  m31r_error *e);

/* Writes what was measured in two runs, with the intervals of the ratios; on a JSON screen one
 * object of kind "pair" a metric.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_pair(const m31r_screen *s, const m31r_pair *p, m31r_error *e);

/* Writes the verdicts of a gate as JUnit's XML, a test case for each group: one that failed is a
 * failure, one that is undecided is skipped.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO.
 * Owns:    nothing; `out` stays open.
 * Thread:  one at a time per `out`.
 */
M31R_API m31r_err m31r_show_trend_junit(FILE *out, const m31r_trend *t, m31r_error *e);

/* The same as a table of Markdown.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO.
 * Owns:    nothing; `out` stays open.
 * Thread:  one at a time per `out`.
 */
M31R_API m31r_err m31r_show_trend_markdown(FILE *out, const m31r_trend *t, m31r_error *e);

/* Writes runs side by side; on a JSON screen one object a row. `readers` are those that the
 * comparison was made of. `shows_all`: also what is the same.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_comparison(const m31r_screen *s, const m31r_reader *const *readers,
                                       const m31r_comparison *c, bool shows_all, m31r_error *e);

/* Writes how two runs differ: verdict, identity, the first difference with the records around it,
 * how numbers part. `runs` are those that the difference was made of.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_diff(const m31r_screen *s, const m31r_reader *const runs[2],
                                 const m31r_diff *d, m31r_error *e);

/* Writes an explanation: one statement a line with its place, then the last records.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_explanation(const m31r_screen *s, const m31r_reader *r,
                                        const m31r_explanation *x, m31r_error *e);

/* Writes what went wrong inside a run as a table, with the place of the point and of the record; on
 * a JSON screen one object of kind anomaly each.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_anomalies(const m31r_screen *s, const m31r_reader *r,
                                      const m31r_anomalies *anomalies, m31r_error *e);

/* Writes one anomaly of a table; on a JSON screen an object of kind anomaly_row.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_anomaly_row(const m31r_screen *s, const m31r_anomaly_row *a,
                                        m31r_error *e);

/* Writes what this build is and finds on this machine: version, formats, limits, paths, features.
 *
 * Returns: M31R_OK when it was written.
 * Errors:  M31R_E_IO, M31R_E_NOMEM.
 * Thread:  one at a time per screen.
 */
M31R_API m31r_err m31r_show_info(const m31r_screen *s, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
