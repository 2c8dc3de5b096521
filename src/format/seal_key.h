/* seal_key.h - the user's key: used to sign a seal, and asked about one. */
#ifndef M31RI_SEAL_KEY_H
#define M31RI_SEAL_KEY_H

#include "format/seal.h"
#include "m31r/key.h"

/* Signs: sets key, digest and signature. A seal stays unsigned when there is no key that may be
 * used. False when memory is out. */
bool m31ri_seal_sign(m31ri_seal *s);

typedef enum m31ri_signature {
    M31RI_UNSIGNED,
    M31RI_SIGNED, /* by `key` */
    M31RI_BAD_SIGNATURE
} m31ri_signature;

m31ri_signature m31ri_seal_signature(const m31ri_seal *s);

/* When a public key was made here; false when it is not in the list. */
bool m31ri_key_made(const char *public_key, char out[28]);

#endif
