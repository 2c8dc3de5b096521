#include "utf8.h"

#include <string.h>

/* Bytes of the character that begins with `first`, and the range of its second byte; 0: none. */
static size_t size_of(uint8_t first, uint8_t *low, uint8_t *high)
{
    *low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    return (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

int utf8_char_size(const uint8_t *at, size_t size)
{
    uint8_t low;
    uint8_t high;
    const size_t length = size_of(at[0], &low, &high);
    for (size_t i = 1; i < length; i++) {
        if (i == size) {
            return -1;
        }
        if (at[i] < low || at[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return (int)length;
}

bool utf8_is_valid(const uint8_t *at, size_t size)
{
    for (size_t i = 0; i < size;) {
        const int length = utf8_char_size(at + i, size - i);
        if (length <= 0) {
            return false;
        }
        i += (size_t)length;
    }
    return true;
}

bool utf8_move(bytes *from, bytes *to, bool is_end, fault *error)
{
    size_t done = 0;
    bool ok = true;
    while (ok && done < from->size) {
        const int length = utf8_char_size(from->data + done, from->size - done);
        if (length < 0 && !is_end) {
            break;
        }
        ok = length > 0 ? bytes_append(to, from->data + done, (size_t)length, error)
                        : bytes_append(to, "\xef\xbf\xbd", 3, error);
        done += length > 0 ? (size_t)length : 1;
    }
    if (done > 0) {
        memmove(from->data, from->data + done, from->size - done);
        from->size -= done;
    }
    return ok;
}
