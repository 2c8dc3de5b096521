/* stack_modules.c - what the loader has loaded, in tables that are only ever replaced.
 *
 * The loader counts what it adds and takes away, so one look says whether anything changed. A table
 * is sorted by address and never altered: a thread, or a signal handler, that is reading the old
 * one reads on in it.
 */
#include "stack/stack_modules.h"

#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

typedef struct loaded {
    uintptr_t start, end, bias;
    uint32_t number;
} loaded;

struct m31ri_module_table {
    m31ri_module_table *older;
    uint32_t n;
    loaded modules[];
};

struct m31ri_known_module {
    char *path;
    char build_id[2 * M31RI_BUILD_ID_BYTES + 1];
    bool is_told;
};

/* What the loader shows of one module, copied while its lock is held. */
typedef struct seen {
    loaded place;
    char *path;
    char build_id[2 * M31RI_BUILD_ID_BYTES + 1];
} seen;

typedef struct seen_list {
    seen *items;
    uint32_t n, room;
    uint64_t changes;
} seen_list;

static int count_changes(struct dl_phdr_info *info, size_t size, void *argument)
{
    bool has_counts = size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs;
    *(uint64_t *)argument = has_counts ? info->dlpi_adds + info->dlpi_subs : 0;
    return 1;
}

static void find_build_id(const struct dl_phdr_info *info, const ElfW(Phdr) * p, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = (const char *)(info->dlpi_addr + p->p_vaddr);
    const char *end = at + p->p_memsz;
    while ((size_t)(end - at) >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        memcpy(&note, at, sizeof note);
        size_t name = (note.n_namesz + 3u) & ~(size_t)3, id = (note.n_descsz + 3u) & ~(size_t)3;
        at += sizeof note;
        if (name > (size_t)(end - at) || id > (size_t)(end - at) - name) {
            return;
        }
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(at, "GNU", 4) == 0) {
            size_t n = note.n_descsz < M31RI_BUILD_ID_BYTES ? note.n_descsz : M31RI_BUILD_ID_BYTES;
            for (size_t i = 0; i < n; i++) {
                unsigned char byte = (unsigned char)at[name + i];
                *out++ = digits[byte >> 4];
                *out++ = digits[byte & 15];
            }
            *out = '\0';
            return;
        }
        at += name + id;
    }
}

/* The loader calls the program itself "". */
static char *path_of(const char *name)
{
    char path[PATH_MAX];
    if (name[0] == '\0') {
        ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
        path[n > 0 ? n : 0] = '\0';
        return m31ri_strdup(path);
    }
    return m31ri_strdup(strchr(name, '/') != NULL && realpath(name, path) != NULL ? path : name);
}

static int see(struct dl_phdr_info *info, size_t size, void *argument)
{
    seen_list *list = argument;
    count_changes(info, size, &list->changes);
    if (list->n == list->room) {
        uint32_t room = list->room == 0 ? 64 : list->room * 2;
        seen *more = m31ri_calloc(room, sizeof *more);
        if (more == NULL) {
            return 1;
        }
        if (list->n != 0) {
            memcpy(more, list->items, list->n * sizeof *more);
        }
        m31ri_free(list->items);
        list->items = more;
        list->room = room;
    }
    seen *s = &list->items[list->n];
    memset(s, 0, sizeof *s);
    s->place.start = UINTPTR_MAX;
    s->place.bias = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_LOAD) {
            s->place.start = start < s->place.start ? start : s->place.start;
            s->place.end = start + p->p_memsz > s->place.end ? start + p->p_memsz : s->place.end;
        } else if (p->p_type == PT_NOTE && s->build_id[0] == '\0') {
            find_build_id(info, p, s->build_id);
        }
    }
    s->path = s->place.end != 0 ? path_of(list->n == 0 ? "" : info->dlpi_name) : NULL;
    list->n += s->path != NULL;
    return 0;
}

static int by_start(const void *a, const void *b)
{
    const loaded *x = a, *y = b;
    return (x->start > y->start) - (x->start < y->start);
}

