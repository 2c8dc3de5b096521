/* linked.c - linked.h by the word of the dynamic loader itself.
 *
 * `ld.so --list PROGRAM` finds the libraries as a start of the program does (RUNPATH, the cache,
 * LD_LIBRARY_PATH, LD_PRELOAD, the processor's variants) and runs nothing of them. Both glibc and
 * musl print a line for each:
 *
 *     libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f0c9e2b0000)
 *     /lib64/ld-linux-x86-64.so.2 (0x00007f0c9e6f1000)
 *
 * What is loaded later, by dlopen(), no file says: that is seen only by looking at the process.
 */
#include "observe/linked.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/os_child.h"
#include "base/os_elf.h"
#include "base/os_file.h"
#include "identity/identity_int.h"

#define WAIT_NS (2000LL * 1000 * 1000)
#define LIST_BYTES ((size_t)1024 * 1024)
#define SCRIPTS 4 /* a script whose interpreter is a script: so often */
#define SCRIPT_LINE 256

/* The program after "#!", the one that is looked for by env; "" when the file is no script. The
 * line is changed. */
static const char *interpreter_of(char *line)
{
    static const char blanks[] = " \t";
    char *save = NULL;
    if (strncmp(line, "#!", 2) != 0) {
        return "";
    }
    line[strcspn(line, "\n")] = '\0';
    const char *word = strtok_r(line + 2, blanks, &save);
    const char *slash = word != NULL ? strrchr(word, '/') : NULL;
    if (slash != NULL && strcmp(slash, "/env") == 0) {
        do {
            word = strtok_r(NULL, blanks, &save);
        } while (word != NULL && (word[0] == '-' || strchr(word, '=') != NULL));
    }
    return word != NULL ? word : "";
}

/* Follows scripts to a program of the machine's own; its path in `path`. */
static bool find_program(const char *name, m31ri_buf *path, m31ri_elf_facts *facts)
{
    char line[SCRIPT_LINE + 1];
    for (int i = 0; i < SCRIPTS && *name != '\0'; i++) {
        m31ri_buf_clear(path);
        m31ri_argv_program(name, path);
        int fd = path->length > 0 ? m31ri_open_input(m31ri_buf_str(path)) : -1;
        bool is_elf = fd >= 0 && m31ri_elf_read(fd, facts);
        ssize_t n = fd >= 0 && !is_elf ? pread(fd, line, SCRIPT_LINE, 0) : -1;
        if (fd >= 0) {
            close(fd);
        }
        if (is_elf || n <= 0) {
            return is_elf;
        }
        line[n] = '\0';
        name = interpreter_of(line);
    }
    return false;
}

/* Reads to the end, at most so long. */
static void read_list(int fd, m31ri_buf *out)
{
    char bytes[4096];
    struct pollfd set = {fd, POLLIN, 0};
    int64_t end_ns = m31ri_mono_ns() + WAIT_NS;
    ssize_t n = 1;
    while (n > 0 && out->length < LIST_BYTES) {
        int64_t left_ns = end_ns - m31ri_mono_ns();
        n = left_ns > 0 && poll(&set, 1, (int)(left_ns / 1000000) + 1) > 0
                ? read(fd, bytes, sizeof bytes)
                : 0;
        m31ri_buf_add(out, bytes, n > 0 ? (size_t)n : 0);
    }
}

static bool ask_loader(const char *loader, const char *path, m31ri_buf *out)
{
    const char *const argv[] = {loader, "--list", path, NULL};
    int ends[2], status = -1, exec_errno = 0;
    pid_t pid = -1;
    m31ri_signal_state signals;
    int null = m31ri_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (null < 0 || !m31ri_pipe_open(0, ends)) {
        close(null);
        return false;
    }
    m31ri_signal_state_save(&signals);
    const m31ri_program program = {.argv = argv,
                                   .environment = environ,
                                   .in = null,
                                   .out = ends[1],
                                   .err = null,
                                   .terminal = -1,
                                   .signals = &signals};
    int err = m31ri_program_start(&program, &pid, &exec_errno);
    close(ends[1]);
    if (err == 0) {
        read_list(ends[0], out);
        kill(pid, SIGKILL); /* it has said everything, or will not */
        waitpid(pid, &status, 0);
    }
    close(ends[0]);
    close(null);
    return err == 0 && exec_errno == 0 && m31ri_buf_ok(out);
}

/* The path in a line, without the address behind it; nothing when it has none. */
static void take_path(char *line, m31ri_buf *out)
{
    static const char arrow[] = " => ";
    const char *behind = strstr(line, arrow);
    const char *path = behind != NULL ? behind + sizeof arrow - 1 : line + strspn(line, " \t");
    char *address = strstr(line, " (0x");
    if (path[0] == '/' && address != NULL) {
        *address = '\0';
        m31ri_buf_add(out, path, strlen(path) + 1);
    }
}

bool m31ri_linked_libraries(const char *name, m31ri_buf *out_program, m31ri_buf *out_libraries)
{
    char *save = NULL;
    m31ri_elf_facts facts;
    m31ri_buf list = M31RI_BUF_INIT;
    bool is_said = find_program(name, out_program, &facts) && facts.loader[0] != '\0' &&
                   ask_loader(facts.loader, m31ri_buf_str(out_program), &list) && list.length > 0;
    for (char *line = is_said ? strtok_r(list.data, "\n", &save) : NULL; line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        take_path(line, out_libraries);
    }
    m31ri_buf_add_char(out_libraries, '\0');
    m31ri_buf_release(&list);
    return is_said && m31ri_buf_ok(out_libraries);
}
