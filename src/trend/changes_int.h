/* changes_int.h - what changes.c (from a series to its changes) and refine.c (which of them hold
 * for measurements) share: the series while it is looked at, and its pieces. */
#ifndef M31RI_CHANGES_INT_H
#define M31RI_CHANGES_INT_H

#include "m31r/changes.h"
#include "trend/partition.h"
#include "trend/robust.h"

#define M31RI_PERF_CLIP 3.0    /* deviations from the running median that a value may be away */
#define M31RI_PERF_FLOOR 0.001 /* of the level: a finer fit is worth nothing */

/* A piece [from, to) of the finite values. */
typedef struct m31ri_piece {
    size_t from, to;
    double level, mean;           /* median of the values as they were; of the clipped ones */
    double at_from, at_to, slope; /* the line through the clipped ones, at its first and last */
    double spread, spread_of_fit; /* squared distances from the line; from what the family fits */
} m31ri_piece;

struct m31r_changes {
    m31r_changes_facts facts;
    size_t n;                           /* finite values looked at */
    double values[M31R_CHANGES_VALUES]; /* as they were */
    double clipped[M31R_CHANGES_VALUES];
    double work[M31R_CHANGES_VALUES];  /* what medians put in order */
    size_t index[M31R_CHANGES_VALUES]; /* of a value among those given */
    m31ri_piece pieces[M31RI_CHANGES_LIMIT + 1];
    size_t n_pieces;
    m31ri_piece recent[2]; /* the newest values of the newest piece, and those before */
    int exponent;          /* values are those given by 2^exponent */
    double correlation;    /* of a value's distance from its level with that of the next */
    double shared;         /* variance within regimes */
    m31r_change changes[M31RI_CHANGES_LIMIT];
};

/* The median of [from, to) of `values`, which are the series' own. */
double m31ri_changes_median(m31r_changes *c, const double *values, size_t from, size_t to);

/* 1.4826 x the median distance of [from, to) of `values` from `level`. */
double m31ri_changes_noise(m31r_changes *c, const double *values, size_t from, size_t to,
                           double level);

/* Fills in level, mean and line of a piece whose ends are set. */
void m31ri_piece_measure(m31r_changes *c, m31ri_piece *p);

/* What all pieces leave of the clipped values' squares. */
double m31ri_changes_squares(const m31r_changes *c);

/* The lag-1 correlation of what the pieces leave, 0 to 0.95. */
double m31ri_changes_correlation(const m31r_changes *c);

/* Preset perf: takes out the changes that are none of a measurement, and finds the one that four
 * values at the end show already. */
void m31ri_changes_refine(m31r_changes *c);

#endif
