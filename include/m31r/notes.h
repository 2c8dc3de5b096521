/* notes.h - what a person says of a run: notes, tags, releases.
 *
 * They are written to notes.jsonl in the run's directory, through the privacy rules of the run, at
 * any time: while it lives, after its end, years later. They lie outside the run's seal and change
 * nothing of its record. A tag is a word; commands take it as the name of the one run that carries
 * it. A release is a run that is kept for ever: every command of ours refuses to remove it, and
 * there is none that takes a release back.
 *
 *     m31r_note note = {.kind = M31R_NOTE_TAG, .text = "baseline"};
 *     m31r_noted noted;
 *     m31r_err err = m31r_note_add(NULL, "@", &note, &noted, &e);
 */
#ifndef M31R_NOTES_H
#define M31R_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"
#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

#define M31R_NOTE_BYTES 16384 /* of a note's text, at most */
#define M31R_TAG_BYTES 64     /* of a tag, or of the name of a release */

typedef enum m31r_note_kind {
    M31R_NOTE_TEXT = 0,
    M31R_NOTE_TAG = 1,
    M31R_NOTE_UNTAG = 2, /* takes a tag off */
    M31R_NOTE_RELEASE = 3
} m31r_note_kind;

/* One line of notes.jsonl. */
typedef struct m31r_note {
    m31r_note_kind kind;
    const char *text; /* the note, the tag, the release's name */
    const char *ts;   /* when, as in records; of one to be written: not looked at */
} m31r_note;

/* What came of writing one. */
typedef struct m31r_noted {
    char run_id[160];
    char path[4096];               /* of the run */
    char name[M31R_TAG_BYTES + 1]; /* the tag or release; "" of a note */
    uint32_t n_redacted;           /* secrets and personal data that were not written */
    bool is_news;                  /* false: it was so already, and nothing was written */
} m31r_noted;

/* Adds a note to the run that `run` means (as m31r_reader_open(); `root` NULL is "experiments").
 *
 * The text of a note is up to M31R_NOTE_BYTES; a tag and a release are
 * [A-Za-z0-9][A-Za-z0-9._-]{0,63}. A release without a text ("" or NULL) takes the run's name when
 * it is such a word, else its id.
 *
 * Returns: M31R_OK when it is on disk, or was so already (`is_news` of `*out`).
 * Errors:  M31R_E_NOTFOUND, M31R_E_ARG (no such run; a text that is none, or a tag that looks like
 *          a secret), M31R_E_EXISTS (a release of another name, or that name is another run's),
 *          M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any; processes may call it at once.
 */
M31R_API m31r_err m31r_note_add(const char *root, const char *run, const m31r_note *note,
                                m31r_noted *out, m31r_error *e);

/* The i-th note of a run that is open, in the order in which they were written.
 *
 * Returns: M31R_OK and the note in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the reader; strings are valid until m31r_reader_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_reader_note(const m31r_reader *r, size_t i, m31r_note *out);

#ifdef __cplusplus
}
#endif
#endif
