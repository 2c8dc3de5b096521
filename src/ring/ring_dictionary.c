/* ring_dictionary.c - entries appended and read back; the form is ring_dictionary.h's.
 *
 * Pages of the dictionary are taken from the file system as it grows, so a full disk or memory is
 * "no id" and never a SIGBUS. What is read may come from a damaged file: nothing is believed that
 * does not lie within its entry.
 */
#include "ring/ring_dictionary.h"

#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/os_mapping.h"
#include "format/point.h"

#define ENTRY_HEAD 16
#define ENTRY_BYTES 8192 /* longest entry */

/* What an entry is made in before it is appended. */
typedef struct maker {
    unsigned char bytes[ENTRY_BYTES];
    size_t length;
    bool is_full;
} maker;

static void put_bytes(maker *m, const void *bytes, size_t length)
{
    if (length > sizeof m->bytes - m->length) {
        m->is_full = true;
        return;
    }
    memcpy(m->bytes + m->length, bytes, length);
    m->length += length;
}

static void put_u32(maker *m, uint32_t x)
{
    put_bytes(m, &x, sizeof x);
}

static void put_text(maker *m, const char *s)
{
    uint32_t length = (uint32_t)strlen(s);
    put_u32(m, length);
    put_bytes(m, s, length);
}

static void begin(maker *m, m31ri_entry_kind kind, uint32_t id)
{
    memset(m->bytes, 0, ENTRY_HEAD);
    m->length = ENTRY_HEAD;
    m->is_full = false;
    uint32_t k = (uint32_t)kind;
    memcpy(m->bytes + 8, &k, 4);
    memcpy(m->bytes + 12, &id, 4);
}

/* Takes the pages that [at, at + length) of the dictionary lies in; their first was taken when the
 * file was made. */
static bool has_room(m31ri_ring_file *f, uint64_t at, uint64_t length)
{
    if (at + length > f->header->dictionary_bytes) {
        return false;
    }
    uint64_t first = at / M31RI_RING_PAGE;
    uint64_t last = (at + length - 1) / M31RI_RING_PAGE;
    return first == last ||
           m31ri_mapping_take_room(f->fd, f->header->dictionary_at + (first + 1) * M31RI_RING_PAGE,
                                   (last - first) * M31RI_RING_PAGE) == 0;
}

/* Appends what was made; readers see it whole or not at all. */
static bool finish(maker *m, m31ri_ring_file *f)
{
    uint64_t at = atomic_load_explicit(&f->live->dictionary_end, memory_order_relaxed);
    while (m->length % 8 != 0) {
        put_bytes(m, "", 1);
    }
    if (m->is_full || !has_room(f, at, m->length)) {
        return false;
    }
    uint32_t length = (uint32_t)m->length;
    uint32_t crc = (uint32_t)crc32(0, m->bytes + 8, length - 8);
    memcpy(m->bytes, &length, 4);
    memcpy(m->bytes + 4, &crc, 4);
    memcpy(f->dictionary + at, m->bytes, m->length);
    /* pairs with the acquire in m31ri_dictionary_read */
    atomic_store_explicit(&f->live->dictionary_end, at + m->length, memory_order_release);
    return true;
}

uint32_t m31ri_dictionary_add_lane(m31ri_ring_file *f, uint32_t id, const char *file,
                                   const char *name)
{
    maker m;
    begin(&m, M31RI_ENTRY_LANE, id);
    put_text(&m, file);
    put_text(&m, name);
    return id <= M31RI_RING_LANES && finish(&m, f) ? id : 0;
}

uint32_t m31ri_dictionary_add_logger(m31ri_ring_file *f, uint32_t id, uint32_t lane,
                                     const char *module)
{
    maker m;
    begin(&m, M31RI_ENTRY_LOGGER, id);
    put_u32(&m, lane);
    put_text(&m, module);
    return id <= UINT16_MAX && finish(&m, f) ? id : 0;
}

