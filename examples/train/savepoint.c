#include "savepoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK 0x314e49415254334du /* "M3TRAIN1" where the lowest byte comes first */
#define MAX_BYTES ((off_t)1 << 34)

enum { VERSION = 2 };

/* The start of the file. Only 64-bit words, so that it has no padding. */
typedef struct {
    uint64_t mark;
    uint64_t version;
    uint64_t number_size; /* of one parameter, in bytes */
    uint64_t n_parameters;
    uint64_t width, layers, heads, hidden, context, vocab;
    uint64_t step, tokens_total, seed, corpus_digest;
    feed_state feed;
} header;

_Static_assert(sizeof(header) == 23 * sizeof(uint64_t), "the header is part of the format");

static header header_of(const savepoint *point, const model *m)
{
    return (header){
        .mark = MARK,
        .version = VERSION,
        .number_size = sizeof(real),
        .n_parameters = m->n_parameters,
        .width = (uint64_t)point->shape.width,
        .layers = (uint64_t)point->shape.layers,
        .heads = (uint64_t)point->shape.heads,
        .hidden = (uint64_t)point->shape.hidden,
        .context = (uint64_t)point->shape.context,
        .vocab = (uint64_t)point->shape.vocab,
        .step = point->step,
        .tokens_total = point->tokens_total,
        .seed = point->seed,
        .corpus_digest = point->corpus_digest,
        .feed = point->feed,
    };
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
    return true;
}

/* Makes the new name itself durable: it is an entry of the directory, not part of the file. */
static void directory_sync(const char *path)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int length = slash == NULL ? 1 : (int)(slash - path) + 1;
    (void)snprintf(directory, sizeof directory, "%.*s", length, slash == NULL ? "." : path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

static bool file_replace(const char *path, const uint8_t *bytes, size_t size, fault *error)
{
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (length < 0 || (size_t)length >= sizeof temporary) {
        return fault_set(error, FAULT_USER, "checkpoint_not_written",
                         "path of %zu bytes, at most %d", strlen(path), PATH_MAX - 5);
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write_all(fd, bytes, size) && fsync(fd) == 0;
    int failure = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        failure = errno;
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        failure = errno;
    }
    if (!ok) {
        if (fd >= 0) {
            (void)unlink(temporary);
        }
        return fault_set(error, FAULT_RUNTIME, "checkpoint_not_written", "%s: %s", temporary,
                         strerror(failure));
    }
    directory_sync(path);
    return true;
}

bool savepoint_write(const char *path, const savepoint *point, const model *m,
                     savepoint_vectors vectors, fault *error)
{
    const header head = header_of(point, m);
    const size_t vector = m->n_parameters * sizeof(real);
    const size_t body = sizeof head + 3 * vector;
    uint8_t *bytes = malloc(body + sizeof(uint64_t));
    if (bytes == NULL) {
        return fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for a checkpoint");
    }
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + sizeof head, vectors.parameters, vector);
    memcpy(bytes + sizeof head + vector, vectors.optimiser.mean, vector);
    memcpy(bytes + sizeof head + 2 * vector, vectors.optimiser.square, vector);
    const uint64_t checksum = corpus_digest_add(CORPUS_DIGEST_START, bytes, body);
    memcpy(bytes + body, &checksum, sizeof checksum);

    bool ok = file_replace(path, bytes, body + sizeof checksum, error);
    free(bytes);
    return ok;
}

/* The whole file in memory, or NULL. */
static uint8_t *file_read(const char *path, size_t *size, fault *error)
{
    struct stat status;
    FILE *file = fopen(path, "rbe");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        (void)fault_set(error, FAULT_USER, "checkpoint_unreadable", "%s: %s", path,
                        strerror(errno));
        if (file != NULL) {
            (void)fclose(file);
        }
        return NULL;
    }
    uint8_t *bytes = NULL;
    if (!S_ISREG(status.st_mode) || status.st_size > MAX_BYTES) {
        (void)fault_set(error, FAULT_USER, "checkpoint_unreadable",
                        "%s: not a file of at most %lld bytes", path, (long long)MAX_BYTES);
    } else if ((bytes = malloc((size_t)status.st_size + 1)) == NULL) {
        (void)fault_set(error, FAULT_RUNTIME, "out_of_memory", "no memory for %s", path);
    } else {
        *size = fread(bytes, 1, (size_t)status.st_size, file);
    }
    (void)fclose(file);
    return bytes;
}

