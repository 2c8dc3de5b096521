/* os_elf.c - os_elf.h by the tables of the file: program headers for the build id and the loader,
 * section headers for the compiler's comment. */
#include "base/os_elf.h"

#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEADERS 256 /* more are not looked at */
#define NOTE_BYTES 4096

static bool read_at(int fd, void *out, size_t length, uint64_t offset)
{
    return offset <= INT64_MAX && pread(fd, out, length, (off_t)offset) == (ssize_t)length;
}

/* Finds the build id among notes: three words, a name and a content, each padded to 4 bytes. */
static void find_build_id(const uint8_t *notes, size_t length, m31ri_elf_facts *out)
{
    while (length >= 12) {
        uint32_t head[3];
        memcpy(head, notes, sizeof head);
        size_t name = ((size_t)head[0] + 3) & ~(size_t)3;
        size_t content = ((size_t)head[1] + 3) & ~(size_t)3;
        if (name > length - 12 || content > length - 12 - name) {
            return;
        }
        if (head[2] == NT_GNU_BUILD_ID && head[0] == 4 && memcmp(notes + 12, "GNU", 4) == 0) {
            size_t n = head[1] < 20 ? head[1] : 20;
            for (size_t i = 0; i < n; i++) {
                snprintf(out->build_id + 2 * i, 3, "%02x", notes[12 + name + i]);
            }
            return;
        }
        notes += 12 + name + content;
        length -= 12 + name + content;
    }
}

static void read_loader(int fd, const ElfW(Phdr) * segment, m31ri_elf_facts *out)
{
    size_t length = segment->p_filesz;
    if (length >= sizeof out->loader || !read_at(fd, out->loader, length, segment->p_offset)) {
        out->loader[0] = '\0';
    }
}

static void read_segments(int fd, const ElfW(Ehdr) * head, m31ri_elf_facts *out)
{
    for (size_t i = 0; i < head->e_phnum && i < HEADERS; i++) {
        ElfW(Phdr) segment;
        uint8_t notes[NOTE_BYTES];
        if (!read_at(fd, &segment, sizeof segment, head->e_phoff + i * sizeof segment)) {
            return;
        }
        size_t length = segment.p_filesz < sizeof notes ? segment.p_filesz : sizeof notes;
        if (segment.p_type == PT_INTERP) {
            read_loader(fd, &segment, out);
        } else if (segment.p_type == PT_NOTE && out->build_id[0] == '\0' &&
                   read_at(fd, notes, length, segment.p_offset)) {
            find_build_id(notes, length, out);
        }
    }
}

static bool is_comment(int fd, const ElfW(Shdr) * names, uint64_t name)
{
    char text[9];
    return name < names->sh_size && read_at(fd, text, sizeof text, names->sh_offset + name) &&
           memcmp(text, ".comment", sizeof text) == 0;
}

static void read_comment(int fd, const ElfW(Ehdr) * head, m31ri_elf_facts *out)
{
    ElfW(Shdr) names;
    ElfW(Shdr) section;
    if (!read_at(fd, &names, sizeof names, head->e_shoff + head->e_shstrndx * sizeof names)) {
        return;
    }
    for (size_t i = 0; i < head->e_shnum && i < HEADERS; i++) {
        if (!read_at(fd, &section, sizeof section, head->e_shoff + i * sizeof section)) {
            return;
        }
        size_t limit = sizeof out->compiler - 1;
        size_t length = section.sh_size < limit ? section.sh_size : limit;
        if (section.sh_type == SHT_PROGBITS && is_comment(fd, &names, section.sh_name) &&
            read_at(fd, out->compiler, length, section.sh_offset)) {
            out->compiler[length] = '\0'; /* the strings after the first follow its NUL */
            return;
        }
    }
}

bool m31ri_elf_read(int fd, m31ri_elf_facts *out)
{
    ElfW(Ehdr) head;
    m31ri_elf_facts facts = {0};
    int bits = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    if (!read_at(fd, &head, sizeof head, 0) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != bits || head.e_phentsize != sizeof(ElfW(Phdr)) ||
        (head.e_shnum > 0 && head.e_shentsize != sizeof(ElfW(Shdr)))) {
        return false;
    }
    read_segments(fd, &head, &facts);
    read_comment(fd, &head, &facts);
    *out = facts;
    return true;
}
