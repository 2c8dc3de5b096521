/* spin.c - a program that only computes: a fixed amount of work, then its time in milliseconds on
 * stderr. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    unsigned long long x = 88172645463325252ULL;
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 700;
    for (long i = 0; i < n * 1000000L; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    return x == 0;
}
