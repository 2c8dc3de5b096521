/* rows.h - what the views of a run share. */
#ifndef M31RI_ROWS_H
#define M31RI_ROWS_H

#include "m31r/json.h"
#include "m31r/runs.h"
#include "m31r/show.h"
#include "show/human.h"
#include "show/members.h"

m31ri_style m31ri_state_style(m31r_state state);

/* The id without its year. Points into `run_id`. */
const char *m31ri_short_id(const char *run_id);

/* Adds the facts that a list and a single view have in common. */
void m31ri_add_facts(m31r_json *j, const m31r_facts *f);

/* Adds the members of one metric. */
void m31ri_add_metric(m31r_json *j, const m31r_metric_facts *m);

/* show_chain.c: the attempts of a resumed run; nothing (JSON: an empty list) when it is none. */
void m31ri_add_attempts(m31r_json *j, const m31r_chain *chain);
void m31ri_write_attempts(const m31r_screen *s, const m31r_chain *chain);

/* show_notes.c: what was said of the run; nothing (JSON: an empty list) when nothing was. */
void m31ri_add_notes(m31r_json *j, const m31r_reader *r);
void m31ri_write_notes(const m31r_screen *s, const m31r_reader *r);

/* show_anomalies.c: what the observer warned of; nothing (JSON: 0) when it did not. */
void m31ri_add_warned(m31r_json *j, const m31r_reader *r);
void m31ri_write_warned(const m31r_screen *s, const m31r_reader *r);

/* The table of metrics for a person: last, best, course. */
void m31ri_write_metrics(const m31r_screen *s, const m31r_series *series);

#endif
