/* text.c - UTF-8 as a terminal sees it, without locale.
 *
 * wcwidth() depends on the locale the program did not set, so the few ranges that matter are a
 * table here: combining marks take no column, East Asian wide characters and emoji take two. What a
 * terminal could act on (C0, DEL, C1, bidi overrides, line separators, BOM) and bytes that are no
 * UTF-8 are never written as they are.
 */
#include "show/text.h"

#include <stdio.h>
#include <string.h>

#define ILL_FORMED 0xFFFFFFFFu

typedef struct range {
    uint32_t first, last;
} range;

static const range zero_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a},   {0x064b, 0x065f},
    {0x0900, 0x0902}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x0e31, 0x0e31},   {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},   {0x20d0, 0x20ff},
    {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

static const range double_width[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},
    {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26a1, 0x26a1},   {0x26ce, 0x26ce},
    {0x2705, 0x2705},   {0x2728, 0x2728},   {0x274c, 0x274c},   {0x2e80, 0x303e},
    {0x3041, 0x3247},   {0x3250, 0x4dbf},   {0x4e00, 0xa4c6},   {0xa960, 0xa97c},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6b},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x1f004, 0x1f004}, {0x1f18e, 0x1f19a}, {0x1f200, 0x1f320},
    {0x1f32d, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1faff},
    {0x20000, 0x3fffd},
};

static const range unsafe[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c}, {0x200e, 0x200f},   {0x2028, 0x202e},
    {0x2066, 0x2069}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_in(uint32_t c, const range *ranges, size_t n)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > ranges[middle].last) {
            low = middle + 1;
        } else if (c < ranges[middle].first) {
            high = middle;
        } else {
            return true;
        }
    }
    return false;
}

#define IS_IN(c, table) is_in((c), (table), sizeof(table) / sizeof(table)[0])

size_t m31ri_text_decode(const char *s, size_t length, uint32_t *out)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s;
    *out = ILL_FORMED;
    if (p[0] < 0x80) {
        *out = p[0];
        return 1;
    }
    size_t n = p[0] >= 0xf0 && p[0] <= 0xf4 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    if (n == 0 || n > length || p[0] > 0xf4) {
        return 1;
    }
    uint32_t c = p[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 1;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 1;
    }
    *out = c;
    return n;
}

int m31ri_text_char_width(uint32_t c)
{
    if (c < 0x300) {
        return 1;
    }
    return IS_IN(c, zero_width) ? 0 : IS_IN(c, double_width) ? 2 : 1;
}

/* One character in its safe form; the number of bytes in `form`. */
static size_t safe_form(const char *s, size_t n, uint32_t c, char form[16])
{
    if (c == ILL_FORMED) {
        return (size_t)snprintf(form, 16, "\\x%02x", (unsigned char)*s);
    }
    if (!IS_IN(c, unsafe)) {
        memcpy(form, s, n);
        return n;
    }
    if (c == '\n' || c == '\t' || c == '\r') {
        form[0] = '\\';
        form[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
        return 2;
    }
    return (size_t)snprintf(form, 16, c < 0x80 ? "\\x%02x" : "\\u{%x}", (unsigned)c);
}

static size_t form_width(uint32_t c, size_t form_length)
{
    if (c == ILL_FORMED || IS_IN(c, unsafe)) {
        return form_length;
    }
    return (size_t)m31ri_text_char_width(c);
}

size_t m31ri_text_width(const char *s, size_t length)
{
    size_t width = 0;
    for (size_t i = 0; i < length;) {
        char form[16];
        uint32_t c;
        size_t n = m31ri_text_decode(s + i, length - i, &c);
        width += form_width(c, safe_form(s + i, n, c, form));
        i += n;
    }
    return width;
}

void m31ri_text_escape(m31ri_buf *out, const char *s, size_t length, size_t columns)
{
    size_t used = 0;
    bool is_cut = columns > 0 && m31ri_text_width(s, length) > columns;
    for (size_t i = 0; i < length;) {
        char form[16];
        uint32_t c;
        size_t n = m31ri_text_decode(s + i, length - i, &c);
        size_t form_length = safe_form(s + i, n, c, form);
        used += form_width(c, form_length);
        if (is_cut && used > columns - 1) {
            m31ri_buf_add_str(out, "\xe2\x80\xa6");
            return;
        }
        m31ri_buf_add(out, form, form_length);
        i += n;
    }
}
