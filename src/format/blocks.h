/* blocks.h - the blocks of a file of lines: what the leaves of its tree are made of, and how they
 * are listed in blocks.jsonl.
 *
 * A block ends behind the first newline whose offset from the block's start is 65,536 or more, or
 * at the end of the file. So where blocks end follows from the bytes alone, and a file that grows
 * keeps the blocks it had.
 *
 * blocks.jsonl has a line for each block, in the order of each file:
 *     {"file":"train.log","part":1,"block":0,"offset":0,"bytes":65640,"lines":501,
 *      "leaf":"<SHA-256(0x00, block)>","checks":"<two characters a line>"}
 * "file" is the lane's file or a file of points, "part" the ordinal that a file of records has, or
 * will have, as a segment: names change when a lane is rotated, parts do not. A line's check is the
 * low 12 bits of its CRC-32; it proves nothing, it finds the line in a block that has changed.
 */
#ifndef M31RI_BLOCKS_H
#define M31RI_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sha256.h"
#include "m31r/error.h"

#define M31RI_BLOCKS_FILE "blocks.jsonl"
#define M31RI_BLOCK_LEAST_BYTES 65536
#define M31RI_CHECK_CHARS 2 /* of a line */

typedef struct m31ri_block {
    uint64_t index, offset, bytes, lines;
    uint8_t leaf[M31RI_SHA256_BYTES];
} m31ri_block;

/* Cuts a stream of bytes into blocks. */
typedef struct m31ri_cutter {
    m31ri_block block; /* the one under way */
    m31ri_sha256 *hash;
    m31ri_buf checks; /* of the block under way */
    bool with_checks, is_full;
    uint32_t crc; /* of the line under way */
    bool is_in_line;
    bool (*each)(void *context, const m31ri_block *block, const char *checks); /* false: stop */
    void *context;
} m31ri_cutter;

/* Begins at block `index`, which starts at `offset`. False when memory is out.
 * Owns: m31ri_cutter_release(). */
bool m31ri_cutter_init(m31ri_cutter *c, uint64_t index, uint64_t offset);
void m31ri_cutter_release(m31ri_cutter *c);

/* False when `each` said so, or memory is out. end(): what is left is the last block, if any. */
bool m31ri_cutter_add(m31ri_cutter *c, const char *bytes, size_t length);
bool m31ri_cutter_end(m31ri_cutter *c);

/* The check of one line, its newline included. */
void m31ri_line_check(const char *line, size_t length, char out[M31RI_CHECK_CHARS]);

/* One line of blocks.jsonl. */
typedef struct m31ri_listed_block {
    const char *file; /* into the list */
    uint32_t part;
    m31ri_block block;
    char *checks;
} m31ri_listed_block;

typedef struct m31ri_block_list {
    m31ri_listed_block *blocks; /* as they stand in the file */
    size_t n, capacity;
    char **files; /* the names that occur */
    size_t n_files;
    uint64_t n_bad;   /* lines that are none */
    size_t n_whole;   /* bytes of whole lines */
    bool with_checks; /* set before reading: also keep them */
} m31ri_block_list;

void m31ri_block_line_write(m31ri_buf *out, const char *file, uint32_t part, const m31ri_block *b,
                            const char *checks);

/* Reads the text of blocks.jsonl. Errors: M31R_E_NOMEM. Owns: m31ri_block_list_release(). */
m31r_err m31ri_block_list_read(m31ri_block_list *l, const char *text, size_t length, m31r_error *e);
void m31ri_block_list_release(m31ri_block_list *l);

#endif