/* The number of what was seen: its old one, or the next. 0 when there is none to be had. */
static uint32_t number_of(m31ri_modules *m, seen *s, m31ri_module_added *added, void *context)
{
    for (uint32_t i = 1; i <= m->n_known; i++) {
        const m31ri_known_module *k = &m->known[i];
        if (strcmp(k->path, s->path) == 0 && strcmp(k->build_id, s->build_id) == 0) {
            return k->is_told ? i : 0;
        }
    }
    if (m->n_known + 1 >= m->room_known) {
        uint32_t room = m->room_known == 0 ? 64 : m->room_known * 2;
        m31ri_known_module *more =
            m->n_known < M31RI_MODULES ? m31ri_calloc(room, sizeof *more) : NULL;
        if (more == NULL) {
            return 0;
        }
        if (m->known != NULL) {
            memcpy(more, m->known, m->room_known * sizeof *more);
        }
        m31ri_free(m->known);
        m->known = more;
        m->room_known = room;
    }
    m31ri_known_module *k = &m->known[m->n_known + 1];
    k->path = s->path;
    s->path = NULL; /* it is the table's now */
    memcpy(k->build_id, s->build_id, sizeof k->build_id);
    k->is_told = added == NULL || added(context, m->n_known + 1, k->path, k->build_id);
    if (!k->is_told) { /* numbers go without gaps: it is asked again the next time */
        m31ri_free(k->path);
        k->path = NULL;
        return 0;
    }
    return ++m->n_known;
}

static void make_table(m31ri_modules *m, seen_list *list, m31ri_module_added *added, void *context)
{
    m31ri_module_table *t = m31ri_calloc(1, sizeof *t + list->n * sizeof(loaded));
    if (t == NULL) {
        return;
    }
    for (uint32_t i = 0; i < list->n; i++) {
        list->items[i].place.number = number_of(m, &list->items[i], added, context);
        memcpy(&t->modules[t->n], &list->items[i].place, sizeof(loaded)); /* with its padding */
        t->n += list->items[i].place.number != 0;
    }
    qsort(t->modules, t->n, sizeof t->modules[0], by_start);
    t->older = atomic_load_explicit(&m->table, memory_order_relaxed);
    m->changes = list->changes;
    if (t->older != NULL && t->older->n == t->n &&
        memcmp(t->older->modules, t->modules, t->n * sizeof(loaded)) == 0) {
        m31ri_free(t); /* loaded and unloaded again: tables are not to pile up */
        return;
    }
    /* pairs with the acquire in m31ri_modules_find */
    atomic_store_explicit(&m->table, t, memory_order_release);
}

void m31ri_modules_refresh(m31ri_modules *m, m31ri_module_added *added, void *context)
{
    uint64_t changes = 0;
    dl_iterate_phdr(count_changes, &changes);
    if (atomic_load_explicit(&m->table, memory_order_relaxed) != NULL && changes == m->changes) {
        return;
    }
    seen_list list = {0};
    dl_iterate_phdr(see, &list);
    make_table(m, &list, added, context);
    for (uint32_t i = 0; i < list.n; i++) {
        m31ri_free(list.items[i].path);
    }
    m31ri_free(list.items);
}

m31ri_frame m31ri_modules_find(const m31ri_modules *m, uintptr_t address)
{
    const m31ri_module_table *t = atomic_load_explicit(&m->table, memory_order_acquire);
    uint32_t low = 0, high = t != NULL ? t->n : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const loaded *l = &t->modules[middle];
        if (address < l->start) {
            high = middle;
        } else if (address >= l->end) {
            low = middle + 1;
        } else {
            return (m31ri_frame)l->number << 48 | ((address - l->bias) & 0xffffffffffffu);
        }
    }
    return 0;
}

void m31ri_modules_find_all(const m31ri_modules *m, const uintptr_t *addresses, uint32_t n,
                            m31ri_frame *out)
{
    for (uint32_t i = 0; i < n; i++) {
        out[i] = m31ri_modules_find(m, addresses[i]);
    }
}

const char *m31ri_modules_path(const m31ri_modules *m, uint32_t i, const char **out_build_id)
{
    if (i == 0 || i > m->n_known) {
        return NULL;
    }
    *out_build_id = m->known[i].build_id;
    return m->known[i].path;
}

void m31ri_modules_release(m31ri_modules *m)
{
    m31ri_module_table *t = atomic_load_explicit(&m->table, memory_order_relaxed);
    while (t != NULL) {
        m31ri_module_table *older = t->older;
        m31ri_free(t);
        t = older;
    }
    for (uint32_t i = 1; i <= m->n_known; i++) {
        m31ri_free(m->known[i].path);
    }
    m31ri_free(m->known);
    memset(m, 0, sizeof *m);
}
