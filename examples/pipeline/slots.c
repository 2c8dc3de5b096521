#include "slots.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct slots {
    pthread_mutex_t lock;
    pthread_cond_t is_free;
    int n;
    int queue;
    int n_waiting;
    int n_free; /* the first ones of `free` */
    generator **free;
};

slots *slots_new(const model *m, const real *parameters, int n, int queue)
{
    slots *s = calloc(1, sizeof *s);
    pthread_condattr_t attributes;
    if (s == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->is_free, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    s->queue = queue;
    s->free = calloc((size_t)n, sizeof(generator *));
    for (; s->free != NULL && s->n < n; s->n++) {
        generator *g = generator_new(m, parameters);
        if (g == NULL) {
            break;
        }
        s->free[s->n_free++] = g;
    }
    if (s->n < n) {
        slots_free(s);
        return NULL;
    }
    return s;
}

void slots_free(slots *s)
{
    if (s != NULL) {
        for (int i = 0; i < s->n_free; i++) {
            generator_free(s->free[i]);
        }
        free(s->free);
        (void)pthread_cond_destroy(&s->is_free);
        (void)pthread_mutex_destroy(&s->lock);
        free(s);
    }
}

static struct timespec time_after(double wait_s)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)wait_s;
    t.tv_nsec += (long)((wait_s - (double)(time_t)wait_s) * 1e9);
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

slots_answer slots_take(slots *s, double wait_s, generator **out, int *depth)
{
    const struct timespec until = time_after(wait_s);
    slots_answer answer = SLOTS_TAKEN;
    (void)pthread_mutex_lock(&s->lock);
    *depth = s->n_waiting;
    if (s->n_free == 0 && s->n_waiting >= s->queue) {
        answer = SLOTS_QUEUE_FULL;
    } else {
        s->n_waiting++;
        while (s->n_free == 0 && answer == SLOTS_TAKEN) {
            answer = pthread_cond_timedwait(&s->is_free, &s->lock, &until) == 0
                         ? SLOTS_TAKEN
                         : SLOTS_WAITED_TOO_LONG;
        }
        s->n_waiting--;
        /* It may have become free in the last moment. */
        if (s->n_free > 0) {
            answer = SLOTS_TAKEN;
            *out = s->free[--s->n_free];
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return answer;
}

void slots_give(slots *s, generator *g)
{
    (void)pthread_mutex_lock(&s->lock);
    s->free[s->n_free++] = g;
    (void)pthread_cond_signal(&s->is_free);
    (void)pthread_mutex_unlock(&s->lock);
}
