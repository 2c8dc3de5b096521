/* Near duplicates: files that share most of their runs of words.
 *
 * A file is the set of its shingles, five words or signs in a row. Its signature keeps, for each of
 * 128 orders of all shingles, the first one that the file has: two signatures agree in a place with
 * the probability that is the Jaccard similarity of the two sets (MinHash). Signatures are cut into
 * 16 bands; only files that agree in a whole band are compared (locality-sensitive hashing), so
 * that a thousand files do not cost a million comparisons. Of equal files the first one is kept.
 */
#ifndef PIPELINE_NEAR_H
#define PIPELINE_NEAR_H

#include "bytes.h"

enum { NEAR_PLACES = 128, NEAR_BANDS = 16, NEAR_SHINGLE_WORDS = 5 };

typedef struct {
    uint32_t place[NEAR_PLACES];
} near_signature;

typedef struct near_index near_index;

/* Returns NULL when memory is short. */
near_index *near_index_new(void);
void near_index_free(near_index *index);

/* The signature of a text; false for one with fewer words than a shingle has. */
bool near_signature_set(near_signature *out, const bytes *text);

/* Estimated Jaccard similarity, 0 to 1, with a standard error of at most 0.045. */
double near_similarity(const near_signature *a, const near_signature *b);

/* The most similar earlier text whose similarity is at least `threshold`: its number and
 * similarity. Returns false when there is none. */
bool near_index_find(const near_index *index, const near_signature *signature, double threshold,
                     size_t *number, double *similarity);

/* Adds a text; they are numbered from 0 in the order in which they are added.
 * Errors: FAULT_RUNTIME when memory is short. */
bool near_index_add(near_index *index, const near_signature *signature, fault *error);

#endif
