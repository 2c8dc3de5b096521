/* records.c - realistic records and points for bench/read, the same for the same arguments.
 *
 * usage: records logs BYTES > train.log        records of a training run and its server
 *        records points N > metrics.csv        N points of 8 metrics
 *
 * The mix: most lines are steps and batches, one in 2,000 is an ERROR, a few hold escapes (a stack
 * trace) or text that is not ASCII. Numbers have the shortest digits that read back to the same
 * float, so lengths vary from line to line as they do in real records.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK (1 << 20)
#define LINE_ROOM 2048

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double uniform(void)
{
    return (double)(draw() >> 11) * 0x1p-53;
}

/* The shortest decimal that reads back to the same float, with a point or an exponent in it. */
static const char *number(double x)
{
    static char texts[8][32];
    static unsigned next;
    char *text = texts[next++ % 8];
    float f = (float)x;
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, 32, "%.*g", digits, (double)f);
        if (strtof(text, NULL) == f) {
            break;
        }
    }
    if (strpbrk(text, ".e") == NULL) {
        strcat(text, ".0");
    }
    return text;
}

static void stamp(char out[28], uint64_t us)
{
    uint64_t second = us / 1000000;
    snprintf(out, 28, "2026-11-%02uT%02u:%02u:%02u.%06uZ", (unsigned)(20 + second / 86400),
             (unsigned)(second / 3600 % 24), (unsigned)(second / 60 % 60), (unsigned)(second % 60),
             (unsigned)(us % 1000000));
}

static int step_record(char *out, uint64_t step)
{
    double loss = 2.0 + 9.0 * exp(-(double)step / 200000) + 0.2 * uniform();
    return sprintf(
        out,
        "\"INFO\",\"module\":\"trainer\",\"msg\":\"step_complete\",\"step\":%" PRIu64
        ",\"loss\":%s,\"grad_norm\":%s,\"lr\":%s,\"tokens_per_sec\":%s,\"memory_mb\":%s}\n",
        step, number(loss), number(0.3 + uniform()), number(3e-4 * (1 - uniform() * 0.01)),
        number(180000 + 4000 * uniform()), number(41234 + floor(100 * uniform()) / 4));
}

static int batch_record(char *out, uint64_t step)
{
    return sprintf(out,
                   "\"DEBUG\",\"module\":\"loader\",\"msg\":\"batch_loaded\",\"step\":%" PRIu64
                   ",\"worker\":%u,\"shard\":\"rust-src/shard-%05u.bin\",\"wait_ms\":%s,"
                   "\"queue\":%u,\"cached\":%s}\n",
                   step, (unsigned)(draw() % 8), (unsigned)(draw() % 4096), number(8 * uniform()),
                   (unsigned)(draw() % 64), draw() % 3 != 0 ? "true" : "false");
}

static int request_record(char *out)
{
    static const char *const routes[] = {"/v1/complete", "/v1/embed", "/v1/chat", "/healthz"};
    double latency = exp(2.5 + 1.3 * (uniform() + uniform() + uniform() - 1.5));
    return sprintf(out,
                   "\"INFO\",\"module\":\"server.http\",\"msg\":\"request\",\"route\":\"%s\","
                   "\"status\":%d,\"latency_ms\":%s,\"tokens\":%u,\"request_id\":\"%016" PRIx64
                   "\"}\n",
                   routes[draw() % 4], draw() % 50 == 0 ? 429 : 200, number(latency),
                   (unsigned)(draw() % 2048), draw());
}

static int rare_record(char *out, uint64_t step, unsigned which)
{
    if (which < 10) {
        return sprintf(
            out,
            "\"ERROR\",\"module\":\"loader\",\"msg\":\"shard_unreadable\",\"step\":%" PRIu64
            ",\"path\":\"/data/rust-src/shard-%05u.bin\",\"error\":\"Input/output error\","
            "\"stack\":\"read_shard (loader.c:214)\\nnext_batch (loader.c:98)\\n"
            "main (train.c:57)\"}\n",
            step, (unsigned)(draw() % 4096));
    }
    if (which < 11) {
        return sprintf(
            out,
            "\"CRITICAL\",\"module\":\"trainer\",\"msg\":\"nonfinite_loss\",\"step\":%" PRIu64
            ",\"loss\":\"NaN\",\"nonfinite\":1}\n",
            step);
    }
    if (which < 200) {
        return sprintf(
            out,
            "\"WARNING\",\"module\":\"trainer\",\"msg\":\"grad_norm_high\",\"step\":%" PRIu64
            ",\"grad_norm\":%s,\"limit\":1.0,\"hint\":\"out of the ordinary\"}\n",
            step, number(1 + 9 * uniform()));
    }
    return sprintf(
        out,
        "\"INFO\",\"module\":\"eval\",\"msg\":\"sample\",\"step\":%" PRIu64
        ",\"prompt\":\"fn main() {\\n    println!(\\\"Gr\xc3\xbc\xc3\x9f dich\\\");\",\"text\":"
        "\"let x: Vec<u8> = \xe2\x80\xa6\",\"score\":%s}\n",
        step, number(uniform()));
}

static int record(char *out, uint64_t us, uint64_t step)
{
    char ts[28];
    stamp(ts, us);
    int n = sprintf(out, "{\"ts\":\"%s\",\"level\":", ts);
    unsigned kind = (unsigned)(draw() % 10000);
    unsigned rare = (unsigned)(draw() % 500);
    if (kind < 4500) {
        return n + step_record(out + n, step);
    }
    if (kind < 7500) {
        return n + batch_record(out + n, step);
    }
    return n + (kind < 9750 ? request_record(out + n) : rare_record(out + n, step, rare));
}

static void write_logs(uint64_t bytes)
{
    static char block[BLOCK + LINE_ROOM];
    uint64_t us = 0;
    uint64_t n_records = 0;
    for (uint64_t written = 0; written < bytes;) {
        size_t n = 0;
        while (n < BLOCK && written + n < bytes) {
            us += 1 + draw() % 60000;
            n += (size_t)record(block + n, us, ++n_records / 3);
        }
        fwrite(block, 1, n, stdout);
        written += n;
    }
}

static void write_points(uint64_t n_points)
{
    static const char *const names[] = {"loss",           "grad_norm", "lr",
                                        "tokens_per_sec", "memory_mb", "step_ms",
                                        "eval/val_loss",  "gpu0.util"};
    char ts[28];
    puts("name,step,value,ts,segment");
    for (uint64_t i = 0; i < n_points; i++) {
        uint64_t step = i / 8;
        double x = 2.0 + 9.0 * exp(-(double)step / 300000) + 0.2 * uniform();
        stamp(ts, i * 12345);
        printf("%s,%" PRIu64 ",%s,%s,0\n", names[i % 8], step, number(x * (double)(1 + i % 8)), ts);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "logs") == 0) {
        write_logs(strtoull(argv[2], NULL, 10));
    } else if (argc == 3 && strcmp(argv[1], "points") == 0) {
        write_points(strtoull(argv[2], NULL, 10));
    } else {
        fputs("usage: records logs BYTES | records points N\n", stderr);
        return 1;
    }
    return fflush(stdout) == 0 ? 0 : 3;
}
