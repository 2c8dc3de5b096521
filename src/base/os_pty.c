/* os_pty.c - pseudo-terminals by posix_openpt; sizes by ioctl. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/os_file.h"

bool m31ri_pty_open(int like, bool keeps_bytes, int *out_master, int *out_slave)
{
    char name[64];
    int slave = -1;
    int master = m31ri_fd_above_stdio(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0 &&
        ptsname_r(master, name, sizeof name) == 0) {
        slave = m31ri_fd_above_stdio(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    }
    if (slave < 0) {
        int saved = errno;
        if (master >= 0) {
            close(master);
        }
        errno = saved;
        return false;
    }
    struct termios settings;
    if (tcgetattr(like, &settings) == 0) {
        if (keeps_bytes) {
            settings.c_oflag &= ~(tcflag_t)OPOST;
        }
        tcsetattr(slave, TCSANOW, &settings);
    }
    m31ri_pty_follow_size(master, like);
    *out_master = master;
    *out_slave = slave;
    return true;
}

void m31ri_pty_follow_size(int master, int like)
{
    struct winsize size;
    if (ioctl(like, TIOCGWINSZ, &size) == 0) {
        ioctl(master, TIOCSWINSZ, &size);
    }
}

int m31ri_terminal_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool m31ri_terminal_is_smart(void)
{
    const char *term = getenv("TERM");
    return term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

bool m31ri_terminal_raw(int fd, const struct termios *saved)
{
    struct termios raw = *saved;
    cfmakeraw(&raw);
    return tcsetattr(fd, TCSADRAIN, &raw) == 0;
}

void m31ri_terminal_restore(int fd, const struct termios *saved)
{
    /* Setting a terminal from the background stops the caller (SIGTTOU): here it must not. */
    sigset_t block;
    sigset_t before;
    sigemptyset(&block);
    sigaddset(&block, SIGTTOU);
    sigprocmask(SIG_BLOCK, &block, &before);
    tcsetattr(fd, TCSADRAIN, saved);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

bool m31ri_terminal_is_ours(int fd)
{
    return tcgetpgrp(fd) == getpgrp();
}

bool m31ri_pty_take(int slave)
{
    return setsid() >= 0 && ioctl(slave, TIOCSCTTY, 0) == 0;
}
