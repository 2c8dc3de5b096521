/* verify_identity.c - are the files there, and does metadata.json name everything that identifies a
 * run? */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/verify_int.h"
#include "base/os_file.h"
#include "base/sha256.h"

static bool exists(const m31r_verification *v, const char *name, bool is_directory)
{
    struct stat st;
    return fstatat(v->reader->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (is_directory ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode));
}

/* The main lane may be there in its rotated segments alone. */
static bool has_lane(const m31r_verification *v, const char *file)
{
    for (size_t i = 0; i < v->reader->lanes.n; i++) {
        if (strcmp(v->reader->lanes.lanes[i].file, file) == 0) {
            return true;
        }
    }
    return false;
}

static void check_files(m31r_verification *v)
{
    static const char *const statement[2] = {"OBS-22", "every mandatory file is there"};
    const char *stage = v->reader->facts.stage;
    const char *log = m31ri_verify_text(v, "%s.log", stage[0] != '\0' ? stage : "train");
    const char *const files[] = {log, "metrics.json", "metrics.csv", "config_snapshot.yaml",
                                 "metadata.json"};
    char missing[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < 6; i++) {
        /* Serving makes no checkpoints: its stage does not ask for the folder. */
        bool is_folder = i == 5;
        const char *name = is_folder ? "checkpoints" : files[i];
        if (exists(v, name, is_folder) || (i == 0 && has_lane(v, name)) ||
            (is_folder && strcmp(stage, "serve") == 0)) {
            continue;
        }
        n += (size_t)snprintf(missing + n, sizeof missing - n, "%s%s%s", n > 0 ? ", " : "", name,
                              is_folder ? "/" : "");
    }
    m31ri_check_place place = {.path = "", .breaks = M31R_VERDICT_INCOMPLETE};
    if (n > 0) {
        m31ri_verify_add(v, statement, M31R_NO, place, "missing: %s", missing);
    } else {
        m31ri_verify_add(v, statement, M31R_YES, place, "%s, metrics, config, metadata", log);
    }
}

static void check_readable(m31r_verification *v)
{
    static const char *const statement[2] = {"OBS-21", "metadata.json reads"};
    m31ri_check_place place = {.path = "metadata.json", .breaks = M31R_VERDICT_UNREADABLE};
    const char *problem = v->reader->facts.problem;
    const json_t *version = m31ri_reader_get(v->reader, "format_version");
    if (problem[0] != '\0') {
        m31ri_verify_add(v, statement, M31R_NO, place, "%s", problem);
    } else if (!json_is_integer(version) || json_integer_value(version) > 1) {
        m31ri_verify_add(v, statement, M31R_NO, place,
                         "format_version is not 1, which this version reads");
    } else {
        m31ri_verify_add(v, statement, M31R_YES, place, "format_version 1");
    }
}

static void check_fields(m31r_verification *v)
{
    static const char *const statement[2] = {"OBS-21", "metadata has every mandatory field"};
    const m31r_facts *f = &v->reader->facts;
    const struct {
        const char *name, *value;
    } fields[] = {
        {"run_id", m31ri_reader_text(v->reader, "run_id")},
        {"timestamp", f->start},
        {"config_path", f->config.value},
        {"git_commit", f->commit.value},
        {"dataset_version", f->dataset.value},
        {"tokenizer_version", f->tokenizer.value},
        {"seed", f->seed.value},
    };
    char missing[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].value[0] == '\0') {
            n += (size_t)snprintf(missing + n, sizeof missing - n, "%s%s", n > 0 ? ", " : "",
                                  fields[i].name);
        }
    }
    m31ri_check_place place = {.path = "metadata.json", .breaks = M31R_VERDICT_INCOMPLETE};
    if (n > 0) {
        m31ri_verify_add(v, statement, M31R_NO, place, "missing: %s", missing);
    } else {
        m31ri_verify_add(v, statement, M31R_YES, place,
                         "config, commit, dataset, tokenizer, seed, timestamp");
    }
}

static void check_sources(m31r_verification *v)
{
    static const char *const statement[2] = {"OBS-23", "no anonymous run: each value has a source"};
    const m31r_facts *f = &v->reader->facts;
    const struct {
        const char *name;
        const m31r_identity_value *value;
    } all[] = {{"config", &f->config},
               {"dataset", &f->dataset},
               {"tokenizer", &f->tokenizer},
               {"commit", &f->commit},
               {"seed", &f->seed}};
    m31ri_check_place place = {.path = "metadata.json", .breaks = M31R_VERDICT_INCOMPLETE};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].value->source[0] == '\0') {
            m31ri_verify_add(v, statement, M31R_NO, place, "the %s has no source", all[i].name);
            return;
        }
    }
    m31ri_verify_add(v, statement, M31R_YES, place, "config %s, dataset %s, tokenizer %s, seed %s",
                     f->config.source, f->dataset.source, f->tokenizer.source, f->seed.source);
}

/* A config that is neither YAML nor JSON is kept beside the snapshot, which then has other bytes.
 */
static void check_snapshot(m31r_verification *v)
{
    static const char *const statement[2] = {"OBS-23",
                                             "the config snapshot is the config that was used"};
    const char *want = v->reader->facts.config.digest;
    const char *path = v->reader->facts.config.value;
    const char *dot = strrchr(path, '.');
    bool is_kept = dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 ||
                                   strcmp(dot, ".json") == 0);
    m31ri_check_place place = {.path = "config_snapshot.yaml", .breaks = M31R_VERDICT_CHANGED};
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    if (strlen(want) != 64 || !is_kept) {
        m31ri_verify_add(v, statement, M31R_NOT_APPLICABLE, place, "no digest to compare with");
        return;
    }
    int fd = m31ri_open(v->reader->fd, "config_snapshot.yaml", O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0 || m31ri_sha256_fd(fd, digest, NULL, NULL) != M31R_OK) {
        m31ri_verify_add(v, statement, M31R_NO, place, "config_snapshot.yaml cannot be read");
    } else {
        m31ri_sha256_hex(digest, hex);
        bool is_same = strcmp(hex, want) == 0;
        m31ri_verify_add(v, statement, is_same ? M31R_YES : M31R_NO, place, "SHA-256 %.12s%s%.12s",
                         hex, is_same ? ", as recorded: " : ", recorded: ", want);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void check_end(m31r_verification *v)
{
    static const char *const statement[2] = {"OBS-04", "the end was recorded"};
    const m31r_facts *f = &v->reader->facts;
    m31r_verdict breaks = v->is_complete ? M31R_VERDICT_INCOMPLETE : M31R_VERDICT_PREFIX;
    m31ri_check_place place = {.path = "metadata.json", .breaks = breaks};
    m31ri_verify_add(v, statement, m31ri_verify_is_ended(v) ? M31R_YES : M31R_NO, place, "%s: %s",
                     m31r_state_name(f->state), f->state_why);
}

void m31ri_verify_identity(m31r_verification *v)
{
    check_files(v);
    check_readable(v);
    check_fields(v);
    check_sources(v);
    check_snapshot(v);
    check_end(v);
}
