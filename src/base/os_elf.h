/* os_elf.h - what a program or shared library says of its own making. */
#ifndef M31RI_OS_ELF_H
#define M31RI_OS_ELF_H

#include <stdbool.h>

#define M31RI_BUILD_ID_HEX 41 /* 20 bytes as text, and its NUL; longer ids are cut */

/* Texts are "" when the file does not say. */
typedef struct m31ri_elf_facts {
    char build_id[M31RI_BUILD_ID_HEX]; /* the linker's digest of the contents */
    char compiler[128]; /* the first of its .comment: "GCC: (Debian 12.2.0-14) ..." */
    char loader[256];   /* the dynamic loader that it asks for; "" of a static program */
} m31ri_elf_facts;

/* Reads a file of this machine's own word size; false when it is none. Nothing of the file is
 * trusted: what does not fit is not said. */
bool m31ri_elf_read(int fd, m31ri_elf_facts *out);

#endif
