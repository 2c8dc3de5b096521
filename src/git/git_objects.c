/* git_objects.c - one object of a repository by name: loose, or in a pack (index version 2), also
 * as a delta.
 *
 * Files are read by position, never mapped. Sizes come from the file and are bounded before
 * anything is allocated. A delta names its base by place or by name, so reading one may read
 * others: bounded by DEPTH.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/inflate.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "git/git_facts_int.h"

#define OBJECT_BYTES (64u * 1024 * 1024)
#define DEPTH 4096
#define ALTERNATES 8
#define OFS_DELTA 6
#define REF_DELTA 7
#define HEADER_BYTES 64 /* more than the start of a packed object takes */

static m31r_err damaged(m31r_error *e, const char *what)
{
    return m31ri_fail(e, M31R_E_CORRUPT, "git object: %s", what);
}

static uint64_t be(const uint8_t *p, int n)
{
    uint64_t value = 0;
    for (int i = 0; i < n; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

static bool read_at(int fd, void *out, size_t length, uint64_t offset)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = pread(fd, (char *)out + done, length - done, (off_t)(offset + done));
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return false;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static m31r_err read_loose(int objects, const char *hex, m31ri_buf *out, bool *found, m31r_error *e)
{
    char name[80];
    m31ri_buf packed = M31RI_BUF_INIT;
    snprintf(name, sizeof name, "%.2s/%s", hex, hex + 2);
    m31r_err err = m31ri_read_file(objects, name, OBJECT_BYTES, &packed, e);
    *found = err != M31R_E_NOTFOUND;
    if (err == M31R_OK) {
        err = m31ri_inflate((const uint8_t *)m31ri_buf_str(&packed), packed.length, OBJECT_BYTES,
                            out, e);
    }
    m31ri_buf_release(&packed);
    const char *nul = err == M31R_OK ? memchr(m31ri_buf_str(out), '\0', out->length) : NULL;
    if (err == M31R_OK && nul == NULL) {
        return damaged(e, "a loose one without a header");
    }
    if (err == M31R_OK) { /* "tree 123\0" goes */
        size_t header = (size_t)(nul - out->data) + 1;
        memmove(out->data, out->data + header, out->length - header);
        out->length -= header;
    }
    return *found ? err : M31R_OK;
}

/* Place of the object in the pack of this index; false when it is not there. */
static bool find_in_index(int fd, const uint8_t *oid, size_t oid_bytes, uint64_t *offset)
{
    uint8_t head[8];
    uint8_t fan[8];
    uint8_t name[32];
    if (!read_at(fd, head, 8, 0) || be(head, 4) != 0xff744f63 || be(head + 4, 4) != 2) {
        return false;
    }
    uint64_t low = 0;
    if (oid[0] > 0) {
        if (!read_at(fd, fan, 4, 8 + 4u * (oid[0] - 1u))) {
            return false;
        }
        low = be(fan, 4);
    }
    uint8_t total[4];
    if (!read_at(fd, fan, 4, 8 + 4u * oid[0]) || !read_at(fd, total, 4, 8 + 4 * 255)) {
        return false;
    }
    uint64_t high = be(fan, 4);
    uint64_t n = be(total, 4);
    const uint64_t names = 8 + 4 * 256;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (!read_at(fd, name, oid_bytes, names + middle * oid_bytes)) {
            return false;
        }
        int order = memcmp(name, oid, oid_bytes);
        if (order == 0) {
            uint64_t offsets = names + n * (oid_bytes + 4);
            uint8_t place[8];
            if (!read_at(fd, place, 4, offsets + 4 * middle)) {
                return false;
            }
            *offset = be(place, 4);
            if ((*offset & 0x80000000u) == 0) {
                return true;
            }
            bool ok = read_at(fd, place, 8, offsets + 4 * n + 8 * (*offset & 0x7fffffffu));
            *offset = be(place, 8);
            return ok;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

/* A number in 7-bit groups, least significant first. */
static bool take_size(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; *at < end && shift < 63; shift += 7) {
        uint8_t byte = *(*at)++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return true;
        }
    }
    return false;
}

/* One copy instruction: which bytes of offset and size follow is said by the bits of `code`. */
static bool apply_copy(const uint8_t **at, const uint8_t *end, uint8_t code, const m31ri_buf *base,
                       m31ri_buf *out)
{
    size_t offset = 0;
    size_t size = 0;
    for (int i = 0; i < 7; i++) {
        if ((code & (1 << i)) == 0) {
            continue;
        }
        if (*at == end) {
            return false;
        }
        size_t byte = *(*at)++;
        offset |= i < 4 ? byte << (8 * i) : 0;
        size |= i >= 4 ? byte << (8 * (i - 4)) : 0;
    }
    size = size == 0 ? 0x10000 : size;
    if (offset > base->length || size > base->length - offset) {
        return false;
    }
    m31ri_buf_add(out, base->data + offset, size);
    return true;
}

static bool apply_delta(const m31ri_buf *delta, const m31ri_buf *base, m31ri_buf *out)
{
    const uint8_t *at = (const uint8_t *)m31ri_buf_str(delta);
    const uint8_t *end = at + delta->length;
    uint64_t base_size;
    uint64_t size;
    if (!take_size(&at, end, &base_size) || !take_size(&at, end, &size) ||
        base_size != base->length || size > OBJECT_BYTES) {
        return false;
    }
    while (at < end && out->length <= size) {
        uint8_t code = *at++;
        if ((code & 0x80) != 0) {
            if (!apply_copy(&at, end, code, base, out)) {
                return false;
            }
        } else if (code == 0 || code > end - at) {
            return false;
        } else {
            m31ri_buf_add(out, at, code);
            at += code;
        }
    }
    return out->length == size;
}

/* One object that is wanted. */
typedef struct request {
    const m31ri_git_repo *repo;
    const uint8_t *oid;
    int depth; /* how many deltas led here */
    m31ri_buf *out;
} request;

typedef struct packed_start {
    int type;
    uint64_t size;
    uint64_t base_offset; /* OFS_DELTA */
    uint8_t base_oid[32]; /* REF_DELTA */
    size_t length;        /* of the start itself */
} packed_start;

static bool read_start(int fd, uint64_t offset, uint64_t file_size, size_t oid_bytes,
                       packed_start *s)
{
    uint8_t bytes[HEADER_BYTES] = {0};
    size_t have = file_size - offset < HEADER_BYTES ? (size_t)(file_size - offset) : HEADER_BYTES;
    if (offset >= file_size || !read_at(fd, bytes, have, offset)) {
        return false;
    }
    size_t i = 1;
    s->type = bytes[0] >> 4 & 7;
    s->size = bytes[0] & 15;
    for (int shift = 4; (bytes[i - 1] & 0x80) != 0 && shift < 60; shift += 7, i++) {
        s->size |= (uint64_t)(bytes[i] & 0x7f) << shift;
    }
    if (s->type == OFS_DELTA) {
        uint64_t back = bytes[i] & 0x7f;
        while ((bytes[i++] & 0x80) != 0 && i < 24) {
            back = (back + 1) << 7 | (bytes[i] & 0x7f);
        }
        if (back == 0 || back > offset) {
            return false;
        }
        s->base_offset = offset - back;
    } else if (s->type == REF_DELTA) {
        memcpy(s->base_oid, bytes + i, oid_bytes);
        i += oid_bytes;
    }
    s->length = i;
    return i <= have && s->size <= OBJECT_BYTES;
}

static m31r_err read_object(const request *q, m31r_error *e);

/* Inflates what stands after the start. Deflate never makes data much larger than they are. */
static m31r_err inflate_at(int fd, uint64_t offset, uint64_t size, m31ri_buf *out, m31r_error *e)
{
    struct stat st;
    m31ri_buf packed = M31RI_BUF_INIT;
    if (fstat(fd, &st) != 0 || offset > (uint64_t)st.st_size) {
        return damaged(e, "a pack that ends too early");
    }
    uint64_t left = (uint64_t)st.st_size - offset;
    uint64_t need = size + size / 100 + 1024;
    need = need < left ? need : left;
    m31r_err err = M31R_OK;
    if (!m31ri_buf_reserve(&packed, (size_t)need)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory reading a git object");
    } else if (!read_at(fd, packed.data, (size_t)need, offset)) {
        err = damaged(e, "a pack that ends too early");
    } else {
        err = m31ri_inflate((const uint8_t *)packed.data, (size_t)need, OBJECT_BYTES, out, e);
    }
    m31ri_buf_release(&packed);
    return err;
}

static m31r_err read_packed(const request *q, int fd, uint64_t offset, m31r_error *e)
{
    struct stat st;
    packed_start s = {0};
    if (q->depth > DEPTH) {
        return damaged(e, "a chain of deltas without an end");
    }
    if (fstat(fd, &st) != 0 ||
        !read_start(fd, offset, (uint64_t)st.st_size, q->repo->oid_bytes, &s)) {
        return damaged(e, "a damaged start in a pack");
    }
    if (s.type != OFS_DELTA && s.type != REF_DELTA) {
        return inflate_at(fd, offset + s.length, s.size, q->out, e);
    }
    m31ri_buf delta = M31RI_BUF_INIT;
    m31ri_buf base = M31RI_BUF_INIT;
    const request of_base = {q->repo, s.base_oid, q->depth + 1, &base};
    m31r_err err = inflate_at(fd, offset + s.length, s.size, &delta, e);
    if (err == M31R_OK) {
        err = s.type == OFS_DELTA ? read_packed(&of_base, fd, s.base_offset, e)
                                  : read_object(&of_base, e);
    }
    if (err == M31R_OK && !apply_delta(&delta, &base, q->out)) {
        err = damaged(e, "a delta that does not fit its base");
    }
    if (err == M31R_OK && !m31ri_buf_ok(q->out)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory reading a git object");
    }
    m31ri_buf_release(&delta);
    m31ri_buf_release(&base);
    return err;
}

/* Looks into one pack. */
static m31r_err try_pack(const request *q, int dir, const char *index_name, bool *found,
                         m31r_error *e)
{
    char name[300];
    uint64_t offset = 0;
    int fd = m31ri_open(dir, index_name, O_RDONLY, 0);
    *found = fd >= 0 && find_in_index(fd, q->oid, q->repo->oid_bytes, &offset);
    if (fd >= 0) {
        close(fd);
    }
    if (!*found) {
        return M31R_OK;
    }
    snprintf(name, sizeof name, "%.*s.pack", (int)(strlen(index_name) - 4), index_name);
    fd = m31ri_open(dir, name, O_RDONLY, 0);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, name, "opening %s", name);
    }
    m31r_err err = read_packed(q, fd, offset, e);
    close(fd);
    return err;
}

