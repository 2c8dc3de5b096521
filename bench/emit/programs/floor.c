/* floor.c - what one thread needs that formats the record into a buffer with printf's and this
 * library's numbers left out: integers and doubles as raw bytes in hexadecimal would be cheaper
 * still, so this copies a line of the same length and writes 64 KiB at a time. The physical limit
 * of text in a file. */
#include <fcntl.h>
#include <unistd.h>

static char buffer[65536];
static unsigned used;
static int out;
static const char line[] = "{\"ts\":\"2026-11-23T10:26:51.123456Z\",\"level\":\"INFO\",\"module\":"
                           "\"trainer\",\"msg\":\"step_complete\",\"step\":1024,"
                           "\"loss\":1.2345678901234567,\"lr\":0.00029999999,\"grad_norm\":0."
                           "756789,\"tokens_per_sec\":181582.88,\"memory_mb\":1260.5}\n";

#include <stdint.h>
#include <string.h>
static void put(uint64_t step)
{
    if (used + sizeof line > sizeof buffer) {
        if (write(out, buffer, used) < 0)
            return;
        used = 0;
    }
    memcpy(buffer + used, line, sizeof line - 1);
    memcpy(buffer + used + 20, &step, 4);
    used += sizeof line - 1;
}
#define EMIT(f) put((f)->step)
#define WAIT() (void)!write(out, buffer, used)
#include "load.h"

int main(int argc, char **argv)
{
    out = open("floor.log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    run_load(argc, argv);
}
