/* memory.c - what this process holds in memory and on GPUs. */
#include <pthread.h>
#include <sys/resource.h>

#include "base/gpu.h"
#include "base/os_process.h"
#include "m31r/measure.h"

static pthread_once_t gpu_once = PTHREAD_ONCE_INIT;
static m31ri_gpu *gpu; /* opened once a process, on demand; the driver closes it at exit */

static void open_gpu(void)
{
    gpu = m31ri_gpu_open(NULL);
}

m31r_err m31r_memory_read(m31r_memory *out, bool with_gpu)
{
    struct rusage usage;
    m31r_memory memory = {.rss_bytes = m31ri_process_rss_bytes()};
    if (memory.rss_bytes == 0) {
        return M31R_E_IO;
    }
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        memory.peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    }
    if (memory.peak_bytes < memory.rss_bytes) {
        memory.peak_bytes = memory.rss_bytes; /* the kernel notes a peak late */
    }
    if (with_gpu) {
        (void)pthread_once(&gpu_once, open_gpu);
        m31ri_gpu_sample samples[M31RI_GPU_COUNT];
        size_t n = gpu != NULL ? m31ri_gpu_read(gpu, samples) : 0;
        for (size_t i = 0; i < n; i++) {
            memory.gpu_bytes += samples[i].memory_bytes;
        }
        memory.has_gpu = n > 0;
    }
    *out = memory;
    return M31R_OK;
}
