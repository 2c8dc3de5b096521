/* reader_int.h - a reader from the inside: for the rest of read, and for analyse. */
#ifndef M31RI_READER_INT_H
#define M31RI_READER_INT_H

#include <jansson.h>

#include "base/buf.h"
#include "base/os_process.h"
#include "format/notes_file.h"
#include "m31r/reader.h"

#define M31RI_METADATA_BYTES (16 * 1024 * 1024) /* a larger metadata.json is not read */

typedef struct m31ri_lane_list {
    m31r_lane_facts *lanes;
    size_t n;
} m31ri_lane_list;

struct m31r_reader {
    int fd;           /* the run's directory */
    char *path;       /* as found */
    json_t *metadata; /* NULL when it could not be read */
    m31ri_buf text;   /* metadata.json's bytes */
    m31r_facts facts;
    m31ri_lane_list lanes;
    m31ri_notes notes;
    char **owned; /* strings made for the facts */
    size_t n_owned, owned_capacity;
};

/* Opens the run directory at `path`. */
m31r_err m31ri_reader_open_path(m31r_reader **out, const char *path, m31r_error *e);

/* reader_text.c: keeps a string for as long as the reader; NULL gives "". */
const char *m31ri_reader_keep(m31r_reader *r, char *owned);

/* reader_text.c: value at a dotted path of metadata.json; NULL when there is none. */
const json_t *m31ri_reader_get(const m31r_reader *r, const char *dotted);

/* Its text, or "". */
const char *m31ri_reader_text(const m31r_reader *r, const char *dotted);

/* reader_facts.c: fills r->facts from the metadata and the directory. */
void m31ri_facts_fill(m31r_reader *r);

/* run_state.c: what the state is, and why. */
m31r_state m31ri_state_derive(m31r_reader *r, const char **out_why);

/* run_state.c: who owns the run, or owned it last. False when nothing says. */
bool m31ri_writer_of(const m31r_reader *r, m31ri_process *out);

/* lanes.c: the files of records in a directory. Owns: m31ri_lane_list_release(). */
m31r_err m31ri_lane_list_read(int dir, m31ri_lane_list *out, m31r_error *e);
void m31ri_lane_list_release(m31ri_lane_list *l);

#endif