static m31r_err try_packs(const request *q, int objects, bool *found, m31r_error *e)
{
    int dir = m31ri_open_dir(objects, "pack", true);
    m31ri_dir_list list = {0};
    if (dir < 0) {
        return M31R_OK;
    }
    m31r_err err = m31ri_dir_list_fd(dir, &list, e);
    for (size_t i = 0; i < list.n && err == M31R_OK && !*found; i++) {
        size_t length = strlen(list.entries[i].name);
        if (length > 4 && strcmp(list.entries[i].name + length - 4, ".idx") == 0) {
            err = try_pack(q, dir, list.entries[i].name, found, e);
        }
    }
    m31ri_dir_list_release(&list);
    close(dir);
    return err;
}

/* One object directory; then those that it borrows from (one level, which is what clone --shared
 * makes). */
static m31r_err try_directory(const request *q, const char *path, bool *found, m31r_error *e)
{
    char hex[65];
    int objects = m31ri_open_dir(AT_FDCWD, path, true);
    if (objects < 0) {
        return M31R_OK;
    }
    for (size_t i = 0; i < q->repo->oid_bytes; i++) {
        snprintf(hex + 2 * i, 3, "%02x", q->oid[i]);
    }
    m31r_err err = read_loose(objects, hex, q->out, found, e);
    if (err == M31R_OK && !*found) {
        err = try_packs(q, objects, found, e);
    }
    close(objects);
    return err;
}

