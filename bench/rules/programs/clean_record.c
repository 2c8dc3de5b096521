/* clean_record.c - what a clean record costs the privacy rules: usage: clean_record RECORD ROUNDS
 *
 * RECORD 0 to 3: strings of 132 to 146 bytes as a training run logs them; the keys are judged once,
 * as they are at a call site. Prints bytes, nanoseconds of CPU time a record, and what the rules
 * take to be made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/privacy.h"

#define FIELDS 6

static const char *const records[][FIELDS][2] = {
    {{"msg", "step_complete"},
     {"module", "trainer"},
     {"path", "checkpoints/step_000600.bin"},
     {"device", "NVIDIA H100 80GB HBM3"},
     {"note", "gradient norm within bounds, no clipping applied this step"},
     {"phase", "warmup"}},
    {{"msg", "shard opened"},
     {"module", "data.loader"},
     {"path", "/data/rust/shards/train-00017-of-00128.parquet"},
     {"sha256", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
     {"codec", "zstd"},
     {"state", "ok"}},
    {{"msg", "cargo test finished with warnings in 12 crates"},
     {"module", "evaluator"},
     {"category", "functions"},
     {"detail", "error[E0308]: mismatched types in src/lib.rs at line 42, expected u32"},
     {"tool", "rustc 1.95"},
     {"name", "abc"}},
    {{"note",
      "checkpoint written to checkpoints/step_000600.bin in 412 ms by rank 3 of 8, optimizer "
      "state sharded over 4 files, next evaluation at step 800"},
     {"a", ""},
     {"b", ""},
     {"c", ""},
     {"d", ""},
     {"e", ""}},
};

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    size_t which = argc > 1 ? strtoul(argv[1], NULL, 10) % 4 : 0;
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000;
    double start = cpu_ns();
    m31ri_privacy *p = m31ri_privacy_new(NULL);
    double made_ns = cpu_ns() - start;
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_key_verdict keys[FIELDS];
    size_t length[FIELDS], bytes = 0, found = 0;
    for (size_t f = 0; f < FIELDS; f++) {
        keys[f] = m31ri_privacy_judge(p, records[which][f][0], strlen(records[which][f][0]));
        length[f] = strlen(records[which][f][1]);
        bytes += length[f];
    }
    start = cpu_ns();
    for (unsigned long i = 0; i < rounds; i++) {
        for (size_t f = 0; f < FIELDS; f++) {
            found += m31ri_privacy_clean(p, keys[f], records[which][f][1], length[f], &out);
        }
    }
    double ns = rounds != 0 ? (cpu_ns() - start) / (double)rounds : 0;
    printf("{\"record\":%zu,\"bytes\":%zu,\"ns\":%.1f,\"made_us\":%.1f,\"found\":%zu}\n", which,
           bytes, ns, made_ns / 1000, found);
    m31ri_privacy_free(p);
    return found != 0;
}
