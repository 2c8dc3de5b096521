/* drain.h - from a ring file into the files of its run: takes a batch, makes its lines, appends
 * them to their lanes and to the points' file, and commits.
 *
 * Whoever holds the writer lease of the ring file has one: a thread of the program, the observer,
 * or a process that finishes what a dead one left. Each record is in its file once: before a batch
 * is written an intent says what it is and where it begins, after it a commit says that it is
 * there. Whoever comes next takes half a batch off the files and makes the same bytes again.
 *
 * Not thread-safe: its owner locks.
 */
#ifndef M31RI_DRAIN_H
#define M31RI_DRAIN_H

#include <jansson.h>

#include "ring/ring_file.h"
#include "rules/privacy.h"
#include "store/run_dir.h"

typedef struct m31ri_drain m31ri_drain;

typedef struct m31ri_drain_options {
    const m31ri_run_dir *dir; /* borrowed, as is `privacy` */
    const m31ri_privacy *privacy;
    bool is_of_dead;          /* the program is dead: a crash that it noted is its last record */
    bool leaves_what_fails;   /* nothing is given up: what cannot be written stays in the ring */
    int64_t block_timeout_ns; /* how long a failing disk is waited for, once an outage */
    /* What was appended to a lane, for a second sink; NULL: none. */
    void (*written)(void *context, const char *lines, size_t length);
    /* The file of a lane has so many bytes: true when it was rotated. NULL: it never is. */
    bool (*rotate)(void *context, const char *file, uint64_t size, int64_t wall_ns);
    /* The disk is full: makes room for so many bytes of ERROR and CRITICAL records. NULL: cannot.
     */
    bool (*make_room)(void *context, size_t bytes);
    void *context;
} m31ri_drain_options;

/* `file` is borrowed; its writer lease is held. A batch that a dead writer left half done is done
 * first.
 * Errors: M31R_E_CORRUPT (no whole commit: nothing is believed), M31R_E_IO, M31R_E_NOMEM. */
m31r_err m31ri_drain_open(m31ri_ring_file *file, const m31ri_drain_options *o, m31ri_drain **out,
                          m31r_error *e);

/* The errno with which a drain that leaves what fails has stopped; 0: it has not. */
int m31ri_drain_error(const m31ri_drain *d);

/* One batch. True when there was something to do: call again. */
bool m31ri_drain_pass(m31ri_drain *d);

/* The next pass looks what became of the files, and says it, instead of when that is due. */
void m31ri_drain_look(m31ri_drain *d);

/* True when it was said of the file of lane `id` that it was deleted, cut or replaced. */
bool m31ri_drain_has_told(const m31ri_drain *d, uint32_t id);

/* fdatasync of what was written since the last time. 0 or the first errno. */
int m31ri_drain_sync(m31ri_drain *d);

/* How far lane `id` (from 1) is: records written and lost. */
void m31ri_drain_counts(const m31ri_drain *d, uint32_t id, uint64_t *n_records, uint64_t *n_lost);
uint64_t m31ri_drain_points_lost(const m31ri_drain *d);

/* The losses of outages that have not ended, each as a notice: for when no record can tell them. */
void m31ri_drain_each_loss(const m31ri_drain *d, void (*tell)(void *context, json_t *notice),
                           void *context);

/* How many records of a slot are in the files or counted, modulo 2^32: the next one's number. */
uint32_t m31ri_drain_taken(const m31ri_drain *d, uint32_t slot);

/* Lanes that the ring file names, and the name and file of one (ids from 1; texts of the mapping,
 * copied). */
uint32_t m31ri_drain_lanes(const m31ri_drain *d);
void m31ri_drain_lane(const m31ri_drain *d, uint32_t id, char name[64], char file[128]);

/* The wall clock was set by so many nanoseconds since the last call; 0: not. */
int64_t m31ri_drain_take_clock_step(m31ri_drain *d);

/* Closes the files. Does not wait for anything, and does not write. */
void m31ri_drain_close(m31ri_drain *d);

/* In a forked child: closes the descriptors that the parent's drain had, and leaves its memory. */
void m31ri_drain_forget(m31ri_drain *d);

#endif
