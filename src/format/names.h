/* names.h - the names that become paths: run ids, lanes, stages; and which of them are refused. */
#ifndef M31RI_NAMES_H
#define M31RI_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M31RI_RUN_ID_BYTES 64

/* "YYYYMMDDTHHMMSSZ-<8 hex>", with "-2", "-3"... when `attempt` is 2 or more. */
void m31ri_run_id_write(int64_t wall_ns, const uint8_t identity_digest[32], unsigned attempt,
                        char out[M31RI_RUN_ID_BYTES]);

/* True for a run id that came from outside and is safe as one path part:
 * ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$ less ".", "..", a trailing dot, device names (CON, NUL,
 * COM1.x...), and names a run directory or its root uses itself (checkpoints, metadata.json, .live
 * ...). `length` counts bytes; NUL inside is refused. */
bool m31ri_run_id_is_safe(const char *id, size_t length);

/* [a-z0-9_-]{1,32}, not starting with '-', not a reserved name (metrics, metadata, manifest,
 * checkpoints, notes...). */
bool m31ri_lane_name_is_valid(const char *name, size_t length);
bool m31ri_stage_name_is_valid(const char *name, size_t length);

/* [a-zA-Z0-9_.-]{1,64} */
bool m31ri_module_name_is_valid(const char *name, size_t length);

/* "<stage>.log", "<stage>.<lane>.log", with ".rank0003" before ".log" when rank > 0. `lane` "" is
 * the main lane. */
void m31ri_lane_file_write(const char *stage, const char *lane, int rank, char *out, size_t size);

#endif
