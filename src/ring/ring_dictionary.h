/* ring_dictionary.h - what the numbers in a ring's records stand for: lanes, loggers, call sites,
 * metric names and the modules of stacks, each appended once.
 *
 * An entry is {u32 bytes, u32 crc, u32 kind, u32 id, ...}; ids count from 1 within a kind, in
 * the order of the entries. The program appends under its own lock; a reader goes as far as
 * live->dictionary_end, and keeps a table.
 */
#ifndef M31RI_RING_DICTIONARY_H
#define M31RI_RING_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/log.h"
#include "ring/ring_file.h"

#define M31RI_SITE_KEYS 24 /* what the macros allow */

typedef enum m31ri_entry_kind {
    M31RI_ENTRY_LANE = 1,
    M31RI_ENTRY_LOGGER = 2,
    M31RI_ENTRY_SITE = 3,
    M31RI_ENTRY_METRIC = 4,
    M31RI_ENTRY_MODULE = 5
} m31ri_entry_kind;

typedef struct m31ri_text {
    const char *s;
    uint32_t length;
} m31ri_text;

/* A call site as it was when it first emitted. `types` are those of its values. */
typedef struct m31ri_site_entry {
    int32_t level;
    uint32_t line;
    uint32_t n_keys;
    uint8_t types[M31RI_SITE_KEYS];
    bool is_name[M31RI_SITE_KEYS]; /* the key can be a point's name */
    m31ri_text message, file;
    m31ri_text keys[M31RI_SITE_KEYS];
} m31ri_site_entry;

typedef struct m31ri_lane_entry {
    m31ri_text file, name;
} m31ri_lane_entry;

typedef struct m31ri_logger_entry {
    uint32_t lane;
    m31ri_text module;
} m31ri_logger_entry;

/* A program or library whose code stood in a stack. */
typedef struct m31ri_module_entry {
    m31ri_text path, build_id; /* hexadecimal; "": it has none */
} m31ri_module_entry;

/* Append one entry each; the id it got, or 0 when the dictionary is full (or room for it cannot be
 * had). One caller at a time. */
uint32_t m31ri_dictionary_add_lane(m31ri_ring_file *f, uint32_t id, const char *file,
                                   const char *name);
uint32_t m31ri_dictionary_add_logger(m31ri_ring_file *f, uint32_t id, uint32_t lane,
                                     const char *module);
uint32_t m31ri_dictionary_add_site(m31ri_ring_file *f, uint32_t id, const m31r_site *site,
                                   const m31r_value *values);
uint32_t m31ri_dictionary_add_metric(m31ri_ring_file *f, uint32_t id, const char *name);
uint32_t m31ri_dictionary_add_module(m31ri_ring_file *f, uint32_t id, const char *path,
                                     const char *build_id);

/* A reader's table. Texts point into the mapping. */
typedef struct m31ri_dictionary {
    uint64_t seen; /* bytes of the dictionary that are in the table */
    bool is_damaged;
    uint32_t n_lanes, n_loggers, n_sites, n_metrics, n_modules; /* ids below or equal exist */
    uint32_t room_loggers, room_sites, room_metrics, room_modules;
    m31ri_lane_entry lanes[M31RI_RING_LANES + 1];
    m31ri_logger_entry *loggers;
    m31ri_site_entry *sites;
    m31ri_text *metrics;
    m31ri_module_entry *modules;
} m31ri_dictionary;

/* Reads on to the end. False when memory is out or an entry is damaged: what came before stands. */
bool m31ri_dictionary_read(m31ri_dictionary *d, const m31ri_ring_file *f);
void m31ri_dictionary_release(m31ri_dictionary *d);

#endif
