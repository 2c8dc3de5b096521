/* seal_chain.c - see seal_chain.h. */
#include "store/seal_chain.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os_file.h"

#define LOCK_WAIT_MS 5000
#define TAIL_BYTES (4 * M31RI_SEAL_LINE_BYTES)

void m31ri_seal_chain_open(m31ri_seal_chain *c, int run)
{
    struct stat st;
    char last = '\n';
    *c = (m31ri_seal_chain){.fd = -1};
    int root = m31ri_open_dir(run, "..", false);
    if (root < 0) {
        return;
    }
    int fd = m31ri_open(root, M31RI_SEALS_FILE, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK,
                        M31RI_FILE_MODE);
    close(root);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !m31ri_lock(fd, LOCK_WAIT_MS) ||
                    fstat(fd, &st) != 0)) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0 && st.st_size > 0) {
        c->needs_newline = pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
    }
    c->fd = fd;
}

void m31ri_seal_chain_close(m31ri_seal_chain *c)
{
    if (c->fd >= 0) {
        close(c->fd); /* and with it the lock */
        c->fd = -1;
    }
}

bool m31ri_seal_chain_last(const m31ri_seal_chain *c, m31ri_seal *out)
{
    struct stat st;
    char *text = m31ri_alloc(TAIL_BYTES);
    bool is_found = false;
    if (text != NULL && c->fd >= 0 && fstat(c->fd, &st) == 0) {
        off_t from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
        ssize_t n = pread(c->fd, text, TAIL_BYTES, from);
        size_t end = n > 0 ? (size_t)n : 0;
        while (end > 0 &&
               !is_found) { /* from the last newline back: a torn or foreign line is none */
            const char *newline = memrchr(text, '\n', end);
            end = newline != NULL ? (size_t)(newline - text) : 0;
            const char *before = memrchr(text, '\n', end);
            size_t start = before != NULL ? (size_t)(before - text) + 1 : 0;
            is_found = m31ri_seal_read(text + start, end - start, out) && m31ri_seal_holds(out);
        }
    }
    m31ri_free(text);
    return is_found;
}

bool m31ri_seal_chain_add(m31ri_seal_chain *c, const m31ri_seal *s)
{
    m31ri_buf line = M31RI_BUF_INIT;
    struct stat st;
    size_t written = 0;
    if (c->needs_newline) {
        m31ri_buf_add_char(&line, '\n');
    }
    m31ri_seal_write(s, &line);
    m31ri_buf_add_char(&line, '\n');
    bool is_fine = c->fd >= 0 && m31ri_buf_ok(&line) && fstat(c->fd, &st) == 0;
    if (is_fine && m31ri_write_all(c->fd, line.data, line.length, &written) != 0) {
        is_fine = false;
        c->needs_newline = ftruncate(c->fd, st.st_size) != 0; /* else nothing torn is left */
    }
    is_fine = is_fine && fdatasync(c->fd) == 0;
    m31ri_buf_release(&line);
    return is_fine;
}

/* The seal at the end of manifest.json: `,"seal":{...}}` LF. */
static bool read_own(int run, m31ri_seal *out)
{
    static const char mark[] = "\"seal\":{";
    m31ri_buf text = M31RI_BUF_INIT;
    bool is_one = m31ri_read_file(run, "manifest.json", M31RI_SEALS_BYTES, &text, NULL) == M31R_OK;
    size_t tail = text.length > M31RI_SEAL_LINE_BYTES ? M31RI_SEAL_LINE_BYTES : text.length;
    const char *from = is_one ? text.data + text.length - tail : NULL;
    const char *at = is_one ? memmem(from, tail, mark, sizeof mark - 1) : NULL;
    is_one = at != NULL && text.data[text.length - 1] == '\n';
    if (is_one) {
        at += sizeof mark - 2;
        is_one = m31ri_seal_read(at, (size_t)(text.data + text.length - 2 - at), out);
    }
    m31ri_buf_release(&text);
    return is_one;
}

void m31ri_seal_chain_complete(int run)
{
    m31ri_seal own, other;
    m31ri_seal_chain c;
    m31ri_buf text = M31RI_BUF_INIT;
    if (!read_own(run, &own)) {
        return;
    }
    m31ri_seal_chain_open(&c, run);
    bool is_there = c.fd < 0 || m31ri_read_fd(c.fd, M31RI_SEALS_BYTES, &text, NULL) != M31R_OK;
    const char *end = m31ri_buf_str(&text) + text.length;
    for (const char *at = m31ri_buf_str(&text), *lf; !is_there && at < end; at = lf + 1) {
        lf = memchr(at, '\n', (size_t)(end - at));
        lf = lf != NULL ? lf : end;
        is_there =
            m31ri_seal_read(at, (size_t)(lf - at), &other) && strcmp(own.digest, other.digest) == 0;
    }
    if (!is_there) {
        m31ri_seal_chain_add(&c, &own);
    }
    m31ri_buf_release(&text);
    m31ri_seal_chain_close(&c);
}