uint32_t m31ri_dictionary_add_site(m31ri_ring_file *f, uint32_t id, const m31r_site *site,
                                   const m31r_value *values)
{
    maker m;
    begin(&m, M31RI_ENTRY_SITE, id);
    put_u32(&m, (uint32_t)site->level);
    put_u32(&m, (uint32_t)site->line);
    put_u32(&m, site->n_keys);
    for (uint32_t i = 0; i < site->n_keys; i++) {
        /* a null string is still a string's place */
        put_u32(&m, values[i].type != M31R_T_NULL ? values[i].type : M31R_T_STRING);
    }
    put_text(&m, site->message);
    put_text(&m, site->file);
    for (uint32_t i = 0; i < site->n_keys; i++) {
        put_text(&m, site->keys[i]);
    }
    return finish(&m, f) ? id : 0;
}

uint32_t m31ri_dictionary_add_metric(m31ri_ring_file *f, uint32_t id, const char *name)
{
    maker m;
    begin(&m, M31RI_ENTRY_METRIC, id);
    put_text(&m, name);
    return finish(&m, f) ? id : 0;
}

uint32_t m31ri_dictionary_add_module(m31ri_ring_file *f, uint32_t id, const char *path,
                                     const char *build_id)
{
    maker m;
    begin(&m, M31RI_ENTRY_MODULE, id);
    put_text(&m, path);
    put_text(&m, build_id);
    return id <= UINT16_MAX && finish(&m, f) ? id : 0;
}

/* What is left of an entry that is being read. */
typedef struct part {
    const char *at;
    size_t left;
    bool is_short;
} part;

static uint32_t take_u32(part *p)
{
    uint32_t x = 0;
    if (p->left < sizeof x) {
        p->is_short = true;
        return 0;
    }
    memcpy(&x, p->at, sizeof x);
    p->at += sizeof x;
    p->left -= sizeof x;
    return x;
}

static m31ri_text take_text(part *p)
{
    m31ri_text t = {"", take_u32(p)};
    if (p->is_short || t.length > p->left) {
        p->is_short = true;
        t.length = 0;
        return t;
    }
    t.s = p->at;
    p->at += t.length;
    p->left -= t.length;
    return t;
}

/* Room for one element more behind `n`, whose ids count from 1. */
static void *grown(void *table, uint32_t n, uint32_t *room, size_t element)
{
    if (n + 1 < *room) {
        return table;
    }
    uint32_t more = *room == 0 ? 64 : *room * 2;
    void *fresh = m31ri_calloc(more, element);
    if (fresh != NULL && table != NULL) {
        memcpy(fresh, table, *room * element);
    }
    if (fresh != NULL) {
        m31ri_free(table);
        *room = more;
    }
    return fresh;
}

static bool read_lane(m31ri_dictionary *d, part *p, uint32_t id)
{
    m31ri_lane_entry e = {take_text(p), take_text(p)};
    if (p->is_short || id != d->n_lanes + 1 || id > M31RI_RING_LANES || e.file.length == 0 ||
        e.file.length >= M31RI_RING_NAME_BYTES || memchr(e.file.s, '/', e.file.length) != NULL) {
        return false;
    }
    d->lanes[++d->n_lanes] = e;
    return true;
}

static bool read_logger(m31ri_dictionary *d, part *p, uint32_t id)
{
    m31ri_logger_entry e = {.lane = take_u32(p)};
    e.module = take_text(p);
    if (p->is_short || id != d->n_loggers + 1 || e.lane == 0 || e.lane > d->n_lanes) {
        return false;
    }
    void *table = grown(d->loggers, d->n_loggers, &d->room_loggers, sizeof e);
    if (table == NULL) {
        return false;
    }
    d->loggers = table;
    d->loggers[++d->n_loggers] = e;
    return true;
}

