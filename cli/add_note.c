/* add_note.c - what note, tag and release share: one line into a run's notes, and what is said of
 * it. */
#include "command.h"

int cli_add_note(cli *c, const m31r_note *note)
{
    m31r_noted noted;
    m31r_error e;
    m31r_err err = m31r_note_add(cli_value(c, "root"), c->args[0], note, &noted, &e);
    if (err == M31R_OK) {
        err = m31r_show_noted(&c->out, note->kind, &noted, &e);
    }
    return err == M31R_OK ? 0 : cli_fail(c, &e);
}
