/* notes_file.h - notes.jsonl: what was said of a run besides its record, outside its seal.
 *
 * Records of module "notes", one a line, appended by `m31r note`, `tag` and `release` and read by
 * all that lists or chooses runs:
 *
 *     {"ts":...,"level":"INFO","module":"notes","msg":"note","note":"..."}
 *     ... "msg":"tag","tag":"baseline"}    "msg":"untag","tag":"baseline"}
 *     ... "msg":"release","release":"v1.0"}
 *     ... "msg":"payload_removed","path":...,"bytes":n,"sha256":...,"reason":...}
 *
 * In the order of the file: a tag holds until it is taken off; the first release stays for ever.
 * Lines of another kind, or that are no record, are passed over.
 */
#ifndef M31RI_NOTES_FILE_H
#define M31RI_NOTES_FILE_H

#include "base/buf.h"
#include "m31r/notes.h"

#define M31RI_NOTES_FILE "notes.jsonl"
#define M31RI_NOTES_BYTES (4 * 1024 * 1024) /* a larger file is not read, nor made */
#define M31RI_NOTES_MODULE "notes"

#define M31RI_NOTE_REMOVED "payload_removed"

/* A file of the payload that was removed. */
typedef struct m31ri_note_removed {
    char *path, *sha256, *reason, *ts;
} m31ri_note_removed;

typedef struct m31ri_notes {
    m31r_note *items; /* all, in order; their strings are owned */
    size_t n, capacity;
    m31ri_note_removed *removed;
    size_t n_removed, removed_capacity;
    char *tags;    /* those that hold, with a blank between; "" for none */
    char *release; /* "" for none */
} m31ri_notes;

/* Reads those of the run directory `run`; a file that is not there is an empty one.
 * Errors: M31R_E_IO (cannot be read: whether it is a release is not known), M31R_E_LIMIT,
 *         M31R_E_NOMEM. Owns: m31ri_notes_release(), also of a zeroed one. */
m31r_err m31ri_notes_read(int run, m31ri_notes *out, m31r_error *e);
void m31ri_notes_release(m31ri_notes *n);

/* The message of a kind, which is the key of its text too ("untag" has "tag"). */
const char *m31ri_note_message(m31r_note_kind kind);
const char *m31ri_note_key(m31r_note_kind kind);

/* The removal of a file with that digest; NULL when there was none. */
const m31ri_note_removed *m31ri_notes_find_removed(const m31ri_notes *n, const char *path,
                                                   const char *sha256);

/* True when `word` is among words with a blank between. */
bool m31ri_words_have(const char *words, const char *word);

/* ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$: what may be a tag, or the name of a release. */
bool m31ri_tag_is_valid(const char *tag);

#endif
