/* wiring.c - what the program's stdout and stderr are connected to.
 *
 * A terminal stays a terminal for the program: each of stdout and stderr is a pseudo-terminal when
 * ours is a terminal, else a pipe of 1 MiB, which lets the program print on while the keeper is
 * stopped. Only when stdin is a terminal too does the program get a session of its own on the first
 * of them; else it stays in our process group and keeps our terminal, so that Ctrl-C, Ctrl-Z and
 * the shell's job control reach it as they would without us.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/os_pty.h"
#include "observe/observe_int.h"

#define PIPE_BYTES (1024 * 1024)

static bool open_stream(m31ri_wiring *w, int which)
{
    int ends[2];
    if (w->ours_is_terminal[which + 1]) {
        /* In raw mode our terminal does no line ends: then the pseudo-terminal must. */
        return m31ri_pty_open(which + 1, !w->is_interactive, &w->outer[which], &w->inner[which]);
    }
    if (!m31ri_pipe_open(PIPE_BYTES, ends)) {
        return false;
    }
    w->outer[which] = ends[0];
    w->inner[which] = ends[1];
    return true;
}

m31r_err m31ri_wiring_open(m31ri_wiring *w, m31r_error *e)
{
    for (int fd = 0; fd < 3; fd++) {
        w->ours_is_terminal[fd] = isatty(fd) == 1;
    }
    w->is_interactive = w->ours_is_terminal[0] && w->ours_is_terminal[1];
    w->has_terminal = w->is_interactive && tcgetattr(0, &w->terminal) == 0;
    w->is_interactive = w->has_terminal;
    for (int i = 0; i < M31RI_STREAMS; i++) {
        if (!open_stream(w, i)) {
            return m31ri_fail_sys(e, errno, NULL, "making the program's output");
        }
        fcntl(w->outer[i], F_SETFL, fcntl(w->outer[i], F_GETFL) | O_NONBLOCK);
    }
    return M31R_OK;
}

void m31ri_wiring_close_inner(m31ri_wiring *w)
{
    for (int i = 0; i < M31RI_STREAMS; i++) {
        if (w->inner[i] >= 0) {
            close(w->inner[i]);
        }
        w->inner[i] = -1;
    }
}

void m31ri_wiring_follow_size(const m31ri_wiring *w)
{
    for (int i = 0; i < M31RI_STREAMS; i++) {
        if (w->ours_is_terminal[i + 1]) {
            m31ri_pty_follow_size(w->outer[i], i + 1);
        }
    }
}
