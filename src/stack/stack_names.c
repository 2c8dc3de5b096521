/* stack_names.c - names by elfutils' libdw.
 *
 * Each module has a session of its own, opened when it is first met and closed when too many others
 * have come since. A module's addresses are those in its file (it is "loaded" at 0), so nothing
 * here depends on where it was in the process. libdw's usual search for debug files can ask a
 * server; the one here reads directories only.
 */
#include "stack/stack_names.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"

#define SESSIONS 32              /* modules that are open at one time */
#define MEMORY 2048              /* frames whose text is kept; a power of two */
#define TEXT_BYTES 400           /* longest name of a function or file that is written */
#define MODULE_BYTES (2LL << 30) /* what is larger is not searched */
#define DEBUG_ROOT "/usr/lib/debug"

typedef struct session {
    char *path;
    char build_id[2 * M31RI_BUILD_ID_BYTES + 1];
    uint64_t used; /* when last; 0: free */
    Dwfl *dwfl;    /* NULL: the file is not there, or is another by now */
    Dwfl_Module *module;
} session;

typedef struct memory {
    uint64_t offset;
    char *path_and_id;
    char *text;
} memory;

struct m31ri_names {
    session sessions[SESSIONS];
    memory memory[MEMORY];
    uint64_t now;
};

/* ------------------------------------------------------------------ debug files */

static int open_debug(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > MODULE_BYTES)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool has_crc(int fd, uint32_t wanted)
{
    unsigned char block[16384];
    uLong crc = crc32(0, NULL, 0);
    off_t at = 0;
    ssize_t n;
    while ((n = pread(fd, block, sizeof block, at)) > 0) {
        crc = crc32(crc, block, (uInt)n);
        at += n;
    }
    return n == 0 && (uint32_t)crc == wanted;
}

static int find_by_build_id(Dwfl_Module *module, char *path, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bits;
    GElf_Addr where;
    char hex[2 * 64 + 1];
    int n = dwfl_module_build_id(module, &bits, &where);
    if (n < 2 || n > 64) {
        return -1;
    }
    for (int i = 0; i < n; i++) {
        hex[2 * i] = digits[bits[i] >> 4];
        hex[2 * i + 1] = digits[bits[i] & 15];
    }
    hex[(size_t)n * 2] = '\0';
    snprintf(path, size, DEBUG_ROOT "/.build-id/%.2s/%s.debug", hex, hex + 2);
    return open_debug(path);
}

