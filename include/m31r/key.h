/* key.h - the user's key that signs the seals of runs. Never required.
 *
 * An Ed25519 key in `$XDG_CONFIG_HOME/m31r/key`, else `~/.config/m31r/key`, PEM, mode 0600, without
 * a passphrase. When it is there, each run that this user seals is signed with it. Beside it `keys`
 * lists every public key that was made here, and when, so that a seal of a time before its key is
 * seen. A signature does not protect against who can read the key.
 *
 *     m31r_key key;
 *     m31r_key_new(false, &key, &e);
 */
#ifndef M31R_KEY_H
#define M31R_KEY_H

#include <stdbool.h>

#include "m31r/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct m31r_key {
    char public_key[65]; /* hexadecimal */
    char made[28];       /* UTC; "" when not known */
    char path[512];      /* of the file with the secret key */
    char kept[560];      /* where the key before was put; "" */
} m31r_key;

/* Makes a key. `replace`: one that is there is put aside beside it first.
 *
 * Returns: M31R_OK and the key in `*out`.
 * Errors:  M31R_E_EXISTS (there is one, and not `replace`), M31R_E_NOTFOUND (no place: neither
 *          XDG_CONFIG_HOME nor HOME is an absolute path), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_key_new(bool replace, m31r_key *out, m31r_error *e);

/* The key that signs now.
 *
 * Returns: M31R_OK and the key in `*out`.
 * Errors:  M31R_E_NOTFOUND (there is none), M31R_E_CONFIG (others may read it, it belongs to
 *          somebody else, or it is no key: then nothing is signed), M31R_E_IO, M31R_E_NOMEM.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_key_show(m31r_key *out, m31r_error *e);

#ifdef __cplusplus
}
#endif
#endif
