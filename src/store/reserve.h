/* reserve.h - room put by at the start of a run, so that its end can be written to a full disk.
 *
 * `.live/reserve` holds blocks that nobody else can take: 8 MiB, or a quarter of what is free when
 * that is less, and never less than the end needs when it can be had at all. When the disk is full,
 * ERROR and CRITICAL records are written into parts of it that are given back; it is freed when the
 * run ends: for the last record, metadata.json, metrics.json and manifest.json.
 */
#ifndef M31RI_RESERVE_H
#define M31RI_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/run_dir.h"

#define M31RI_RESERVE_BYTES (8u * 1024 * 1024)

/* A disk with less free than this is said to be low. */
#define M31RI_DISK_LOW_BYTES (64u * 1024 * 1024)

typedef struct m31ri_room {
    uint64_t free_bytes;     /* for whoever is not root */
    uint64_t reserved_bytes; /* 0: nothing could be put by, or it was freed */
} m31ri_room;

/* Owner: puts it by. What cannot be had is not an error: m31ri_reserve_look says how much it is. */
void m31ri_reserve_put(const m31ri_run_dir *d);

/* Owner: frees it. */
void m31ri_reserve_free(const m31ri_run_dir *d);

/* Any process of the run: gives back room for `bytes`, and never so much that the end would not
 * find its own. False when there is none to give. */
bool m31ri_reserve_give(const m31ri_run_dir *d, size_t bytes);

/* True when little room is left, or little could be put by; `out` is filled when the system says.
 */
bool m31ri_reserve_look(const m31ri_run_dir *d, m31ri_room *out);

#endif
