/* ring_settle.c - rings whose program is dead: what they hold is written, then they are removed.
 *
 * Whoever is in the run may do it: the observer, a process that takes over a lane, the owner before
 * it seals, `m31r recover`. The leases say who is dead and keep two from doing it at once.
 */
#include "drain/ring_settle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/os_mapping.h"
#include "drain/drain.h"
#include "store/notices.h"

#define NOTE_LIMIT 4096
#define WAIT_STEP_MS 5

typedef enum fate { FATE_ALIVE, FATE_BUSY, FATE_SETTLED } fate;

typedef struct settling {
    const m31ri_run_dir *dir;
    const m31ri_privacy *privacy;
    m31ri_settle how;
    int error; /* the last with which something was left */
} settling;

/* metadata.json is told how many records the dead one's lanes have. */
static void tell_lanes(const m31ri_run_dir *dir, const m31ri_drain *d, const char *note,
                       long long pid)
{
    for (uint32_t id = 1; id <= m31ri_drain_lanes(d); id++) {
        char name[64], file[128];
        uint64_t n_records, n_lost;
        m31ri_drain_lane(d, id, name, file);
        m31ri_drain_counts(d, id, &n_records, &n_lost);
        m31ri_notice_add(dir,
                         json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:b}", "kind", "lane", "file",
                                   file, "ring", note, "records", (json_int_t)n_records, "lost",
                                   (json_int_t)n_lost, "pid", (json_int_t)pid, "adds", 1),
                         NULL);
    }
}

/* 0 when nothing is left in it. */
static int drain_all(const settling *s, const char *note, m31ri_ring_file *f)
{
    const m31ri_drain_options o = {.dir = s->dir,
                                   .privacy = s->privacy,
                                   .is_of_dead = true,
                                   .leaves_what_fails = s->how == M31RI_SETTLE_OR_LEAVE};
    m31ri_drain *d = NULL;
    m31r_error e = {0};
    m31r_err err = m31ri_drain_open(f, &o, &d, &e);
    if (err == M31R_E_CORRUPT) {
        return 0; /* nothing of it can be believed: it will not be better the next time */
    }
    if (err != M31R_OK) {
        return e.sys_errno != 0 ? e.sys_errno : ENOMEM;
    }
    while (m31ri_drain_pass(d)) {
    }
    int error = m31ri_drain_error(d);
    m31ri_drain_sync(d);
    if (error == 0) {
        tell_lanes(s->dir, d, note, (long long)f->header->pid);
    }
    m31ri_drain_close(d);
    return error;
}

/* One ring: nothing while its program lives. */
static fate settle(settling *s, const char *note)
{
    const m31ri_run_dir *dir = s->dir;
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_ring_file f = {.fd = -1};
    m31r_error e = {0};
    m31r_err err = m31ri_read_file(dir->live_fd, note, NOTE_LIMIT, &path, &e);
    if (err == M31R_OK) {
        err = path.length != 0 ? m31ri_ring_file_open(m31ri_buf_str(&path), true, &f, &e)
                               : M31R_E_CORRUPT; /* an older version's, and half made */
        if (err == M31R_E_NOTFOUND) {
            unlinkat(dir->live_fd, note, 0);
        }
    }
    m31ri_buf_release(&path);
    if (err != M31R_OK) {
        bool is_final = err == M31R_E_NOTFOUND || err == M31R_E_CORRUPT || e.sys_errno == ENOENT;
        if (!is_final) { /* the damaged are left for a person to look at; this may work later */
            s->error = e.sys_errno != 0 ? e.sys_errno : ENOMEM;
        }
        return FATE_SETTLED;
    }
    fate result = FATE_ALIVE;
    if (m31ri_ring_file_is_dead(&f)) {
        result = m31ri_lease_take(f.fd, M31RI_LEASE_WRITER) ? FATE_SETTLED : FATE_BUSY;
    }
    if (result == FATE_SETTLED && strcmp(f.header->run_id, dir->run_id) == 0) {
        int error = drain_all(s, note, &f);
        if (error == 0 || s->how == M31RI_SETTLE_OR_COUNT) {
            unlink(f.path); /* first: a ring without a note would be found by nobody */
            unlinkat(dir->live_fd, note, 0);
        } else {
            s->error = error;
        }
    }
    m31ri_ring_file_close(&f);
    return result;
}

void m31ri_ring_settle(const m31ri_run_dir *dir, const m31ri_privacy *privacy, const char *note)
{
    settling s = {.dir = dir, .privacy = privacy, .how = M31RI_SETTLE_OR_LEAVE};
    (void)settle(&s, note);
}

static int settle_each(settling *s)
{
    const m31ri_run_dir *dir = s->dir;
    m31ri_dir_list list;
    m31r_error e = {0};
    int n_busy = 0;
    s->error = 0;
    if (m31ri_dir_list_fd(dir->live_fd, &list, &e) != M31R_OK) {
        s->error = e.sys_errno != 0 ? e.sys_errno : ENOMEM;
        return 0;
    }
    for (size_t i = 0; i < list.n; i++) {
        if (m31ri_ring_note_is_of_other(list.entries[i].name)) {
            n_busy += settle(s, list.entries[i].name) == FATE_BUSY;
        }
    }
    m31ri_dir_list_release(&list);
    return n_busy;
}

int m31ri_rings_settle(const m31ri_run_dir *dir, const m31ri_privacy *privacy, m31ri_settle how,
                       int wait_ms)
{
    settling s = {.dir = dir, .privacy = privacy, .how = how};
    for (int waited_ms = 0; settle_each(&s) != 0 && waited_ms < wait_ms;
         waited_ms += WAIT_STEP_MS) {
        nanosleep(&(struct timespec){0, WAIT_STEP_MS * 1000 * 1000}, NULL);
    }
    return s.error;
}