static bool read_site(m31ri_dictionary *d, part *p, uint32_t id)
{
    m31ri_site_entry e = {.level = (int32_t)take_u32(p)};
    e.line = take_u32(p);
    e.n_keys = take_u32(p);
    if (p->is_short || e.n_keys > M31RI_SITE_KEYS || id != d->n_sites + 1) {
        return false;
    }
    for (uint32_t i = 0; i < e.n_keys; i++) {
        e.types[i] = (uint8_t)take_u32(p);
    }
    e.message = take_text(p);
    e.file = take_text(p);
    for (uint32_t i = 0; i < e.n_keys; i++) {
        e.keys[i] = take_text(p);
        e.is_name[i] = m31ri_point_name_is_valid(e.keys[i].s, e.keys[i].length);
    }
    void *table = p->is_short ? NULL : grown(d->sites, d->n_sites, &d->room_sites, sizeof e);
    if (table == NULL) {
        return false;
    }
    d->sites = table;
    d->sites[++d->n_sites] = e;
    return true;
}

static bool read_metric(m31ri_dictionary *d, part *p, uint32_t id)
{
    m31ri_text t = take_text(p);
    if (p->is_short || id != d->n_metrics + 1 || !m31ri_point_name_is_valid(t.s, t.length)) {
        return false;
    }
    void *table = grown(d->metrics, d->n_metrics, &d->room_metrics, sizeof t);
    if (table == NULL) {
        return false;
    }
    d->metrics = table;
    d->metrics[++d->n_metrics] = t;
    return true;
}

static bool read_module(m31ri_dictionary *d, part *p, uint32_t id)
{
    m31ri_module_entry e = {.path = take_text(p)};
    e.build_id = take_text(p);
    if (p->is_short || id != d->n_modules + 1 || id > UINT16_MAX) {
        return false;
    }
    void *table = grown(d->modules, d->n_modules, &d->room_modules, sizeof e);
    if (table == NULL) {
        return false;
    }
    d->modules = table;
    d->modules[++d->n_modules] = e;
    return true;
}

/* One entry that lies whole in the dictionary. */
static bool read_entry(m31ri_dictionary *d, const char *at, uint32_t length)
{
    uint32_t crc, kind, id;
    memcpy(&crc, at + 4, 4);
    memcpy(&kind, at + 8, 4);
    memcpy(&id, at + 12, 4);
    if (crc != (uint32_t)crc32(0, (const unsigned char *)at + 8, length - 8)) {
        return false;
    }
    part p = {at + ENTRY_HEAD, length - ENTRY_HEAD, false};
    switch (kind) {
    case M31RI_ENTRY_LANE:
        return read_lane(d, &p, id);
    case M31RI_ENTRY_LOGGER:
        return read_logger(d, &p, id);
    case M31RI_ENTRY_SITE:
        return read_site(d, &p, id);
    case M31RI_ENTRY_METRIC:
        return read_metric(d, &p, id);
    case M31RI_ENTRY_MODULE:
        return read_module(d, &p, id);
    default:
        return false;
    }
}

bool m31ri_dictionary_read(m31ri_dictionary *d, const m31ri_ring_file *f)
{
    /* pairs with the release in finish */
    uint64_t end = atomic_load_explicit(&f->live->dictionary_end, memory_order_acquire);
    if (end > f->header->dictionary_bytes) {
        d->is_damaged = true;
        end = 0;
    }
    while (!d->is_damaged && d->seen < end) {
        uint32_t length = 0;
        if (end - d->seen >= ENTRY_HEAD) {
            memcpy(&length, f->dictionary + d->seen, sizeof length);
        }
        if (length < ENTRY_HEAD || length > end - d->seen || length % 8 != 0 ||
            !read_entry(d, f->dictionary + d->seen, length)) {
            d->is_damaged = true;
            break;
        }
        d->seen += length;
    }
    return !d->is_damaged;
}

void m31ri_dictionary_release(m31ri_dictionary *d)
{
    m31ri_free(d->loggers);
    m31ri_free(d->sites);
    m31ri_free(d->metrics);
    m31ri_free(d->modules);
    memset(d, 0, sizeof *d);
}