/* The places that gdb looks in for a name of .gnu_debuglink. */
static int find_by_link(const char *file, const char *link, uint32_t crc, char *path, size_t size)
{
    const char *slash = strrchr(file, '/');
    int n = slash != NULL ? (int)(slash - file) : 0;
    for (int i = 0; i < 3; i++) {
        snprintf(path, size, "%s%.*s/%s%s", i == 2 ? DEBUG_ROOT : "", n, file,
                 i == 1 ? ".debug/" : "", link);
        int fd = strchr(link, '/') == NULL && strcmp(path, file) != 0 ? open_debug(path) : -1;
        if (fd >= 0 && has_crc(fd, crc)) {
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return -1;
}

static int find_debug(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base,
                      const char *file, const char *link, GElf_Word crc, char **out_path)
{
    char path[4096];
    (void)user;
    (void)name;
    (void)base;
    int fd = find_by_build_id(module, path, sizeof path);
    if (fd < 0 && link != NULL && file != NULL) {
        fd = find_by_link(file, link, crc, path, sizeof path);
    }
    if (fd >= 0) {
        *out_path = m31ri_strdup(path); /* libdw frees it, with free() */
    }
    return fd;
}

/* ------------------------------------------------------------------ sessions */

static void close_session(session *s)
{
    if (s->dwfl != NULL) {
        dwfl_end(s->dwfl);
    }
    m31ri_free(s->path);
    memset(s, 0, sizeof *s);
}

/* True when the file at the path is the one that ran. */
static bool is_same_build(Dwfl_Module *module, const char *build_id)
{
    const unsigned char *bits = NULL;
    GElf_Addr where;
    char byte[3];
    int n = dwfl_module_build_id(module, &bits, &where);
    size_t wanted = strlen(build_id) / 2;
    if (n <= 0 || wanted == 0) {
        return n <= 0 && wanted == 0; /* files without one are taken as they are */
    }
    for (size_t i = 0; i < wanted; i++) {
        snprintf(byte, sizeof byte, "%02x", i < (size_t)n ? bits[i] : 0);
        if (memcmp(byte, build_id + 2 * i, 2) != 0) {
            return false;
        }
    }
    return (size_t)n == wanted || wanted == M31RI_BUILD_ID_BYTES;
}

static void open_session(session *s, const char *path, const char *build_id)
{
    static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                             .find_debuginfo = find_debug,
                                             .section_address = dwfl_offline_section_address};
    int fd = path[0] == '/' ? open_debug(path) : -1;
    s->path = m31ri_strdup(path);
    snprintf(s->build_id, sizeof s->build_id, "%s", build_id);
    if (fd < 0 || s->path == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return;
    }
    s->dwfl = dwfl_begin(&callbacks);
    if (s->dwfl != NULL) {
        dwfl_report_begin(s->dwfl);
        s->module = dwfl_report_elf(s->dwfl, path, path, fd, 0, true);
        dwfl_report_end(s->dwfl, NULL, NULL);
    }
    if (s->module == NULL) {
        close(fd); /* else it is the session's */
    }
    if (s->module == NULL || !is_same_build(s->module, build_id)) {
        dwfl_end(s->dwfl);
        s->dwfl = NULL;
        s->module = NULL;
    }
}

static session *session_of(m31ri_names *n, const char *path, const char *build_id)
{
    session *oldest = &n->sessions[0];
    n->now++;
    for (int i = 0; i < SESSIONS; i++) {
        session *s = &n->sessions[i];
        if (s->path != NULL && strcmp(s->path, path) == 0 && strcmp(s->build_id, build_id) == 0) {
            s->used = n->now;
            return s;
        }
        oldest = s->used < oldest->used ? s : oldest;
    }
    close_session(oldest);
    open_session(oldest, path, build_id);
    oldest->used = n->now;
    return oldest;
}

/* ------------------------------------------------------------------ one frame */

/* The file as it was given to the compiler, without the directory it was called in. */
static const char *shorten(const char *file, const char *directory)
{
    size_t n = directory != NULL ? strlen(directory) : 0;
    if (n > 1 && strncmp(file, directory, n) == 0 && file[n] == '/') {
        file += n + 1;
    }
    while (file[0] == '.' && file[1] == '/') {
        file += 2;
    }
    return file;
}

static void add_place(m31ri_buf *out, const char *function, const char *file, int line)
{
    m31ri_buf_add_format(out, "%.*s", TEXT_BYTES, function != NULL ? function : "??");
    if (file != NULL && line > 0) {
        m31ri_buf_add_format(out, " at %.*s:%d", TEXT_BYTES, file, line);
    }
}

static const char *called_from(Dwarf_Die *inlined, const char *directory, int *line)
{
    Dwarf_Attribute attribute;
    Dwarf_Die cu;
    Dwarf_Files *files;
    Dwarf_Word at = 0, file = 0;
    size_t n_files;
    if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &at) != 0 ||
        dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) != 0 ||
        dwarf_diecu(inlined, &cu, NULL, NULL) == NULL ||
        dwarf_getsrcfiles(&cu, &files, &n_files) != 0 || file >= n_files) {
        return NULL;
    }
    *line = (int)at;
    const char *name = dwarf_filesrc(files, file, NULL, NULL);
    return name != NULL ? shorten(name, directory) : NULL;
}

/* What was expanded at the address, innermost first; then the function's own place in `*file` and
 * `*line`. Returns the name of the function that holds it all, or NULL. */
