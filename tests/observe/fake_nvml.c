/* fake_nvml.c - stands in for libnvidia-ml.so.1 in tests: two GPUs, of which the second does not
 * answer. */
typedef void *device;

struct utilization {
    unsigned int gpu, memory;
};

struct memory {
    unsigned long long total, free, used;
};

int nvmlInit_v2(void);
int nvmlShutdown(void);
int nvmlDeviceGetCount_v2(unsigned int *n);
int nvmlDeviceGetHandleByIndex_v2(unsigned int i, device *out);
int nvmlDeviceGetUtilizationRates(device d, struct utilization *out);
int nvmlDeviceGetMemoryInfo(device d, struct memory *out);

static char devices[2];

int nvmlInit_v2(void)
{
    return 0;
}

int nvmlShutdown(void)
{
    return 0;
}

int nvmlDeviceGetCount_v2(unsigned int *n)
{
    *n = 2;
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int i, device *out)
{
    *out = &devices[i];
    return 0;
}

int nvmlDeviceGetUtilizationRates(device d, struct utilization *out)
{
    out->gpu = 87;
    out->memory = 40;
    return d == &devices[0] ? 0 : 999;
}

int nvmlDeviceGetMemoryInfo(device d, struct memory *out)
{
    out->total = 80ULL << 30;
    out->used = 3ULL << 30;
    out->free = out->total - out->used;
    return d == &devices[0] ? 0 : 999;
}
