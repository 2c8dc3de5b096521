/* ring_file.c - a ring file made, opened, found and removed; the layout is ring_layout.h's.
 *
 * A file gets its name only when its header is whole, so whoever finds one can believe the header
 * or call the file damaged: there is no third case.
 */
#include "ring/ring_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/counter.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_mapping.h"
#include "base/os_process.h"

#define DICTIONARY_BYTES (1024 * 1024)
#define SLOT_HEAD_BYTES M31RI_RING_PAGE
#define MAX_FILES 1000 /* of one process in one run */
#define SLOT_BYTES_LEAST (64u * 1024)
#define SLOT_BYTES_MOST (1u << 30)

static uint64_t whole_pages(uint64_t bytes)
{
    return (bytes + M31RI_RING_PAGE - 1) / M31RI_RING_PAGE * M31RI_RING_PAGE;
}

static uint64_t slot_stride(const m31ri_ring_header *h)
{
    return (uint64_t)SLOT_HEAD_BYTES + h->slot_bytes;
}

static uint32_t checksum_of(const m31ri_ring_header *h)
{
    return (uint32_t)crc32(0, (const unsigned char *)h, offsetof(m31ri_ring_header, checksum));
}

static void lay_out(m31ri_ring_header *h, const m31ri_ring_shape *shape)
{
    m31ri_process self = m31ri_process_self();
    memset(h, 0, sizeof *h);
    memcpy(h->magic, M31RI_RING_MAGIC, sizeof h->magic);
    h->format_version = M31RI_RING_FORMAT;
    h->page_bytes = M31RI_RING_PAGE;
    h->live_at = M31RI_RING_PAGE;
    h->commits_at = h->live_at + whole_pages(sizeof(m31ri_ring_live));
    h->dictionary_at = h->commits_at + whole_pages(2 * sizeof(m31ri_commit));
    h->dictionary_bytes = DICTIONARY_BYTES;
    h->slots_at = h->dictionary_at + DICTIONARY_BYTES;
    h->n_slots = shape->n_slots;
    h->slot_bytes = shape->slot_bytes;
    h->file_bytes = h->slots_at + shape->n_slots * slot_stride(h);
    h->counter_is_steady = m31ri_counter_is_steady();
    h->pid = self.pid;
    h->start_ticks = self.start_ticks;
    snprintf(h->boot_id, sizeof h->boot_id, "%s", self.boot_id);
    snprintf(h->run_id, sizeof h->run_id, "%s", shape->run_id);
    snprintf(h->points_file, sizeof h->points_file, "%s", shape->points_file);
    h->checksum = checksum_of(h);
}

static void set_parts(m31ri_ring_file *f)
{
    f->header = (const m31ri_ring_header *)f->base;
    f->live = (m31ri_ring_live *)(f->base + f->header->live_at);
    f->commits = (m31ri_commit *)(f->base + f->header->commits_at);
    f->dictionary = f->base + f->header->dictionary_at;
}

static uint32_t checksum_of_place(const m31ri_ring_place *p)
{
    return (uint32_t)crc32(0, (const unsigned char *)p->run_path, sizeof p->run_path);
}

static void set_place(char *base, const char *run_path)
{
    m31ri_ring_place *p = (m31ri_ring_place *)(base + M31RI_RING_PLACE_AT);
    if (run_path != NULL && strlen(run_path) < sizeof p->run_path) {
        memcpy(p->run_path, run_path, strlen(run_path));
        p->checksum = checksum_of_place(p);
    }
}

/* Makes an unnamed-as-yet file: "<name>.new", which m31ri_ring_file_make renames. */
static int fill(m31ri_ring_file *f, const m31ri_ring_header *h, const char *run_path)
{
    if (!m31ri_lease_take(f->fd, M31RI_LEASE_PROGRAM)) {
        return errno;
    }
    if (ftruncate(f->fd, (off_t)h->file_bytes) != 0) {
        return errno;
    }
    uint64_t first_part = h->dictionary_at + M31RI_RING_PAGE;
    int err = m31ri_mapping_take_room(f->fd, 0, first_part);
    if (err != 0) {
        return err;
    }
    f->bytes = h->file_bytes;
    f->base = m31ri_mapping_map(f->fd, f->bytes, true);
    if (f->base == NULL) {
        return errno;
    }
    memcpy(f->base, h, sizeof *h);
    set_place(f->base, run_path);
    set_parts(f);
    return 0;
}

