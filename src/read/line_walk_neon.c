/* line_walk_neon.c - line_walk.h with NEON, which every 64-bit ARM has: 16 bytes at once.
 *
 * There is no instruction that gathers a bit of each byte. Narrowing pairs of bytes by four bits
 * gives four bits a byte instead, of which one is kept.
 */
#include "read/line_walk.h"

#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>

#define LANES 16
#define STRIDE 4

typedef struct lanes_constants {
    uint8x16_t quote, backslash, space, last, zero;
} lanes_constants;

static inline lanes_constants make_constants(void)
{
    return (lanes_constants){vdupq_n_u8('"'), vdupq_n_u8('\\'), vdupq_n_u8(0x20), vdupq_n_u8(0x7f),
                             vdupq_n_u8('0')};
}

static inline uint8x16_t bytes_at(const void *p)
{
    return vld1q_u8(p);
}

static inline uint64_t mask_of(uint8x16_t lanes)
{
    uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(lanes), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrow), 0) & 0x8888888888888888u;
}

static inline uint64_t equals_of(const char *p, char c)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t found = mask_of(vceqq_u8(bytes_at(p + 16 * i), vdupq_n_u8(c)));
        for (; found != 0; found &= found - 1) {
            mask |= (uint64_t)1 << (16 * i + (unsigned)__builtin_ctzll(found) / STRIDE);
        }
    }
    return mask;
}

static inline uint64_t strings_of(const char *p, char letter, size_t n)
{
    uint64_t first = equals_of(p + 1, letter) | equals_of(p + 1, (char)(letter ^ 0x20));
    return first & equals_of(p, '"') & equals_of(p + n + 1, '"');
}

static inline uint8x16_t misfits_at(const char *p)
{
    uint8x16_t x = bytes_at(p), next = bytes_at(p + 1);
    uint8x16_t newline = vdupq_n_u8('\n'), is_newline = vceqq_u8(x, newline);
    uint8x16_t opens = vceqq_u8(next, vdupq_n_u8('{')), closes = vceqq_u8(x, vdupq_n_u8('}'));
    uint8x16_t control = vbicq_u8(vcltq_u8(x, vdupq_n_u8(0x20)), is_newline);
    uint8x16_t other = vorrq_u8(vcgtq_u8(x, vdupq_n_u8(0x7f)), vceqq_u8(x, vdupq_n_u8('\\')));
    closes = veorq_u8(closes, vceqq_u8(next, newline));
    return vorrq_u8(vorrq_u8(veorq_u8(is_newline, opens), closes), vorrq_u8(control, other));
}

static inline uint64_t misfits_of(const char *p)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t found = mask_of(misfits_at(p + 16 * i));
        for (; found != 0; found &= found - 1) {
            mask |= (uint64_t)1 << (16 * i + (unsigned)__builtin_ctzll(found) / STRIDE);
        }
    }
    return mask;
}

static inline uint64_t string_stops(const char *p, const lanes_constants *c)
{
    uint8x16_t x = bytes_at(p);
    uint8x16_t stops = vorrq_u8(vceqq_u8(x, c->quote), vceqq_u8(x, c->backslash));
    return mask_of(vorrq_u8(stops, vorrq_u8(vcltq_u8(x, c->space), vcgtq_u8(x, c->last))));
}

static inline uint64_t other_than_digits(const char *p, const lanes_constants *c)
{
    return mask_of(vcgtq_u8(vsubq_u8(bytes_at(p), c->zero), vdupq_n_u8(9)));
}

static inline bool is_same(const char *p, const m31ri_shape_node *node)
{
    for (unsigned i = 0; i < node->length; i += 16) {
        uint8x16_t x = bytes_at(p + i);
        uint8x16_t y =
            vmaxq_u8(vminq_u8(x, bytes_at(node->highest + i)), bytes_at(node->lowest + i));
        if (vminvq_u8(vceqq_u8(x, y)) == 0) {
            return false;
        }
    }
    return true;
}

#include "read/line_walk_each.h"

const m31ri_walk m31ri_walk_neon = {"neon", find_newlines, find_sieved, walk};
#else
const m31ri_walk m31ri_walk_neon = {0};
#endif
