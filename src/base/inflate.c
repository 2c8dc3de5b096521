/* inflate.c - zlib streams read as RFC 1951 describes them, bit by bit with canonical Huffman
 * codes.
 *
 * It exists so that the library can read a commit and its trees without linking zlib. A code is
 * decoded by walking the lengths: `first` is the first code of a length, and codes of one length
 * are consecutive. That is slower than tables and fast enough for objects of kilobytes.
 */
#include "base/inflate.h"

#include <stdbool.h>
#include <string.h>

#include "base/fail.h"

#define LENGTHS_MAX 15
#define LITERALS 288
#define DISTANCES 30

typedef struct bits {
    const uint8_t *at, *end;
    uint32_t held;
    int n_held;
    bool is_short; /* the input ended: zeros were handed out */
} bits;

/* Where the bytes go: what was in `bytes` before `start` is not ours. */
typedef struct output {
    m31ri_buf *bytes;
    size_t start, limit;
} output;

typedef struct huffman {
    uint16_t count[LENGTHS_MAX + 1]; /* codes of each length */
    uint16_t symbol[LITERALS];       /* in order of code */
} huffman;

static uint32_t take(bits *b, int n)
{
    while (b->n_held < n) {
        b->is_short = b->is_short || b->at == b->end;
        b->held |= (uint32_t)(b->at < b->end ? *b->at++ : 0) << b->n_held;
        b->n_held += 8;
    }
    uint32_t value = b->held & ((1u << n) - 1);
    b->held >>= n;
    b->n_held -= n;
    return value;
}

/* Makes the code out of its lengths; false when they claim more codes than there are. */
static bool make_code(huffman *h, const uint8_t *lengths, int n)
{
    uint16_t offset[LENGTHS_MAX + 2] = {0};
    int left = 1;
    memset(h->count, 0, sizeof h->count);
    for (int i = 0; i < n; i++) {
        h->count[lengths[i]]++;
    }
    h->count[0] = 0;
    for (int length = 1; length <= LENGTHS_MAX; length++) {
        left = 2 * left - h->count[length];
        if (left < 0) {
            return false;
        }
        offset[length + 1] = (uint16_t)(offset[length] + h->count[length]);
    }
    for (int i = 0; i < n; i++) {
        if (lengths[i] != 0) {
            h->symbol[offset[lengths[i]]++] = (uint16_t)i;
        }
    }
    return true;
}

/* The next symbol; -1 for a code that stands for none. */
static int decode(bits *b, const huffman *h)
{
    int code = 0;
    int first = 0;
    int index = 0;
    for (int length = 1; length <= LENGTHS_MAX; length++) {
        code |= (int)take(b, 1);
        int count = h->count[length];
        if (code - first < count) {
            return h->symbol[index + code - first];
        }
        index += count;
        first = (first + count) << 1;
        code <<= 1;
    }
    return -1;
}

/* Copies `length` bytes from `distance` back, which may overlap what is being written. */
static bool copy_back(m31ri_buf *out, size_t start, size_t distance, size_t length)
{
    if (distance > out->length - start || !m31ri_buf_reserve(out, length)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        out->data[out->length] = out->data[out->length - distance];
        out->length++;
    }
    out->data[out->length] = '\0';
    return true;
}

