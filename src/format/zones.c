/* zones.c - summing up lines, and the summary as text, both directions. */
#include "format/zones.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/json_text.h"
#include "format/record.h"
#include "format/timestamp.h"

static const char *const level_names[] = {NULL, "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
#define N_LEVELS (sizeof level_names / sizeof level_names[0])

/* The bit of a module, entered when it is new; 0 when there is no place or no memory for it. */
static uint64_t module_bit(m31ri_zones *z, const char *name, size_t length)
{
    for (size_t i = 0; i < z->n_modules; i++) {
        if (strlen(z->modules[i]) == length && memcmp(z->modules[i], name, length) == 0) {
            return UINT64_C(1) << i;
        }
    }
    char *copy = z->n_modules < M31RI_ZONE_MODULES ? m31ri_strndup(name, length) : NULL;
    if (copy == NULL) {
        z->has_more_modules = true;
        return 0;
    }
    z->modules[z->n_modules] = copy;
    return UINT64_C(1) << z->n_modules++;
}

static void add_line(m31ri_zones *z, m31ri_zone *zone, const char *line, size_t length)
{
    m31ri_record_head head;
    zone->n_lines++;
    if (m31ri_record_read(line, length, &head) != M31RI_JSON_OK || head.ts.value == NULL ||
        head.wall_ns < 0 || head.level == 0 || head.module.value == NULL ||
        head.message.value == NULL) { /* a time before 1970 has no form as text */
        zone->is_whole = false;
        return;
    }
    zone->min_ns = head.wall_ns < zone->min_ns ? head.wall_ns : zone->min_ns;
    zone->max_ns = head.wall_ns > zone->max_ns ? head.wall_ns : zone->max_ns;
    if (head.has_step) {
        zone->min_step = head.step < zone->min_step ? head.step : zone->min_step;
        zone->max_step = head.step > zone->max_step ? head.step : zone->max_step;
    }
    zone->levels |= 1u << ((unsigned)head.level / 10);
    zone->modules |= module_bit(z, head.module.value, head.module.value_length);
}

static m31r_err grow(m31ri_zones *z, m31r_error *e)
{
    if (z->n < z->capacity) {
        return M31R_OK;
    }
    size_t capacity = z->capacity * 2 + 16;
    m31ri_zone *grown = m31ri_realloc(z->zones, capacity * sizeof *grown);
    if (grown == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the index of a segment");
    }
    z->zones = grown;
    z->capacity = capacity;
    return M31R_OK;
}

static m31ri_zone empty_zone(void)
{
    return (m31ri_zone){.is_whole = true,
                        .min_ns = INT64_MAX,
                        .max_ns = INT64_MIN,
                        .min_step = INT64_MAX,
                        .max_step = INT64_MIN};
}

m31r_err m31ri_zones_add(m31ri_zones *z, const char *bytes, size_t length, m31r_error *e)
{
    m31ri_zone zone = empty_zone();
    const char *end = bytes + length;
    zone.plain_bytes = length;
    m31r_err err = grow(z, e);
    while (bytes < end && err == M31R_OK) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        if (newline == NULL) {
            zone.is_whole = false; /* a line that goes on in the next piece, or is torn */
            break;
        }
        add_line(z, &zone, bytes, (size_t)(newline - bytes));
        bytes = newline + 1;
    }
    if (err == M31R_OK) {
        z->zones[z->n++] = zone;
        z->plain_bytes += length;
    }
    return err;
}

void m31ri_zones_release(m31ri_zones *z)
{
    for (size_t i = 0; i < z->n_modules; i++) {
        m31ri_free(z->modules[i]);
    }
    m31ri_free(z->zones);
    memset(z, 0, sizeof *z);
}

/* Numbers or names of the bits that are set, as a JSON array. */
static void write_bits(m31ri_buf *out, uint64_t bits, bool as_levels)
{
    const char *separator = "";
    m31ri_buf_add_char(out, '[');
    for (unsigned i = 0; i < 64; i++) {
        if ((bits >> i & 1) == 0) {
            continue;
        }
        if (as_levels) {
            m31ri_buf_add_format(out, "%s\"%s\"", separator, level_names[i]);
        } else {
            m31ri_buf_add_format(out, "%s%u", separator, i);
        }
        separator = ",";
    }
    m31ri_buf_add_char(out, ']');
}

static void write_zone(const m31ri_zones *z, const m31ri_zone *zone, m31ri_buf *out)
{
    char text[M31RI_TIMESTAMP_BYTES + 1];
    m31ri_buf_add_format(out, "{\"plain_bytes\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"whole\":%s",
                         zone->plain_bytes, zone->n_lines, zone->is_whole ? "true" : "false");
    if (zone->min_ns <= zone->max_ns) {
        m31ri_timestamp_write(zone->min_ns, text);
        m31ri_buf_add_format(out, ",\"min_ts\":\"%s\"", text);
        m31ri_timestamp_write(zone->max_ns, text);
        m31ri_buf_add_format(out, ",\"max_ts\":\"%s\"", text);
    }
    if (zone->min_step <= zone->max_step) {
        m31ri_buf_add_format(out, ",\"min_step\":%" PRId64 ",\"max_step\":%" PRId64, zone->min_step,
                             zone->max_step);
    }
    m31ri_buf_add_str(out, ",\"levels\":");
    write_bits(out, zone->levels, true);
    if (!z->has_more_modules) {
        m31ri_buf_add_str(out, ",\"modules\":");
        write_bits(out, zone->modules, false);
    }
    m31ri_buf_add_char(out, '}');
}

