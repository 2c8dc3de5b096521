/* seal.h - the seal of a run: what it says of itself, as one line of JSON, and the text that its
 * digest and its signature are of.
 *
 *     {"v":1,"run_id":"...","root":"...","files":12,"made":"...","previous":"...",
 *      "previous_seal":"...","key":null,"signature":null,"seal":"..."}
 *
 * It stands in manifest.json and, the same bytes, as a line of `.seals.jsonl` beside the runs. The
 * statement is the text
 *     m31r-seal-v1 LF run_id LF root SP files LF made LF previous SP previous_seal LF key LF
 * with "-" for what is null; "seal" is its SHA-256, "signature" the Ed25519 signature of it.
 */
#ifndef M31RI_SEAL_H
#define M31RI_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "m31r/error.h"

#define M31RI_SEALS_FILE ".seals.jsonl"
#define M31RI_SEALS_BYTES ((size_t)1024 * 1024 * 1024) /* a larger chain is not read */
#define M31RI_SEAL_LINE_BYTES 4096                     /* at most */

/* Texts, "" for null. */
typedef struct m31ri_seal {
    char run_id[160];
    char root[M31RI_SHA256_HEX];
    uint64_t n_files;
    char made[28];
    char previous[160];
    char previous_seal[M31RI_SHA256_HEX];
    char key[65];        /* Ed25519 public key, hex */
    char signature[129]; /* hex */
    char digest[M31RI_SHA256_HEX];
} m31ri_seal;

/* The text that is hashed and signed. */
void m31ri_seal_statement(const m31ri_seal *s, m31ri_buf *out);

/* Sets the digest. False when memory is out. */
bool m31ri_seal_set_digest(m31ri_seal *s);

/* True when the digest is that of the statement. */
bool m31ri_seal_holds(const m31ri_seal *s);

/* From { to }. */
void m31ri_seal_write(const m31ri_seal *s, m31ri_buf *out);

/* False unless it is, byte for byte, what m31ri_seal_write() makes of it. */
bool m31ri_seal_read(const char *text, size_t length, m31ri_seal *out);

#endif
