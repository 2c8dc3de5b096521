/* A byte-level tokenizer: byte pair encoding over the words of a text.
 *
 * Tokens 0 to 255 are the bytes; token 256 + i is the i-th merge of two earlier tokens. Any bytes
 * can be encoded, and decoding gives them back exactly. Byte 0 stands between texts and is never
 * merged: token 0 ends a text.
 *
 * A merge never reaches over the edge of a word. A word is a run of letters, of digits or of other
 * signs, with one space in front where there is one; what white space is left stands by itself.
 */
#ifndef PIPELINE_BPE_H
#define PIPELINE_BPE_H

#include "bytes.h"

enum { BPE_BYTES = 256, BPE_MAX_VOCAB = 16384, BPE_END_OF_TEXT = 0 };

typedef struct {
    uint16_t left;
    uint16_t right;
} bpe_pair;

typedef struct bpe bpe;

/* A tokenizer with these merges; each names earlier tokens only.
 * Errors: FAULT_USER (a merge that does not, or too many), FAULT_RUNTIME (memory). */
bpe *bpe_new(const bpe_pair *merges, size_t n_merges, fault *error);

/* Reads or writes the file of a tokenizer.
 * Errors: FAULT_USER "tokenizer_unreadable", "tokenizer_wrong"; FAULT_RUNTIME. */
bpe *bpe_load(const char *path, fault *error);
bool bpe_save(const bpe *b, const char *path, fault *error);
void bpe_free(bpe *b);

size_t bpe_vocab(const bpe *b);

/* Appends the tokens of `text` to `out`, each as a number of 16 bits. Not for two threads at once:
 * words that were met are remembered.
 * Errors: FAULT_RUNTIME. */
bool bpe_encode(bpe *b, const uint8_t *text, size_t size, bytes *out, fault *error);

/* The bytes of one token; valid as long as the tokenizer. */
const uint8_t *bpe_token(const bpe *b, uint16_t token, size_t *size);

/* Bytes of the word that begins at `at`; at least 1 where at < end. */
size_t bpe_word_size(const uint8_t *at, const uint8_t *end);

#endif