/* A name that no other file has: "<directory>/<run_id>.<pid>.<n>.ring". */
static int make_named(const char *directory, const m31ri_ring_header *h, const char *run_path,
                      m31ri_ring_file *f)
{
    for (int n = 1; n < MAX_FILES; n++) {
        int length = snprintf(f->path, sizeof f->path, "%s/%s.%lld.%d.ring", directory, h->run_id,
                              (long long)h->pid, n);
        if (length < 0 || (size_t)length >= sizeof f->path) {
            return ENAMETOOLONG;
        }
        f->fd = m31ri_open(AT_FDCWD, f->path, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (f->fd >= 0) {
            return fill(f, h, run_path);
        }
        if (errno != EEXIST) {
            return errno;
        }
    }
    return EEXIST;
}

m31r_err m31ri_ring_file_make(const m31ri_ring_shape *shape, m31ri_ring_file *out, m31r_error *e)
{
    char memory[128];
    m31ri_ring_header h;
    m31ri_ring_file f = {.fd = -1};
    const char *directory = shape->directory;
    if (directory == NULL) {
        if (!m31ri_mapping_memory_dir(memory, sizeof memory)) {
            return m31ri_fail(e, M31R_E_IO, "no private directory of ours can be made in /dev/shm");
        }
        directory = memory;
    }
    lay_out(&h, shape);
    if (!m31ri_mapping_size_is_allowed(h.file_bytes)) {
        return m31ri_fail(e, M31R_E_LIMIT,
                          "the limit of the size of a file (ulimit -f) leaves no room for rings");
    }
    int err = make_named(directory, &h, shape->run_path, &f);
    if (err != 0) {
        m31r_err code = m31ri_fail_sys(e, err, f.path, "making the ring file %s", f.path);
        if (f.fd >= 0) {
            m31ri_ring_file_remove(&f);
        }
        return code;
    }
    *out = f;
    return M31R_OK;
}

/* What the parts' places must fulfil for a reader to be safe in a file of `bytes`. */
static bool is_sound(const m31ri_ring_header *h, uint64_t bytes)
{
    if (memcmp(h->magic, M31RI_RING_MAGIC, sizeof h->magic) != 0 || h->format_version < 1 ||
        h->format_version > M31RI_RING_FORMAT || h->checksum != checksum_of(h)) {
        return false;
    }
    bool has_pow2 = h->slot_bytes >= SLOT_BYTES_LEAST && h->slot_bytes <= SLOT_BYTES_MOST &&
                    (h->slot_bytes & (h->slot_bytes - 1)) == 0;
    bool in_order = h->page_bytes == M31RI_RING_PAGE && h->live_at == M31RI_RING_PAGE &&
                    h->commits_at == h->live_at + whole_pages(sizeof(m31ri_ring_live)) &&
                    h->dictionary_at == h->commits_at + whole_pages(2 * sizeof(m31ri_commit)) &&
                    h->slots_at == h->dictionary_at + h->dictionary_bytes &&
                    h->slots_at % M31RI_RING_PAGE == 0;
    return has_pow2 && in_order && h->n_slots >= 2 && h->n_slots <= M31RI_RING_SLOTS &&
           h->file_bytes == bytes && bytes == h->slots_at + h->n_slots * slot_stride(h) &&
           memchr(h->run_id, 0, sizeof h->run_id) != NULL &&
           memchr(h->boot_id, 0, sizeof h->boot_id) != NULL &&
           memchr(h->points_file, 0, sizeof h->points_file) != NULL;
}

static m31r_err map_whole(m31ri_ring_file *f, bool is_writable, m31r_error *e)
{
    m31ri_ring_header h;
    struct stat st;
    if (fstat(f->fd, &st) != 0 || pread(f->fd, &h, sizeof h, 0) != (ssize_t)sizeof h) {
        return m31ri_fail(e, M31R_E_CORRUPT, "%s is too short for a ring file", f->path);
    }
    if (!is_sound(&h, (uint64_t)st.st_size)) {
        return m31ri_fail(e, M31R_E_CORRUPT, "%s is not a whole ring file of format %d", f->path,
                          M31RI_RING_FORMAT);
    }
    f->bytes = h.file_bytes;
    f->base = m31ri_mapping_map(f->fd, f->bytes, is_writable);
    if (f->base == NULL) {
        return m31ri_fail_sys(e, errno, f->path, "mapping %s", f->path);
    }
    set_parts(f);
    return M31R_OK;
}

m31r_err m31ri_ring_file_open(const char *path, bool is_writable, m31ri_ring_file *out,
                              m31r_error *e)
{
    m31ri_ring_file f = {.fd = -1};
    if (snprintf(f.path, sizeof f.path, "%s", path) >= (int)sizeof f.path) {
        return m31ri_fail(e, M31R_E_LIMIT, "the path of the ring file is too long");
    }
    f.fd = m31ri_open(AT_FDCWD, path, is_writable ? O_RDWR : O_RDONLY, 0);
    if (f.fd < 0) {
        int err = errno;
        return err == ENOENT ? m31ri_fail(e, M31R_E_NOTFOUND, "%s is not there", path)
                             : m31ri_fail_sys(e, err, path, "opening %s", path);
    }
    m31r_err code = map_whole(&f, is_writable, e);
    if (code != M31R_OK) {
        close(f.fd);
        return code;
    }
    *out = f;
    return M31R_OK;
}

void m31ri_ring_file_close(m31ri_ring_file *f)
{
    if (f->base != NULL) {
        m31ri_mapping_unmap(f->base, f->bytes);
    }
    if (f->fd >= 0) {
        close(f->fd);
    }
    f->base = NULL;
    f->fd = -1;
}

void m31ri_ring_file_remove(m31ri_ring_file *f)
{
    unlink(f->path);
    m31ri_ring_file_close(f);
}

bool m31ri_ring_file_is_dead(const m31ri_ring_file *f)
{
    m31ri_process p = m31ri_process_self();
    p.pid = f->header->pid;
    p.start_ticks = f->header->start_ticks;
    memcpy(p.boot_id, f->header->boot_id, sizeof p.boot_id);
    return !m31ri_lease_is_held(f->fd, M31RI_LEASE_PROGRAM) &&
           m31ri_process_liveness(&p) == M31RI_DEAD;
}

bool m31ri_ring_file_run(const m31ri_ring_file *f, char out[M31RI_RING_PLACE_BYTES])
{
    m31ri_ring_place p;
    memcpy(&p, f->base + M31RI_RING_PLACE_AT, sizeof p);
    bool is_said = p.run_path[0] == '/' && p.checksum == checksum_of_place(&p) &&
                   memchr(p.run_path, 0, sizeof p.run_path) != NULL;
    if (is_said) {
        memcpy(out, p.run_path, sizeof p.run_path);
    }
    return is_said;
}

bool m31ri_ring_note_is_of_other(const char *name)
{
    return strncmp(name, "ring.", 5) == 0 && strtoll(name + 5, NULL, 10) != (long long)getpid();
}

m31ri_ring_slot *m31ri_ring_file_slot(const m31ri_ring_file *f, uint32_t i)
{
    return (m31ri_ring_slot *)(f->base + f->header->slots_at + i * slot_stride(f->header));
}

char *m31ri_ring_file_data(const m31ri_ring_file *f, uint32_t i)
{
    return (char *)m31ri_ring_file_slot(f, i) + SLOT_HEAD_BYTES;
}

int m31ri_ring_file_take_room(const m31ri_ring_file *f, uint32_t i)
{
    uint64_t at = f->header->slots_at + i * slot_stride(f->header);
    return m31ri_mapping_take_room(f->fd, at, slot_stride(f->header));
}
