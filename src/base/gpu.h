/* gpu.h - use and memory of NVIDIA GPUs, where the driver's library is on this machine. */
#ifndef M31RI_GPU_H
#define M31RI_GPU_H

#include <stddef.h>
#include <stdint.h>

#define M31RI_GPU_COUNT 64

typedef struct m31ri_gpu m31ri_gpu;

typedef struct m31ri_gpu_sample {
    uint32_t index;
    uint32_t util_percent;
    uint64_t memory_bytes; /* in use, by anybody */
} m31ri_gpu_sample;

/* NULL when there is no library, no driver or no GPU; `*why` (NULL allowed) then gets a constant
 * text. */
m31ri_gpu *m31ri_gpu_open(const char **why);
void m31ri_gpu_close(m31ri_gpu *g);

/* Samples into `out` (M31RI_GPU_COUNT); how many. A GPU that does not answer is left out. */
size_t m31ri_gpu_read(m31ri_gpu *g, m31ri_gpu_sample *out);

#endif