static m31r_err try_alternates(const request *q, const char *objects, bool *found, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_buf path = M31RI_BUF_INIT;
    m31r_err err = M31R_OK;
    m31ri_buf_add_format(&path, "%s/info/alternates", objects);
    int fd = m31ri_buf_ok(&path) ? m31ri_open_input(path.data) : -1;
    if (fd >= 0) {
        err = m31ri_read_fd(fd, 1024 * 1024, &text, e);
        close(fd);
    }
    char *save = NULL;
    char *line = err == M31R_OK && text.length > 0 ? strtok_r(text.data, "\n", &save) : NULL;
    for (int i = 0; line != NULL && i < ALTERNATES && err == M31R_OK && !*found; i++) {
        m31ri_buf_clear(&path);
        m31ri_buf_add_format(&path, "%s%s%s", line[0] == '/' ? "" : objects,
                             line[0] == '/' ? "" : "/", line);
        if (m31ri_buf_ok(&path)) {
            err = try_directory(q, path.data, found, e);
        }
        line = strtok_r(NULL, "\n", &save);
    }
    m31ri_buf_release(&text);
    m31ri_buf_release(&path);
    return err;
}

/* Declared before use because a delta's base is an object again. */
static m31r_err read_object(const request *q, m31r_error *e)
{
    bool found = false;
    m31ri_buf objects = M31RI_BUF_INIT;
    m31ri_buf_add_format(&objects, "%s/objects", q->repo->common);
    m31r_err err = m31ri_buf_ok(&objects) ? try_directory(q, objects.data, &found, e)
                                          : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    if (err == M31R_OK && !found) {
        err = try_alternates(q, objects.data, &found, e);
    }
    m31ri_buf_release(&objects);
    return err == M31R_OK && !found ? damaged(e, "not in the object store") : err;
}

m31r_err m31ri_git_object_read(const m31ri_git_repo *r, const uint8_t *oid, m31ri_buf *out,
                               m31r_error *e)
{
    const request q = {r, oid, 0, out};
    return read_object(&q, e);
}
