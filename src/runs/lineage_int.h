/* lineage_int.h - a lineage from the inside: every run of a root as a row, and who made what.
 *
 * Rows are in the order of the list of runs, oldest first. The files of a row lie together. Edges
 * lead from a maker, or a parent, to who names it; each row has the first of its own, and each edge
 * the next of the same row.
 */
#ifndef M31RI_LINEAGE_INT_H
#define M31RI_LINEAGE_INT_H

#include "runs/link_set.h"
#include "runs/runs_int.h"
#include "analyse/kept.h"
#include "base/name_table.h"
#include "base/sha256.h"
#include "m31r/lineage.h"

#define M31RI_NO_ROW UINT32_MAX

typedef struct m31ri_lineage_row {
    uint32_t first_file, n_files;
    uint32_t first_child; /* an edge; M31RI_NO_ROW for none */
    uint32_t shown;       /* its place in the lineage; M31RI_NO_ROW when it is not part of it */
} m31ri_lineage_row;

/* A file that was made or read, or (role "parent") a run that is named as one. */
typedef struct m31ri_lineage_file {
    m31ri_link_file file;
    const char *broken;
    uint32_t row, maker; /* maker: the row that made an input, or the parent's */
    uint32_t older;      /* of a made file: the one before it whose digest begins alike */
    bool is_input, is_parent;
    bool is_said; /* a parent that an input of the same run leads to as well */
} m31ri_lineage_file;

typedef struct m31ri_lineage_edge {
    uint32_t child, next;
} m31ri_lineage_edge;

struct m31r_lineage {
    char *root;
    m31ri_link_set *links;
    m31ri_run_list list; /* moved into `runs` once the lineage is known */
    m31r_runs *runs;
    int root_fd;             /* until `runs` has it */
    m31ri_lineage_row *rows; /* of the list */
    m31ri_lineage_file *files;
    size_t n_files, files_capacity;
    m31ri_lineage_edge *edges;
    size_t n_edges;
    m31ri_name_table digests; /* of made files: how they begin */
    uint32_t *newest;         /* for each, the last file with it */
    m31ri_name_table ids;     /* of runs; the number is the row */
    m31r_lineage_run *order;  /* the lineage's runs */
    uint32_t *order_rows;
    size_t n_order;
    m31r_lineage_file *shown;     /* the lineage's files */
    m31r_lineage_parent *parents; /* that no file tells of */
    size_t n_shown, n_parents, n_broken;
    m31ri_kept kept;
    char target[M31RI_SHA256_HEX]; /* digest of the file asked for; "" for a run */
};

/* lineage_rows.c: lists the runs, takes their links, and finds who made what was read. */
m31r_err m31ri_lineage_read(m31r_lineage *l, m31r_error *e);

/* The row of a run; M31RI_NO_ROW for none. */
uint32_t m31ri_lineage_row_of(const m31r_lineage *l, const char *run_id);

/* The row that made a digest: the newest that is not `reader`; M31RI_NO_ROW for none. */
uint32_t m31ri_lineage_maker(const m31r_lineage *l, const char *digest, uint32_t reader);

/* lineage_target.c: the row that a person means; sets l->target for a file. */
m31r_err m31ri_lineage_find(m31r_lineage *l, const char *target, uint32_t *out, m31r_error *e);

#endif
