// glog.cpp - the same load through glog, whose lines are text and not JSON.
#include <glog/logging.h>

#define EMIT(f)                                                                                    \
    LOG(INFO) << "step_complete step=" << (f)->step << " loss=" << (f)->loss << " lr=" << (f)->lr  \
              << " grad_norm=" << (f)->grad_norm << " tokens_per_sec=" << (f)->tokens_per_sec      \
              << " memory_mb=" << (f)->memory_mb
#define WAIT() google::FlushLogFiles(google::INFO)
#include "load.h"

int main(int argc, char **argv)
{
    FLAGS_log_dir = ".";
    google::InitGoogleLogging(argv[0]);
    run_load(argc, argv);
}
