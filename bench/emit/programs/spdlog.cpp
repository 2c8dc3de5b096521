// spdlog.cpp - the same load through spdlog, its asynchronous logger (as `spdlog`) or the
// synchronous one (-DSYNC).
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

static std::shared_ptr<spdlog::logger> logger;

#define EMIT(f)                                                                                    \
    logger->info("\"step\":{},\"loss\":{},\"lr\":{},\"grad_norm\":{},\"tokens_per_sec\":{},"       \
                 "\"memory_mb\":{}",                                                               \
                 (f)->step, (f)->loss, (f)->lr, (f)->grad_norm, (f)->tokens_per_sec,               \
                 (f)->memory_mb)
#define WAIT() (logger->flush(), logger.reset(), spdlog::shutdown())
#include "load.h"

int main(int argc, char **argv)
{
#ifdef SYNC
    logger = spdlog::basic_logger_st("trainer", "spdlog.log", true);
#else
    spdlog::init_thread_pool(8192, 1);
    logger = spdlog::basic_logger_mt<spdlog::async_factory>("trainer", "spdlog.log", true);
#endif
    logger->set_pattern("{\"ts\":\"%Y-%m-%dT%H:%M:%S.%fZ\",\"level\":\"%l\",\"module\":\"%n\","
                        "\"msg\":\"step_complete\",%v}",
                        spdlog::pattern_time_type::utc);
    run_load(argc, argv);
}
