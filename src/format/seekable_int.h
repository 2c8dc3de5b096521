/* seekable_int.h - the constants that writing and reading compressed segments share. */
#ifndef M31RI_SEEKABLE_INT_H
#define M31RI_SEEKABLE_INT_H

#include "format/seekable.h"

#define TABLE_MAGIC 0x184D2A5Eu  /* skippable frame with the seek table */
#define INDEX_MAGIC 0x184D2A5Bu  /* skippable frame with the index */
#define FOOTER_MAGIC 0x8F92EAB1u /* ends the file */
#define SKIPPABLE_BYTES 8        /* magic and size */
#define FOOTER_BYTES 9           /* number of frames, descriptor, magic */
#define ENTRY_BYTES 8            /* sizes of a frame, packed and plain */
#define CHECKSUM_FLAG 0x80       /* in the descriptor: entries are 4 bytes longer */

m31r_err m31ri_frame_list_add(m31ri_frame_list *l, m31ri_frame frame, m31r_error *e);

#endif
