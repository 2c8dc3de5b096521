/* fuzz_ring.c - a ring file with any bytes in it changed, read as recovery and readers read it.
 *
 * A whole file is made once; the input changes it: six bytes a change, a part (header, live,
 * commits, dictionary, slot, records), a place in it, a value. Checksums of what was changed are
 * made right again when the first byte says so, so that what lies behind them is reached. Whatever
 * comes out must be records and points; what cannot be is left out, and nothing may crash.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/os_file.h"
#include "format/point.h"
#include "format/record.h"
#include "fuzz.h"
#include "ring/ring_batch.h"
#include "ring/ring_clock.h"
#include "ring/ring_commit.h"
#include "ring/ring_put.h"

#define SLOT_BYTES (64 * 1024)
#define CHANGE_BYTES 6

static char directory[] = "/tmp/m31r-fuzz-ring-XXXXXX";
static char path[256];
static m31ri_buf whole; /* the file as it was made */

static void put(m31ri_ring *r, m31ri_put head, const void *payload, size_t length)
{
    head.bytes = (uint32_t)(sizeof head + ((length + 7) & ~(size_t)7));
    head.counter = 1000 + r->hot->sequence;
    head.sequence = (uint32_t)r->hot->sequence;
    char *at = m31ri_ring_reserve(r, head.bytes);
    REQUIRE(at != NULL);
    memcpy(at, &head, sizeof head);
    memcpy(at + sizeof head, payload, length);
    m31ri_ring_publish(r, head.bytes);
}

static void put_some(m31ri_ring *r)
{
    static const char line[] =
        "{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"INFO\",\"module\":\"m\","
        "\"msg\":\"line\"}\n";
    for (int i = 0; i < 40; i++) {
        uint64_t text[] = {(uint64_t)i, 5, 0x6f6c6c6568};
        int64_t step[] = {i, 0, i, 5, 0x6f6c6c6568};
        int64_t point[] = {i, 0x3ff8000000000000, 0};
        char bytes[sizeof line + 8] = {0};
        uint64_t length = sizeof line - 1;
        memcpy(bytes, &length, 8);
        memcpy(bytes + 8, line, sizeof line - 1);
        put(r, (m31ri_put){.kind = M31RI_PUT_SITE, .logger = 1, .site = 1}, text, sizeof text);
        put(r, (m31ri_put){.kind = M31RI_PUT_STEP, .logger = 1, .site = 1}, step, sizeof step);
        put(r, (m31ri_put){.kind = M31RI_PUT_LINE, .logger = 1}, bytes, 8 + sizeof line - 1);
        put(r, (m31ri_put){.kind = M31RI_PUT_POINT, .site = 1}, point, sizeof point);
        uint64_t stack[] = {(uint64_t)i, 2, 1ull << 48 | 0x1234, 9ull << 48 | 1,
                            3,           5, 0x6f6c6c6568};
        put(r, (m31ri_put){.kind = M31RI_PUT_SITE_STACK, .logger = 1, .site = 1}, stack,
            sizeof stack);
        char deep[16 + 16 + sizeof bytes];
        memcpy(deep, stack, 32);
        memcpy(deep + 32, bytes, sizeof bytes);
        put(r, (m31ri_put){.kind = M31RI_PUT_LINE_STACK, .logger = 1}, deep,
            32 + 8 + sizeof line - 1);
    }
}

static void make_whole(void)
{
    static const char *const keys[] = {"n", "text"};
    m31r_site site = {M31R_INFO, 2, "emitted", keys, "fuzz.c", 1, 0, 0};
    const m31r_value values[] = {m31r_of_int(1), m31r_of_string("hello")};
    m31ri_ring_file f;
    m31ri_ring r;
    m31r_hot hot;
    REQUIRE(mkdtemp(directory) != NULL);
    const m31ri_ring_shape shape = {.directory = directory,
                                    .run_id = "20261123T102651Z-00000000",
                                    .points_file = "metrics.csv",
                                    .n_slots = 2,
                                    .slot_bytes = SLOT_BYTES};
    REQUIRE(m31ri_ring_file_make(&shape, &f, NULL) == M31R_OK);
    REQUIRE(m31ri_ring_file_take_room(&f, 0) == 0 && m31ri_ring_file_take_room(&f, 1) == 0);
    m31ri_ring_clock_begin(&f);
    m31ri_commit first = {.generation = 1, .n_rings = 2};
    m31ri_commit_publish(&f, &first);
    REQUIRE(m31ri_dictionary_add_lane(&f, 1, "train.log", "train") == 1);
    REQUIRE(m31ri_dictionary_add_logger(&f, 1, 1, "trainer") == 1);
    REQUIRE(m31ri_dictionary_add_site(&f, 1, &site, values) == 1);
    REQUIRE(m31ri_dictionary_add_metric(&f, 1, "loss") == 1);
    REQUIRE(m31ri_dictionary_add_module(&f, 1, "/nowhere/plugin.so", "00ff") == 1);
    m31ri_ring_init(&r, &hot, &f, 1);
    put_some(&r);
    snprintf(path, sizeof path, "%s", f.path);
    m31ri_buf_add(&whole, f.base, f.bytes);
    m31ri_ring_file_close(&f);
}