static bool read_codes(bits *b, const huffman *literal, const huffman *distance, output *o)
{
    m31ri_buf *out = o->bytes;
    static const uint16_t length_base[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                           15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                           67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t length_extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                           2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t distance_base[] = {
        1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
        193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    while (!b->is_short && out->length - o->start <= o->limit && m31ri_buf_ok(out)) {
        int symbol = decode(b, literal);
        if (symbol == 256) {
            return true;
        }
        if (symbol < 256) {
            if (symbol < 0) {
                return false;
            }
            m31ri_buf_add_char(out, (char)symbol);
            continue;
        }
        symbol -= 257;
        if (symbol >= 29) {
            return false;
        }
        size_t length = length_base[symbol] + take(b, length_extra[symbol]);
        symbol = decode(b, distance);
        if (symbol < 0 || symbol >= DISTANCES) {
            return false;
        }
        size_t back = distance_base[symbol] + take(b, symbol < 2 ? 0 : symbol / 2 - 1);
        if (!copy_back(out, o->start, back, length)) {
            return false;
        }
    }
    return false;
}

static bool read_stored(bits *b, m31ri_buf *out)
{
    b->held = 0; /* stored bytes start at a byte; at most 7 bits are held here */
    b->n_held = 0;
    if (b->end - b->at < 4) {
        return false;
    }
    size_t length = (size_t)(b->at[0] | b->at[1] << 8);
    size_t inverse = (size_t)(b->at[2] | b->at[3] << 8);
    b->at += 4;
    if ((length ^ 0xffff) != inverse || (size_t)(b->end - b->at) < length) {
        return false;
    }
    m31ri_buf_add(out, b->at, length);
    b->at += length;
    return true;
}

static void fixed_codes(huffman *literal, huffman *distance)
{
    uint8_t lengths[LITERALS];
    for (int i = 0; i < LITERALS; i++) {
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    make_code(literal, lengths, LITERALS);
    memset(lengths, 5, DISTANCES);
    make_code(distance, lengths, DISTANCES);
}

/* The lengths of both codes are themselves coded, with runs: 16 repeats the last, 17 and 18 are
 * runs of zero. */
static bool read_lengths(bits *b, const huffman *h, uint8_t *lengths, int n)
{
    for (int i = 0; i < n;) {
        int symbol = decode(b, h);
        if (symbol < 0 || b->is_short || (symbol == 16 && i == 0)) {
            return false;
        }
        uint8_t value = symbol < 16 ? (uint8_t)symbol : symbol == 16 ? lengths[i - 1] : 0;
        int repeat = symbol < 16    ? 1
                     : symbol == 16 ? 3 + (int)take(b, 2)
                     : symbol == 17 ? 3 + (int)take(b, 3)
                                    : 11 + (int)take(b, 7);
        if (repeat > n - i) {
            return false;
        }
        memset(lengths + i, value, (size_t)repeat);
        i += repeat;
    }
    return true;
}

static bool dynamic_codes(bits *b, huffman *literal, huffman *distance)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[LITERALS + 32] = {0};
    int n_literals = (int)take(b, 5) + 257;
    int n_distances = (int)take(b, 5) + 1;
    int n_lengths = (int)take(b, 4) + 4;
    for (int i = 0; i < n_lengths; i++) {
        lengths[order[i]] = (uint8_t)take(b, 3);
    }
    huffman code;
    if (n_literals > 286 || n_distances > DISTANCES || !make_code(&code, lengths, 19)) {
        return false;
    }
    memset(lengths, 0, sizeof lengths);
    return read_lengths(b, &code, lengths, n_literals + n_distances) && lengths[256] != 0 &&
           make_code(literal, lengths, n_literals) &&
           make_code(distance, lengths + n_literals, n_distances);
}

static bool read_blocks(bits *b, output *o)
{
    for (bool is_last = false; !is_last;) {
        huffman literal;
        huffman distance;
        is_last = take(b, 1) != 0;
        uint32_t kind = take(b, 2);
        bool ok = !b->is_short;
        if (kind == 0) {
            ok = ok && read_stored(b, o->bytes);
        } else if (kind == 1) {
            fixed_codes(&literal, &distance);
        } else {
            ok = ok && kind == 2 && dynamic_codes(b, &literal, &distance);
        }
        if (!ok || (kind != 0 && !read_codes(b, &literal, &distance, o)) || b->is_short ||
            o->bytes->length - o->start > o->limit) {
            return false;
        }
    }
    return true;
}

static bool has_checksum(bits *b, const uint8_t *bytes, size_t length)
{
    uint32_t low = 1;
    uint32_t high = 0;
    for (size_t i = 0; i < length; i++) {
        low = (low + bytes[i]) % 65521;
        high = (high + low) % 65521;
    }
    b->at -= b->n_held / 8; /* whole bytes that were taken ahead */
    return b->end - b->at >= 4 && high == (uint32_t)(b->at[0] << 8 | b->at[1]) &&
           low == (uint32_t)(b->at[2] << 8 | b->at[3]);
}

m31r_err m31ri_inflate(const uint8_t *bytes, size_t length, size_t limit, m31ri_buf *out,
                       m31r_error *e)
{
    if (length < 2 || (bytes[0] & 15) != 8 || (bytes[1] & 32) != 0 ||
        (bytes[0] << 8 | bytes[1]) % 31 != 0) {
        return m31ri_fail(e, M31R_E_CORRUPT, "not a zlib stream");
    }
    size_t start = out->length;
    bits b = {bytes + 2, bytes + length, 0, 0, false};
    output o = {out, start, limit};
    bool ok = read_blocks(&b, &o);
    if (!m31ri_buf_ok(out)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory after %zu bytes", out->length - start);
    }
    if (out->length - start > limit) {
        return m31ri_fail(e, M31R_E_LIMIT, "more than %zu bytes in a zlib stream", limit);
    }
    if (!ok ||
        !has_checksum(&b, (const uint8_t *)m31ri_buf_str(out) + start, out->length - start)) {
        return m31ri_fail(e, M31R_E_CORRUPT, "a damaged zlib stream");
    }
    return M31R_OK;
}
