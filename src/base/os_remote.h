/* os_remote.h - is a file on a file system where locks, sockets or mappings may not work as on a
 * local disk? */
#ifndef M31RI_OS_REMOTE_H
#define M31RI_OS_REMOTE_H

/* "nfs", "smb", "fuse", "9p"... for an open file or directory on a network file system, or on one
 * that a process serves; NULL for a local one, and when the system does not say. */
const char *m31ri_remote_kind(int fd);

#endif
