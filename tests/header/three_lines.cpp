/* three_lines.cpp - the shortest way in, in C++. */
#include <string>

#include <m31r/m31r.hpp>

int main()
{
    m31r_run *run = m31r_run_here("train.yaml");
    m31r_log *log = m31r_run_logger(run, "trainer");
    m31r_metric_define(run, "loss", "nats", M31R_BETTER_LOWER);
    for (int i = 0; i < 5; i++) {
        m31r::step(run, i, "loss", 2.0 / (i + 1), "lr", 0.1f);
    }
    m31r::info(log, "done", "name", std::string("C++"), "ok", true, "secret", m31r_sensitive("x"));
    m31r_run_close(run);
    return 0;
}