static const char *add_inlined(Dwfl_Module *module, uint64_t offset, const char *directory,
                               const char **file, int *line, m31ri_buf *out)
{
    Dwarf_Addr bias;
    Dwarf_Die *scopes = NULL;
    Dwarf_Die *cu = dwfl_module_addrdie(module, offset, &bias);
    int n = cu != NULL ? dwarf_getscopes(cu, offset - bias, &scopes) : 0;
    const char *function = NULL;
    for (int i = 0; i < n && function == NULL; i++) {
        int tag = dwarf_tag(&scopes[i]);
        if (tag == DW_TAG_inlined_subroutine) {
            add_place(out, dwarf_diename(&scopes[i]), *file, *line);
            m31ri_buf_add_str(out, " (inlined)\n");
            *file = called_from(&scopes[i], directory, line);
        } else if (tag == DW_TAG_subprogram) {
            function = dwarf_diename(&scopes[i]);
        }
    }
    free(scopes);
    return function;
}

static void name_frame(Dwfl_Module *module, const char *path, uint64_t offset, m31ri_buf *out)
{
    int line = 0;
    GElf_Off into;
    GElf_Sym symbol;
    const char *file = NULL, *directory = NULL;
    Dwfl_Line *at = dwfl_module_getsrc(module, offset);
    if (at != NULL) {
        directory = dwfl_line_comp_dir(at);
        file = dwfl_lineinfo(at, NULL, &line, NULL, NULL, NULL);
        file = file != NULL ? shorten(file, directory) : NULL;
    }
    const char *function = add_inlined(module, offset, directory, &file, &line, out);
    if (function == NULL) {
        function = dwfl_module_addrinfo(module, offset, &into, &symbol, NULL, NULL, NULL);
    }
    if (function == NULL && file == NULL) {
        m31ri_names_add_bare(path, offset, out);
        return;
    }
    add_place(out, function, file, line);
    m31ri_buf_add_str(out, " (");
    m31ri_names_add_bare(path, offset, out);
    m31ri_buf_add_str(out, ")");
}

static memory *memory_of(m31ri_names *n, const char *key, uint64_t offset)
{
    uint64_t hash = offset * 0x9e3779b97f4a7c15u;
    for (const char *c = key; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    }
    return &n->memory[(hash ^ hash >> 32) % MEMORY];
}

m31ri_names *m31ri_names_new(void)
{
    return m31ri_calloc(1, sizeof(m31ri_names));
}

void m31ri_names_free(m31ri_names *n)
{
    if (n == NULL) {
        return;
    }
    for (int i = 0; i < SESSIONS; i++) {
        close_session(&n->sessions[i]);
    }
    for (int i = 0; i < MEMORY; i++) {
        m31ri_free(n->memory[i].path_and_id);
        m31ri_free(n->memory[i].text);
    }
    m31ri_free(n);
}

void m31ri_names_add(m31ri_names *n, const char *path, const char *build_id, uint64_t offset,
                     m31ri_buf *out)
{
    m31ri_buf key = M31RI_BUF_INIT;
    if (n == NULL || path == NULL) {
        m31ri_names_add_bare(path, offset, out);
        return;
    }
    m31ri_buf_add_format(&key, "%s\n%s", path, build_id);
    memory *m = memory_of(n, m31ri_buf_str(&key), offset);
    bool is_known =
        m->text != NULL && m->offset == offset && strcmp(m->path_and_id, m31ri_buf_str(&key)) == 0;
    if (!is_known) {
        m31ri_buf text = M31RI_BUF_INIT;
        const session *s = session_of(n, path, build_id);
        if (s->module != NULL) {
            name_frame(s->module, path, offset, &text);
        } else {
            m31ri_names_add_bare(path, offset, &text);
        }
        m31ri_free(m->text);
        m31ri_free(m->path_and_id);
        m->offset = offset;
        m->text = m31ri_strdup(m31ri_buf_str(&text));
        m->path_and_id = m31ri_strdup(m31ri_buf_str(&key));
        m31ri_buf_release(&text);
    }
    if (m->text != NULL && m->path_and_id != NULL) {
        m31ri_buf_add_str(out, m->text);
    } else {
        m31ri_free(m->text);
        m->text = NULL;
        m31ri_names_add_bare(path, offset, out);
    }
    m31ri_buf_release(&key);
}
