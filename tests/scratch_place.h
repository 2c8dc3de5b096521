/* scratch_place.h - a folder for the scratch of tests that ask nothing of the file system below it:
 * in memory, where the thousands of small files of a repository cost a tenth of what they cost on a
 * disk. Tests of writing, syncing and killing stay on the disk, in /tmp. */
#ifndef M31R_SCRATCH_PLACE_H
#define M31R_SCRATCH_PLACE_H

#include <unistd.h>

static inline const char *scratch_place(void)
{
    return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

#endif
