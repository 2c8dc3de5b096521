/* ring_file.h - a ring file made, opened, found and removed.
 *
 * The program that makes one holds the program lease until it dies; whoever writes its records to
 * the run's files holds the writer lease. In a run's `.live/` stands a note, `ring.<pid>.<n>`, that
 * names the file: memory-backed files live outside the run directory.
 */
#ifndef M31RI_RING_FILE_H
#define M31RI_RING_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"
#include "ring/ring_layout.h"

typedef struct m31ri_ring_file {
    int fd;
    char *base;
    uint64_t bytes;
    const m31ri_ring_header *header;
    m31ri_ring_live *live;
    m31ri_commit *commits; /* two */
    char *dictionary;
    char path[256];
    /* The mapping has lost its memory (emit/crash.c): nothing in it is to be believed. NULL: that
     * is not watched. */
    const atomic_bool *is_gone;
} m31ri_ring_file;

static inline bool m31ri_ring_file_is_gone(const m31ri_ring_file *f)
{
    return f->is_gone != NULL && atomic_load_explicit(f->is_gone, memory_order_acquire);
}

typedef struct m31ri_ring_shape {
    const char *directory; /* where to make it; NULL: memory-backed storage of this user */
    const char *run_id;
    const char *run_path; /* absolute; NULL: not said */
    const char *points_file;
    uint32_t n_slots;    /* 2 .. M31RI_RING_SLOTS */
    uint32_t slot_bytes; /* a power of two, 64 KiB .. 1 GiB */
} m31ri_ring_shape;

/* Makes `<directory>/<run_id>.<pid>.<n>.ring`, takes the program lease and room for everything but
 * the slots, whose room is taken when a thread first needs one.
 * Errors: M31R_E_IO (no such storage, no room), M31R_E_LIMIT (ulimit -f), M31R_E_NOMEM. */
m31r_err m31ri_ring_file_make(const m31ri_ring_shape *shape, m31ri_ring_file *out, m31r_error *e);

/* Opens one that a process has made, for taking (`is_writable`) or only to look.
 * Errors: M31R_E_NOTFOUND, M31R_E_CORRUPT (not a ring file, or damaged), M31R_E_IO. */
m31r_err m31ri_ring_file_open(const char *path, bool is_writable, m31ri_ring_file *out,
                              m31r_error *e);

/* Unmaps and closes; `base` NULL is fine. m31ri_ring_file_remove takes the name away first: the
 * kernel frees the content with the last mapping. */
void m31ri_ring_file_close(m31ri_ring_file *f);
void m31ri_ring_file_remove(m31ri_ring_file *f);

/* True when the program that made it is dead: nobody holds its lease, and its process is gone. (A
 * program that closes all its descriptors loses the lease, but lives.) */
bool m31ri_ring_file_is_dead(const m31ri_ring_file *f);

/* The directory of the run that the ring belongs to; false when it does not say it. */
bool m31ri_ring_file_run(const m31ri_ring_file *f, char out[M31RI_RING_PLACE_BYTES]);

/* True for the name of a note of another process: a ring file of our own must not be opened twice,
 * and is alive. */
bool m31ri_ring_note_is_of_other(const char *name);

/* Slot `i`, below header->n_slots, and where its records are. */
m31ri_ring_slot *m31ri_ring_file_slot(const m31ri_ring_file *f, uint32_t i);
char *m31ri_ring_file_data(const m31ri_ring_file *f, uint32_t i);

/* Takes room for slot `i`; 0 or errno. */
int m31ri_ring_file_take_room(const m31ri_ring_file *f, uint32_t i);

#endif
