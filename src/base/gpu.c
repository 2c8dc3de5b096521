/* gpu.c - NVML, opened at run time so that nothing here needs a GPU to build or to run.
 *
 * Only four calls of the library's stable interface are used; their types are written down here.
 */
#include "base/gpu.h"

#include <dlfcn.h>
#include <string.h>

#include "base/alloc.h"

typedef void *device;

typedef struct utilization {
    unsigned int gpu, memory;
} utilization;

typedef struct memory {
    unsigned long long total, free, used;
} memory;

struct m31ri_gpu {
    void *library;
    int (*shutdown)(void);
    int (*utilization_of)(device, utilization *);
    int (*memory_of)(device, memory *);
    device devices[M31RI_GPU_COUNT];
    unsigned int n;
};

/* POSIX lets dlsym's object pointer become a function pointer; ISO C has no cast for it. */
static void find(void *library, const char *name, void *out_function)
{
    void *p = dlsym(library, name);
    memcpy(out_function, &p, sizeof p);
}

static const char *open_devices(m31ri_gpu *g)
{
    int (*init)(void);
    int (*count)(unsigned int *);
    int (*handle)(unsigned int, device *);
    find(g->library, "nvmlInit_v2", &init);
    find(g->library, "nvmlShutdown", &g->shutdown);
    find(g->library, "nvmlDeviceGetCount_v2", &count);
    find(g->library, "nvmlDeviceGetHandleByIndex_v2", &handle);
    find(g->library, "nvmlDeviceGetUtilizationRates", &g->utilization_of);
    find(g->library, "nvmlDeviceGetMemoryInfo", &g->memory_of);
    if (init == NULL || g->shutdown == NULL || count == NULL || handle == NULL ||
        g->utilization_of == NULL || g->memory_of == NULL) {
        return "libnvidia-ml.so.1 lacks a call";
    }
    if (init() != 0) {
        return "the NVIDIA driver does not answer";
    }
    unsigned int n = 0;
    if (count(&n) != 0 || n == 0) {
        g->shutdown();
        return "no GPU";
    }
    for (unsigned int i = 0; i < n && g->n < M31RI_GPU_COUNT; i++) {
        g->n += handle(i, &g->devices[g->n]) == 0;
    }
    return NULL;
}

m31ri_gpu *m31ri_gpu_open(const char **why)
{
    const char *reason = "out of memory";
    m31ri_gpu *g = m31ri_calloc(1, sizeof *g);
    if (g != NULL) {
        g->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
        reason = g->library != NULL ? open_devices(g) : "no libnvidia-ml.so.1";
    }
    if (reason != NULL && g != NULL) {
        if (g->library != NULL) {
            dlclose(g->library);
        }
        m31ri_free(g);
        g = NULL;
    }
    if (why != NULL && reason != NULL) {
        *why = reason;
    }
    return g;
}

void m31ri_gpu_close(m31ri_gpu *g)
{
    if (g != NULL) {
        g->shutdown();
        dlclose(g->library);
        m31ri_free(g);
    }
}

size_t m31ri_gpu_read(m31ri_gpu *g, m31ri_gpu_sample *out)
{
    size_t n = 0;
    for (unsigned int i = 0; i < g->n; i++) {
        utilization u;
        memory m;
        if (g->utilization_of(g->devices[i], &u) == 0 && g->memory_of(g->devices[i], &m) == 0) {
            out[n++] = (m31ri_gpu_sample){i, u.gpu, m.used};
        }
    }
    return n;
}
