/* lineage.h - where a file came from, and what came of it: the runs that are tied to each other by
 * the digests of what they made and read.
 *
 * A run registers the files it makes and reads (artifact.h). A file that one run made and another
 * one read is a link between the two, whatever its name and place are today. From a run, or from a
 * file, the links are followed backward to all ancestors and forward to all descendants, among the
 * runs of one directory. Nothing is guessed: a link whose other end is not there is broken, and
 * said.
 *
 *     m31r_lineage *l;
 *     if (m31r_lineage_open(&l, NULL, "checkpoints/step_000600.bin", &e) == M31R_OK) {
 *         for (size_t i = 0; i < m31r_lineage_runs(l); i++) { ... }
 *         m31r_lineage_close(l);
 *     }
 */
#ifndef M31R_LINEAGE_H
#define M31R_LINEAGE_H

#include "m31r/reader.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct m31r_lineage m31r_lineage;

typedef enum m31r_kin {
    M31R_KIN_ANCESTOR = 0,
    M31R_KIN_SELF = 1, /* the run asked for, or the one that made the file asked for */
    M31R_KIN_DESCENDANT = 2
} m31r_kin;

/* One run. Strings are "" when not known. */
typedef struct m31r_lineage_run {
    const char *run_id, *path, *name, *stage;
    m31r_state state;
    m31r_kin kin;
    int generations;         /* links between it and the run asked for */
    const char *start, *end; /* timestamps as in records */
    const char *config, *config_digest, *dataset, *tokenizer, *commit, *seed;
    bool is_dirty;
    const char *metric; /* the one that a list of runs shows, and its last value; "" for none */
    double metric_last;
} m31r_lineage_run;

#define M31R_LINEAGE_NONE ((size_t)-1)

/* One file that a run of the lineage made or read. */
typedef struct m31r_lineage_file {
    size_t run; /* which of the lineage's runs registered it */
    const char *role, *path, *digest;
    int64_t step;       /* M31R_UNKNOWN for none */
    const char *maker;  /* of an input: id of the run that made it; "" when no run here did */
    size_t maker_run;   /* which of the lineage's runs that is; M31R_LINEAGE_NONE for none */
    const char *broken; /* why its link is broken or cannot be verified; "" when it is not */
    bool is_target;     /* it is the file asked for */
} m31r_lineage_file;

/* A run that another one names as its parent where no file says so. */
typedef struct m31r_lineage_parent {
    size_t run;         /* which of the lineage's runs names it */
    const char *parent; /* id of the parent */
    size_t parent_run;  /* which of the lineage's runs that is; M31R_LINEAGE_NONE for none */
    const char *broken; /* why the link is broken; "" when it is not */
} m31r_lineage_parent;

/* Follows the links of `target`: a run as m31r_reader_open() takes it, a file inside a run's
 * directory (its log, its metrics), or any file, found by its SHA-256. `root` is the directory of
 * runs; NULL is "experiments" below the working directory.
 *
 * Returns: M31R_OK and the lineage in `*out`.
 * Errors:  M31R_E_NOTFOUND (neither a run nor a file that a run registered), M31R_E_ARG (several
 *          runs match), M31R_E_INVALID (the file is registered but its bytes are other ones now),
 *          M31R_E_IO, M31R_E_NOMEM.
 * Owns:    the caller closes it with m31r_lineage_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_lineage_open(m31r_lineage **out, const char *root, const char *target,
                                    m31r_error *e);

/* Frees it. NULL is fine.
 *
 * Owns:   frees `l`.
 * Thread: excludes every other call on it.
 */
M31R_API void m31r_lineage_close(m31r_lineage *l);

/* Number of runs: ancestors first, then the run itself, then descendants, both the oldest first.
 *
 * Returns: the number.
 * Thread:  any.
 */
M31R_API size_t m31r_lineage_runs(const m31r_lineage *l);

/* The i-th run.
 *
 * Returns: M31R_OK and the run in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the lineage; strings are valid until m31r_lineage_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_lineage_get_run(const m31r_lineage *l, size_t i, m31r_lineage_run *out);

/* The i-th file, in the order of the runs and of their registration.
 *
 * Returns: M31R_OK and the file in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the lineage; strings are valid until m31r_lineage_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_lineage_get_file(const m31r_lineage *l, size_t i, m31r_lineage_file *out);

/* The i-th parent that no file tells of, in the order of the runs.
 *
 * Returns: M31R_OK and the parent in `*out`.
 * Errors:  M31R_E_NOTFOUND when there is no such.
 * Owns:    the lineage; strings are valid until m31r_lineage_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_lineage_get_parent(const m31r_lineage *l, size_t i,
                                          m31r_lineage_parent *out);

/* Number of broken links.
 *
 * Returns: the number; 0 when every link has both its ends.
 * Thread:  any.
 */
M31R_API size_t m31r_lineage_broken(const m31r_lineage *l);

#ifdef __cplusplus
}
#endif
#endif