static bool is_whole(const char *path, const uint8_t *bytes, size_t size, fault *error)
{
    uint64_t mark = 0;
    uint64_t stored = 0;
    memcpy(&mark, bytes, size < sizeof mark ? size : sizeof mark);
    if (mark != MARK) {
        return fault_set(error, FAULT_USER, "checkpoint_foreign",
                         "%s: not a checkpoint of this program", path);
    }
    if (size < sizeof(header) + sizeof stored) {
        return fault_set(error, FAULT_USER, "checkpoint_corrupt", "%s: only %zu bytes", path, size);
    }
    memcpy(&stored, bytes + size - sizeof stored, sizeof stored);
    uint64_t checksum = corpus_digest_add(CORPUS_DIGEST_START, bytes, size - sizeof stored);
    if (checksum != stored) {
        return fault_set(
            error, FAULT_USER, "checkpoint_corrupt",
            "%s: %zu bytes with checksum %016llx, expected %016llx: truncated or changed", path,
            size, (unsigned long long)checksum, (unsigned long long)stored);
    }
    return true;
}

static bool fits(const char *path, const header *head, size_t size, const model *m, fault *error)
{
    const savepoint expected_point = {.shape = m->shape};
    const header expected = header_of(&expected_point, m);
    if (head->version != expected.version || head->number_size != expected.number_size) {
        return fault_set(error, FAULT_USER, "checkpoint_foreign",
                         "%s: version %llu with numbers of %llu bytes, expected %d with %zu", path,
                         (unsigned long long)head->version, (unsigned long long)head->number_size,
                         VERSION, sizeof(real));
    }
    if (memcmp(&head->n_parameters, &expected.n_parameters, 7 * sizeof(uint64_t)) != 0) {
        return fault_set(error, FAULT_CONFIG, "checkpoint_shape",
                         "%s: width %llu layers %llu heads %llu hidden %llu context %llu vocab "
                         "%llu, but the config says %d %d %d %d %d %d",
                         path, (unsigned long long)head->width, (unsigned long long)head->layers,
                         (unsigned long long)head->heads, (unsigned long long)head->hidden,
                         (unsigned long long)head->context, (unsigned long long)head->vocab,
                         m->shape.width, m->shape.layers, m->shape.heads, m->shape.hidden,
                         m->shape.context, m->shape.vocab);
    }
    size_t wanted = sizeof *head + 3 * m->n_parameters * sizeof(real) + sizeof(uint64_t);
    if (size != wanted || head->feed.cut >= head->context) {
        return fault_set(error, FAULT_USER, "checkpoint_corrupt", "%s: %zu bytes, expected %zu",
                         path, size, wanted);
    }
    return true;
}

bool savepoint_shape(const char *path, model_shape *out, fault *error)
{
    header head;
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return fault_set(error, FAULT_USER, "checkpoint_unreadable", "%s: %s", path,
                         strerror(errno));
    }
    bool is_ours = fread(&head, sizeof head, 1, file) == 1 && head.mark == MARK &&
                   head.version == VERSION && head.width <= 4096 && head.layers <= INT_MAX &&
                   head.heads <= 4096 && head.hidden <= 16384 && head.context <= 4096 &&
                   head.vocab <= MODEL_MAX_VOCAB;
    (void)fclose(file);
    if (!is_ours) {
        return fault_set(error, FAULT_USER, "checkpoint_foreign",
                         "%s: not a checkpoint of this program, version %d", path, VERSION);
    }
    *out = (model_shape){(int)head.width,  (int)head.layers,  (int)head.heads,
                         (int)head.hidden, (int)head.context, (int)head.vocab};
    return true;
}

bool savepoint_read(const char *path, savepoint *point, const model *m, savepoint_vectors vectors,
                    fault *error)
{
    size_t size = 0;
    uint8_t *bytes = file_read(path, &size, error);
    header head;
    bool ok = bytes != NULL && is_whole(path, bytes, size, error);
    if (ok) {
        memcpy(&head, bytes, sizeof head);
        ok = fits(path, &head, size, m, error);
    }
    if (ok) {
        const size_t vector = m->n_parameters * sizeof(real);
        memcpy(vectors.parameters, bytes + sizeof head, vector);
        if (vectors.optimiser.mean != NULL) {
            memcpy(vectors.optimiser.mean, bytes + sizeof head + vector, vector);
            memcpy(vectors.optimiser.square, bytes + sizeof head + 2 * vector, vector);
        }
        *point = (savepoint){m->shape,  head.step,          head.tokens_total,
                             head.seed, head.corpus_digest, head.feed};
    }
    free(bytes);
    return ok;
}
