/* Finds the merges of a tokenizer: again and again the most frequent pair of neighbours.
 *
 * A text of 50 MB has a few hundred thousand different words, so words are counted once and merged
 * once each. After a merge only the words that hold the pair are looked at, and the counts of their
 * pairs are mended; the next pair comes off a heap. Of pairs that are equally frequent the one with
 * the smaller numbers is merged, so that the same text gives the same tokenizer.
 */
#ifndef PIPELINE_BPE_TRAIN_H
#define PIPELINE_BPE_TRAIN_H

#include "bpe.h"

typedef struct {
    size_t vocab;     /* tokens wanted */
    size_t min_pairs; /* a pair that is rarer is not merged: fewer tokens come out then */
} bpe_train_plan;

typedef struct {
    size_t n_words; /* different ones */
    size_t n_merges;
} bpe_train_report;

/* Trains on `text`. Returns NULL on failure.
 * Errors: FAULT_RUNTIME (memory); "interrupted" when a stop was asked for. */
bpe *bpe_train(const bytes *text, const bpe_train_plan *plan, bpe_train_report *report,
               fault *error);

#endif
