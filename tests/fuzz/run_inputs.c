/* run_inputs.c - a fuzzer as a plain test: each file of the folders given, as it is and with small
 * changes.
 *
 * The changes come from a generator with a fixed start, so that a failure can be had again;
 * M31R_SOAK=1 makes a hundred times as many.
 */
#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define LIMIT (1 << 20)
#define CHANGES 40

static uint64_t seed = 0x9e3779b97f4a7c15;
static size_t n_files, n_runs;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* In memory that ends where the input ends, so that the sanitizer sees a read past it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size + (size == 0));
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    n_runs++;
}

/* Changes, removes or doubles a few bytes. */
static size_t change(uint8_t *data, size_t size, size_t room)
{
    static const char odd[] = "\"\\{}[],:0-9.eE+u\n\r\t \x00\x1f\x7f\x80\xc2\xe2\xed\xf4\xff";
    for (uint64_t i = 1 + next_random() % 4; i > 0 && size > 0; i--) {
        size_t at = next_random() % size;
        switch (next_random() % 4) {
        case 0:
            data[at] = (uint8_t)next_random();
            break;
        case 1:
            data[at] = (uint8_t)odd[next_random() % (sizeof odd - 1)];
            break;
        case 2:
            memmove(data + at, data + at + 1, size - at - 1);
            size--;
            break;
        default:
            if (size < room) {
                memmove(data + at + 1, data + at, size - at);
                size++;
            }
            break;
        }
    }
    return size;
}

static void run_file(const char *path)
{
    static uint8_t data[LIMIT + 64], changed[LIMIT + 64];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return;
    }
    size_t size = fread(data, 1, LIMIT, f);
    fclose(f);
    n_files++;
    run(data, size);
    int n = getenv("M31R_SOAK") != NULL ? 100 * CHANGES : CHANGES;
    for (int i = 0; i < n; i++) {
        memcpy(changed, data, size);
        run(changed, change(changed, size, sizeof changed));
    }
}

static void run_folder(const char *folder)
{
    DIR *d = opendir(folder);
    if (d == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        struct stat st;
        if (entry->d_name[0] != '.' && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
            run_file(path);
        }
    }
    closedir(d);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        run_folder(argv[i]);
    }
    printf("%zu files, %zu runs\n", n_files, n_runs);
    return n_files == 0;
}
