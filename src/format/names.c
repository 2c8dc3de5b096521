/* names.c - which names may become paths, and the paths they become.
 *
 * A name from outside is judged by what it is (a closed alphabet, a length) before what it is not
 * (reserved, a device): nothing is ever repaired, since two names repaired to one would share a
 * file. Reserved names are compared without case, for file systems that ignore it.
 */
#include "format/names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/timestamp.h"

#define RUN_ID_LIMIT 128
#define LANE_LIMIT 32
#define MODULE_LIMIT 64

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter_or_digit(char c)
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(const char *name, size_t length, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strlen(*list) == length && strncasecmp(name, *list, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Names that some systems give to devices, whatever follows their first dot. */
static bool is_device(const char *name, size_t length)
{
    static const char *const plain[] = {"con", "prn", "aux", "nul", NULL};
    static const char *const numbered[] = {"com", "lpt", NULL};
    const char *dot = memchr(name, '.', length);
    size_t n = dot != NULL ? (size_t)(dot - name) : length;
    return is_one_of(name, n, plain) ||
           (n == 4 && name[3] >= '0' && name[3] <= '9' && is_one_of(name, 3, numbered));
}

void m31ri_run_id_write(int64_t wall_ns, const uint8_t identity_digest[32], unsigned attempt,
                        char out[M31RI_RUN_ID_BYTES])
{
    char when[17];
    m31ri_timestamp_write_compact(wall_ns, when);
    int n = snprintf(out, M31RI_RUN_ID_BYTES, "%s-%02x%02x%02x%02x", when, identity_digest[0],
                     identity_digest[1], identity_digest[2], identity_digest[3]);
    if (attempt >= 2) {
        snprintf(out + n, M31RI_RUN_ID_BYTES - (size_t)n, "-%u", attempt);
    }
}

bool m31ri_run_id_is_safe(const char *id, size_t length)
{
    static const char *const taken[] = {
        "checkpoints",
        "metadata.json",
        "metrics.json",
        "metrics.csv",
        "config_snapshot.yaml",
        "manifest.json",
        "notes.jsonl",
        "train.log",
        "logs",
        "experiments",
        NULL,
    };
    if (length == 0 || length > RUN_ID_LIMIT || !is_letter_or_digit(id[0]) ||
        id[length - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_letter_or_digit(id[i]) && id[i] != '.' && id[i] != '_' && id[i] != '-') {
            return false;
        }
    }
    return !is_device(id, length) && !is_one_of(id, length, taken);
}

/* "rank" and digits: as a lane it would take the file of another rank's main lane. */
static bool is_rank(const char *name, size_t length)
{
    if (length < 5 || memcmp(name, "rank", 4) != 0) {
        return false;
    }
    for (size_t i = 4; i < length; i++) {
        if (name[i] < '0' || name[i] > '9') {
            return false;
        }
    }
    return true;
}

bool m31ri_lane_name_is_valid(const char *name, size_t length)
{
    static const char *const reserved[] = {
        "metrics", "metadata", "manifest", "checkpoints", "notes", "config_snapshot", "live", NULL,
    };
    if (length == 0 || length > LANE_LIMIT || name[0] == '-') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!is_lower_or_digit(name[i]) && name[i] != '_' && name[i] != '-') {
            return false;
        }
    }
    return !is_one_of(name, length, reserved) && !is_device(name, length) && !is_rank(name, length);
}

bool m31ri_stage_name_is_valid(const char *name, size_t length)
{
    return m31ri_lane_name_is_valid(name, length);
}

bool m31ri_module_name_is_valid(const char *name, size_t length)
{
    if (length == 0 || length > MODULE_LIMIT) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        if (!is_letter_or_digit(c) && c != '_' && c != '.' && c != '-') {
            return false;
        }
    }
    return true;
}

void m31ri_lane_file_write(const char *stage, const char *lane, int rank, char *out, size_t size)
{
    char of_rank[16] = "";
    if (rank > 0) {
        snprintf(of_rank, sizeof of_rank, ".rank%04d", rank);
    }
    snprintf(out, size, "%s%s%s%s.log", stage, lane[0] != '\0' ? "." : "", lane, of_rank);
}