/* Changes the copy. Places are counted from each part's beginning, where its content is. */
static void change(char *copy, const uint8_t *data, size_t size)
{
    const m31ri_ring_header *h = (const m31ri_ring_header *)whole.data;
    const uint64_t parts[] = {0,
                              h->live_at,
                              h->commits_at,
                              h->dictionary_at,
                              h->slots_at + 4096 + SLOT_BYTES,
                              h->slots_at + 2 * 4096 + SLOT_BYTES};
    for (; size >= CHANGE_BYTES; data += CHANGE_BYTES, size -= CHANGE_BYTES) {
        uint32_t place = (uint32_t)data[1] | (uint32_t)data[2] << 8;
        uint64_t at = parts[data[0] % 6] + place;
        uint16_t value = (uint16_t)(data[3] | data[4] << 8);
        if (at + 2 <= whole.length) {
            memcpy(copy + at, &value, data[5] % 2 == 0 ? 1 : 2);
        }
    }
}

static void mend_checksums(char *copy)
{
    m31ri_ring_header *h = (m31ri_ring_header *)copy;
    const m31ri_ring_header *w = (const m31ri_ring_header *)whole.data;
    h->checksum =
        (uint32_t)crc32(0, (const unsigned char *)copy, offsetof(m31ri_ring_header, checksum));
    char *at = copy + w->dictionary_at;
    const char *end = at + w->dictionary_bytes;
    for (int i = 0; i < 8 && end - at > 16; i++) {
        uint32_t length;
        memcpy(&length, at, 4);
        if (length < 16 || length > (size_t)(end - at)) {
            return;
        }
        uint32_t crc = (uint32_t)crc32(0, (const unsigned char *)at + 8, length - 8);
        memcpy(at + 4, &crc, 4);
        at += length;
    }
}

static void check_lines(const m31ri_batch *b)
{
    for (uint32_t id = 1; id <= b->dictionary.n_lanes; id++) {
        const char *line = m31ri_buf_str(&b->lanes[id].lines), *next;
        for (; *line != '\0'; line = next + 1) {
            m31ri_record_head head;
            next = strchr(line, '\n');
            REQUIRE(next != NULL);
            REQUIRE(m31ri_record_read(line, (size_t)(next - line), &head) == M31RI_JSON_OK);
        }
    }
    m31ri_buf scratch = M31RI_BUF_INIT;
    const char *line = m31ri_buf_str(&b->points), *next;
    for (; *line != '\0'; line = next + 1) {
        m31ri_point point;
        next = strchr(line, '\n');
        REQUIRE(next != NULL);
        REQUIRE(m31ri_point_read(line, (size_t)(next - line), &point, &scratch));
    }
    m31ri_buf_release(&scratch);
}

static void read_all(const m31ri_ring_file *f)
{
    m31ri_commit c;
    m31ri_take t;
    m31ri_batch *b = calloc(1, sizeof *b);
    REQUIRE(b != NULL && m31ri_batch_init(b, NULL));
    if (m31ri_commit_read(f, &c)) {
        m31ri_dictionary_read(&b->dictionary, f);
        c.n_lanes = b->dictionary.n_lanes;
        c.n_calibrations = 1;
        m31ri_take_again(&t, f, &c);
        m31ri_batch_make(b, &t, &c);
        m31ri_take_begin(&t, f, &c, UINT64_MAX);
        m31ri_batch_make(b, &t, &c);
        check_lines(b);
    }
    m31ri_batch_release(b);
    free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    m31ri_ring_file f;
    if (whole.length == 0) {
        make_whole();
    }
    char *copy = malloc(whole.length);
    REQUIRE(copy != NULL);
    memcpy(copy, whole.data, whole.length);
    if (size > 1) {
        change(copy, data + 1, size - 1);
        if (data[0] % 2 == 0) {
            mend_checksums(copy);
        }
    }
    REQUIRE(m31ri_replace_file(AT_FDCWD, path, copy, whole.length, false, NULL) == M31R_OK);
    free(copy);
    if (m31ri_ring_file_open(path, false, &f, NULL) == M31R_OK) {
        read_all(&f);
        m31ri_ring_file_close(&f);
    }
    return 0;
}
