/* os_pty.h - terminals: ours (raw and back again) and the pseudo-terminals that stand in for it. */
#ifndef M31RI_OS_PTY_H
#define M31RI_OS_PTY_H

#include <stdbool.h>
#include <termios.h>

/* Opens a pseudo-terminal with the size and settings of the terminal `like`; both ends
 * close-on-exec, neither 0-2, neither becomes a controlling terminal. `keeps_bytes`: no "\n" to
 * "\r\n" by this one, because the real terminal will do it. False: errno. */
bool m31ri_pty_open(int like, bool keeps_bytes, int *out_master, int *out_slave);

/* Gives the pseudo-terminal behind `master` the size of the terminal `like`. */
void m31ri_pty_follow_size(int master, int like);

/* Keystrokes of terminal `fd` go through unchanged, one by one, until m31ri_terminal_restore. False
 * when refused. */
bool m31ri_terminal_raw(int fd, const struct termios *saved);
void m31ri_terminal_restore(int fd, const struct termios *saved);

/* Columns of terminal `fd`; 80 when they are not known. */
int m31ri_terminal_columns(int fd);

/* False when TERM says that a terminal takes no escape sequences ("dumb", or nothing). */
bool m31ri_terminal_is_smart(void);

/* True when the calling process's group has terminal `fd` in the foreground. */
bool m31ri_terminal_is_ours(int fd);

/* In a child before exec: a session of its own with `slave` as its terminal. Signal-safe. */
bool m31ri_pty_take(int slave);

#endif
