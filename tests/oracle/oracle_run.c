/* oracle_run.c - a program whose run holds every kind of value, for two readers to agree on.
 *
 * It prints the run's directory, waits until its stdin ends, so that scripts can join, and closes.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "m31r/m31r.h"

#define STEPS 400 /* more points than a summary keeps exactly */

static void write_values(m31r_log *log)
{
    static char long_text[100000];
    memset(long_text, 'x', sizeof long_text - 1);
    m31r_info(log, "integers", "low", INT64_MIN, "high", UINT64_MAX, "zero", 0);
    m31r_info(log, "numbers", "tenth", 0.1, "tiny", 5e-324, "huge", 1.7976931348623157e308, "minus",
              -0.0, "float", 0.1f, "sixteen", 1e16, "small", 1e-5);
    m31r_warning(log, "not_finite", "nan", (double)NAN, "up", HUGE_VAL, "down", -HUGE_VAL);
    m31r_info(log, "others", "yes", true, "no", false, "nothing", (const char *)NULL);
    m31r_info(log, "text", "quote", "a \"b\" \\ /", "lines", "a\nb\tc\rd", "control",
              "\x01\x1b[31m", "bidi", "\xe2\x80\xae", "utf8", "\xc3\xa9\xf0\x9f\x98\x80", "broken",
              "\xff\xc3(", "empty", "");
    m31r_info(log, "keys", "a", 1, "a", 2, "ctx_a", 3, "c\xc3\xa9", 4);
    m31r_info(log, "long", "text", (const char *)long_text, "behind", 1);
    m31r_info(log, "secret", "password", "hunter2", "given", m31r_sensitive("x"));
    m31r_error(log, "failed", "errno", 2);
}

static void write_points(m31r_run *run)
{
    m31r_metric_define(run, "loss", "nats", M31R_BETTER_LOWER);
    for (int64_t i = 1; i <= STEPS; i++) {
        m31r_step(run, i, "loss", 5.0 / (double)i, "lr", 0.1f);
    }
    m31r_metric(run, "loss", (double)NAN, STEPS + 1);
    m31r_metric(run, "a,b \"c\"", -HUGE_VAL, 1);
    m31r_metric(run, "a,b \"c\"", 1e300, 2);
    m31r_metric(run, "no step", 1e-7, M31R_NO_STEP);
    m31r_metric(run, "loss", 2.5, 100); /* goes back: a new segment */
    m31r_metric(run, "loss", 2.25, 101);
}

int main(void)
{
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    m31r_run *run = NULL;
    m31r_lane *lane = NULL;
    m31r_error e;
    o.config = o.dataset = o.tokenizer = o.commit = "none";
    o.seed = "7";
    o.no_stdout = true;
    if (m31r_run_open(&run, &o, &e) != M31R_OK || m31r_lane_open(run, "loader", &lane, &e) != 0) {
        fprintf(stderr, "oracle_run: %s\n", e.message);
        return 3;
    }
    write_values(m31r_run_logger(run, "values"));
    m31r_info(m31r_lane_logger(lane, "loader"), "shard_read", "shard", 3u);
    write_points(run);
    puts(m31r_run_dir(run));
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return m31r_run_close(run) == M31R_OK ? 0 : 3;
}
