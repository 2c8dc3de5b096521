/* lanes.c - the files of records that a run's directory holds, whatever its metadata says of them.
 *
 * A lane is found by its file: <stage>.log, <stage>.<lane>.log, with .rank0003 before .log; or by a
 * segment that was rotated away from it. The stage is not needed to tell them apart, since a stage
 * has no dot in it. A file that is there is read; one that only metadata names is not.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "format/segments.h"
#include "read/reader_int.h"

/* Splits "train.worker.rank0003.log" into lane "worker" and rank 3. False when it is no lane's
 * file. */
static bool split_name(const char *file, char **out_lane, int64_t *out_rank)
{
    size_t length = strlen(file);
    if (length < 5 || strcmp(file + length - 4, ".log") != 0 || file[0] == '.') {
        return false;
    }
    const char *end = file + length - 4;
    const char *dot = strchr(file, '.');
    const char *rank = end - 9;
    *out_rank = 0;
    if (end - file > 9 && memcmp(rank, ".rank", 5) == 0 && strspn(rank + 5, "0123456789") >= 4) {
        *out_rank = strtol(rank + 5, NULL, 10);
        end = rank;
    }
    *out_lane = dot < end ? m31ri_strndup(dot + 1, (size_t)(end - dot - 1)) : m31ri_strdup("");
    return true;
}

static int by_name(const void *a, const void *b)
{
    const m31r_lane_facts *x = a;
    const m31r_lane_facts *y = b;
    int order = (x->name[0] != '\0') - (y->name[0] != '\0');
    if (order == 0) {
        order = (x->rank > y->rank) - (x->rank < y->rank);
    }
    if (order == 0) {
        order = strcmp(x->name, y->name);
    }
    return order != 0 ? order : strcmp(x->file, y->file);
}

/* The lane whose file it is, entered when it is new; NULL when memory is out. `file` is a lane's.
 */
static m31r_lane_facts *enter_lane(m31ri_lane_list *l, const char *file, char *name, int64_t rank)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->lanes[i].file, file) == 0) {
            m31ri_free(name);
            return &l->lanes[i];
        }
    }
    m31r_lane_facts lane = {.name = name, .rank = rank};
    lane.file = m31ri_strdup(file);
    lane.is_observer = name != NULL && strcmp(name, "observer") == 0;
    l->lanes[l->n++] = lane;
    return lane.name != NULL && lane.file != NULL ? &l->lanes[l->n - 1] : NULL;
}

/* `before`: the name before it in the list, "" for none. */
static bool add_file(m31ri_lane_list *l, int dir, const char *file, const char *before)
{
    char lane_file[NAME_MAX + 8];
    m31ri_segment_name segment;
    char *name = NULL;
    int64_t rank = 0;
    struct stat st;
    bool is_segment = m31ri_segment_name_read(file, &segment);
    int length = is_segment ? (int)segment.lane_length : (int)strlen(file);
    snprintf(lane_file, sizeof lane_file, "%.*s%s", length, file, is_segment ? ".log" : "");
    if (!split_name(lane_file, &name, &rank)) {
        return true;
    }
    if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) {
        m31ri_free(name);
        return true;
    }
    m31r_lane_facts *lane = enter_lane(l, lane_file, name, rank);
    if (lane == NULL) {
        return false;
    }
    /* Both the plain and the compressed one, in this order: the same segment. */
    size_t n = strlen(before);
    bool is_twin = is_segment && n + 4 == strlen(file) && memcmp(before, file, n) == 0;
    lane->bytes += is_twin ? 0 : st.st_size;
    lane->segments += is_segment && !is_twin;
    return true;
}

m31r_err m31ri_lane_list_read(int dir, m31ri_lane_list *out, m31r_error *e)
{
    m31ri_dir_list names = {0};
    m31ri_lane_list l = {0};
    m31r_err err = m31ri_dir_list_fd(dir, &names, e);
    if (err != M31R_OK) {
        return err;
    }
    l.lanes = m31ri_calloc(names.n + 1, sizeof *l.lanes);
    bool is_fine = l.lanes != NULL;
    for (size_t i = 0; i < names.n && is_fine; i++) {
        if (names.entries[i].type == 'f') {
            is_fine =
                add_file(&l, dir, names.entries[i].name, i > 0 ? names.entries[i - 1].name : "");
        }
    }
    m31ri_dir_list_release(&names);
    if (!is_fine) {
        m31ri_lane_list_release(&l);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for the list of lanes");
    }
    qsort(l.lanes, l.n, sizeof *l.lanes, by_name);
    *out = l;
    return M31R_OK;
}

void m31ri_lane_list_release(m31ri_lane_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free((char *)l->lanes[i].file);
        m31ri_free((char *)l->lanes[i].name);
    }
    m31ri_free(l->lanes);
    memset(l, 0, sizeof *l);
}
