/* value_key.h - the key of a run by which equal values that were taken out can be told from others.
 *
 * With `privacy_hash: true` a marker is [redacted:kind:8hex], the beginning of an HMAC-SHA-256 of
 * the value. The key is random and made for one run. It is in the memory of the run's processes and
 * in "<run_id>.<device>.<inode>.key" (those of the run's directory) of the user's directory in
 * /dev/shm, mode 0600, where those who join find it; it goes when the run ends or is recovered, and
 * nobody can try values against a marker any more.
 */
#ifndef M31RI_VALUE_KEY_H
#define M31RI_VALUE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hmac.h"
#include "rules/privacy.h"

typedef struct m31ri_value_key {
    bool is_set;
    uint8_t bytes[M31RI_HMAC_BYTES];
} m31ri_value_key;

/* Of `p`, which hashes from then on. Before other threads use the rules. */
m31ri_value_key *m31ri_privacy_value_key(m31ri_privacy *p);

/* Owner: makes a key for `p` and lays it out for those who join the run `run_id` in `path`, which
 * is open as `dir`. Where there is no memory to lay it in, joined processes write markers without a
 * hash. */
void m31ri_value_key_make(m31ri_privacy *p, int dir, const char *run_id, const char *path);

/* Joiner, recover: takes the run's key for `p`, if it is there. */
void m31ri_value_key_find(m31ri_privacy *p, int dir, const char *run_id);

/* The run has ended: its key goes. Fine when it never had one. */
void m31ri_value_key_forget(int dir, const char *run_id);

/* The run's directory that the key file `path` was laid out for. False when it is no such file. */
bool m31ri_value_key_run(const char *path, char *out, size_t size);

#endif