void m31ri_zones_write(const m31ri_zones *z, m31ri_buf *out)
{
    m31ri_buf_add_format(out,
                         "{\"format_version\":1,\"plain_bytes\":%" PRIu64
                         ",\"plain_sha256\":\"%s\",\"modules\":",
                         z->plain_bytes, z->plain_sha256);
    if (z->has_more_modules) {
        m31ri_buf_add_str(out, "null");
    } else {
        m31ri_buf_add_char(out, '[');
        for (size_t i = 0; i < z->n_modules; i++) {
            /* As in the line: its escapes are kept, so the text needs none of its own. */
            m31ri_buf_add_format(out, "%s\"", i > 0 ? "," : "");
            m31ri_json_escape(out, z->modules[i], strlen(z->modules[i]));
            m31ri_buf_add_char(out, '"');
        }
        m31ri_buf_add_char(out, ']');
    }
    m31ri_buf_add_str(out, ",\"frames\":[");
    for (size_t i = 0; i < z->n; i++) {
        m31ri_buf_add_str(out, i > 0 ? ",\n" : "\n");
        write_zone(z, &z->zones[i], out);
    }
    m31ri_buf_add_str(out, "\n]}\n");
}

static bool read_count(const json_t *object, const char *key, uint64_t *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return false;
    }
    *out = (uint64_t)json_integer_value(value);
    return true;
}

/* A pair of bounds that may both be missing. */
static bool read_times(const json_t *object, m31ri_zone *zone)
{
    const json_t *min = json_object_get(object, "min_ts");
    const json_t *max = json_object_get(object, "max_ts");
    if (min == NULL && max == NULL) {
        return true;
    }
    const char *first = json_string_value(min);
    const char *last = json_string_value(max);
    /* A time is written without what is below a microsecond: the zone reaches to the next one. */
    bool is_fine = first != NULL && last != NULL &&
                   m31ri_timestamp_read(first, strlen(first), &zone->min_ns) &&
                   m31ri_timestamp_read(last, strlen(last), &zone->max_ns);
    zone->max_ns += is_fine ? 999 : 0;
    return is_fine;
}

static bool read_steps(const json_t *object, m31ri_zone *zone)
{
    const json_t *min = json_object_get(object, "min_step");
    const json_t *max = json_object_get(object, "max_step");
    if (min == NULL && max == NULL) {
        return true;
    }
    zone->min_step = json_integer_value(min);
    zone->max_step = json_integer_value(max);
    return json_is_integer(min) && json_is_integer(max);
}

static bool read_levels(const json_t *object, m31ri_zone *zone)
{
    const json_t *levels = json_object_get(object, "levels");
    for (size_t i = 0; i < json_array_size(levels); i++) {
        const char *name = json_string_value(json_array_get(levels, i));
        size_t k = 1;
        while (k < N_LEVELS && (name == NULL || strcmp(name, level_names[k]) != 0)) {
            k++;
        }
        if (k == N_LEVELS) {
            return false;
        }
        zone->levels |= 1u << k;
    }
    return json_is_array(levels);
}

static bool read_modules(const m31ri_zones *z, const json_t *object, m31ri_zone *zone)
{
    const json_t *modules = json_object_get(object, "modules");
    for (size_t i = 0; i < json_array_size(modules); i++) {
        const json_t *at = json_array_get(modules, i);
        if (!json_is_integer(at) || json_integer_value(at) < 0 ||
            (uint64_t)json_integer_value(at) >= z->n_modules) {
            return false;
        }
        zone->modules |= UINT64_C(1) << json_integer_value(at);
    }
    return z->has_more_modules || json_is_array(modules);
}

static bool read_module_names(const json_t *root, m31ri_zones *z)
{
    const json_t *names = json_object_get(root, "modules");
    z->has_more_modules = json_is_null(names);
    for (size_t i = 0; i < json_array_size(names) && i < M31RI_ZONE_MODULES; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name == NULL || (z->modules[z->n_modules] = m31ri_strdup(name)) == NULL) {
            return false;
        }
        z->n_modules++;
    }
    return json_array_size(names) <= M31RI_ZONE_MODULES;
}

static bool read_all(const json_t *root, m31ri_zones *z)
{
    const json_t *frames = json_object_get(root, "frames");
    const char *digest = json_string_value(json_object_get(root, "plain_sha256"));
    if (json_integer_value(json_object_get(root, "format_version")) != 1 || digest == NULL ||
        strlen(digest) != M31RI_SHA256_HEX - 1 ||
        !read_count(root, "plain_bytes", &z->plain_bytes) || !read_module_names(root, z)) {
        return false;
    }
    memcpy(z->plain_sha256, digest, M31RI_SHA256_HEX);
    z->capacity = json_array_size(frames) + 1;
    z->zones = m31ri_calloc(z->capacity, sizeof *z->zones);
    bool is_fine = z->zones != NULL;
    for (size_t i = 0; i < json_array_size(frames) && is_fine; i++) {
        const json_t *frame = json_array_get(frames, i);
        m31ri_zone *zone = &z->zones[z->n++];
        *zone = empty_zone();
        zone->is_whole = json_is_true(json_object_get(frame, "whole"));
        is_fine = read_count(frame, "plain_bytes", &zone->plain_bytes) &&
                  read_count(frame, "lines", &zone->n_lines) && read_times(frame, zone) &&
                  read_steps(frame, zone) && read_levels(frame, zone) &&
                  read_modules(z, frame, zone);
    }
    return is_fine;
}

m31r_err m31ri_zones_read(const char *text, size_t length, m31ri_zones *out, m31r_error *e)
{
    m31ri_zones z = {0};
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    bool is_fine = read_all(root, &z);
    json_decref(root);
    if (!is_fine) {
        m31ri_zones_release(&z);
        return m31ri_fail(e, M31R_E_CORRUPT, "the index of the segment is not of the known form");
    }
    *out = z;
    return M31R_OK;
}
