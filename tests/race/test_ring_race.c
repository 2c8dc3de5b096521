/* Rings and threads: many at once, more than there are rings, thousands that come and go, and a
 * process that exits while its threads emit. M31R_SOAK=1 takes a million records a thread. */
#include "../unit/emit/scratch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define THREADS 8
#define CROWD 90 /* more threads at once than there are rings */
#define PASSERS_BY 1000

static long records_each(void)
{
    return getenv("M31R_SOAK") != NULL ? 1000000 : 5000;
}

static m31r_run *run;

/* Records of the thread in the text, numbered 0, 1, 2... in this order. Line by line: a search of
 * the rest of a long text at every step takes minutes under the sanitizer. */
static long count_in_order(const char *text, int thread)
{
    char mark[32];
    long n = 0;
    size_t length = (size_t)snprintf(mark, sizeof mark, "\"thread\":%d,\"i\":", thread);
    for (const char *end; *text != '\0'; text = end + 1) {
        end = strchr(text, '\n');
        const char *p = memmem(text, (size_t)(end - text), mark, length);
        if (p != NULL) {
            assert_int_equal(strtol(p + length, NULL, 10), n);
            n++;
        }
    }
    return n;
}

typedef struct producer {
    pthread_t thread;
    int number;
    m31r_log *log;
    long n;
    pthread_barrier_t *together; /* NULL: none */
} producer;

static void *produce(void *argument)
{
    producer *p = argument;
    for (long i = 0; i < p->n; i++) {
        m31r_info(p->log, "emitted", "thread", p->number, "i", i);
        if (i == 0 && p->together != NULL) {
            pthread_barrier_wait(p->together); /* all have their rings before any goes on */
        }
    }
    return NULL;
}

static void start(producer *p, int number, m31r_log *log, long n, pthread_barrier_t *together)
{
    *p = (producer){.number = number, .log = log, .n = n, .together = together};
    assert_int_equal(pthread_create(&p->thread, NULL, produce, p), 0);
}

static void test_ring_race__threads_with_lanes_of_their_own_keep_their_order(void **state)
{
    (void)state;
    static producer producers[THREADS];
    char dir[4096], name[32];
    run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    for (int i = 0; i < THREADS; i++) {
        m31r_lane *lane = NULL;
        snprintf(name, sizeof name, "t%d", i);
        assert_int_equal(m31r_lane_open(run, name, &lane, NULL), M31R_OK);
        start(&producers[i], i, m31r_lane_logger(lane, "trainer"), records_each(), NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(producers[i].thread, NULL);
    }
    assert_int_equal(m31r_run_close(run), M31R_OK);
    for (int i = 0; i < THREADS; i++) {
        snprintf(name, sizeof name, "train.t%d.log", i);
        char *text = read_text(dir, name);
        assert_int_equal(count_in_order(text, i), records_each());
        assert_null(strstr(text, "lane_shared_by_threads"));
        free(text);
    }
}

static void test_ring_race__more_threads_than_rings_lose_nothing(void **state)
{
    (void)state;
    static producer producers[CROWD];
    pthread_barrier_t together;
    char dir[4096];
    run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    pthread_barrier_init(&together, NULL, CROWD);
    for (int i = 0; i < CROWD; i++) {
        start(&producers[i], i, m31r_run_logger(run, "trainer"), 50, &together);
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(producers[i].thread, NULL);
    }
    pthread_barrier_destroy(&together);
    assert_int_equal(m31r_run_close(run), M31R_OK);
    char *text = read_text(dir, "train.log");
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(count_in_order(text, i), 50);
    }
    assert_int_equal(count_of(text, "lane_shared_by_threads"), 1);
    free(text);
}

static void test_ring_race__a_thousand_threads_come_and_go(void **state)
{
    (void)state;
    producer p;
    char dir[4096];
    run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    for (int i = 0; i < PASSERS_BY; i++) {
        start(&p, i, m31r_run_logger(run, "trainer"), 3, NULL);
        pthread_join(p.thread, NULL);
    }
    assert_int_equal(m31r_run_close(run), M31R_OK);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "\"emitted\""), 3 * PASSERS_BY);
    for (int i = 0; i < PASSERS_BY; i += 100) {
        assert_int_equal(count_in_order(text, i), 3);
    }
    free(text);
}

typedef struct shared {
    char dir[4096];
    atomic_long acknowledged[4];
} shared;

static shared *seen;

static void *emit_for_ever(void *argument)
{
    int number = (int)(intptr_t)argument;
    m31r_log *log = m31r_run_logger(run, "trainer");
    for (long i = 0;; i++) {
        m31r_info(log, "emitted", "thread", number, "i", i);
        atomic_store(&seen->acknowledged[number], i + 1);
        if (i > 200000) {
            pause();
        }
    }
    return NULL;
}

/* Numbers of the thread's records go up; returns how many are missing among them. */
static long gaps_of(const char *text, int thread, long *out_n)
{
    char mark[32];
    long next = 0, gaps = 0;
    size_t length = (size_t)snprintf(mark, sizeof mark, "\"thread\":%d,\"i\":", thread);
    *out_n = 0;
    for (const char *end; *text != '\0'; text = end + 1) {
        end = strchr(text, '\n');
        const char *p = memmem(text, (size_t)(end - text), mark, length);
        if (p != NULL) {
            long i = strtol(p + length, NULL, 10);
            assert_true(i >= next);
            gaps += i - next;
            next = i + 1;
            ++*out_n;
        }
    }
    return gaps;
}

/* exit(3) in the main thread while four others emit: no crash, the run ends, no record is doubled
 * or out of order, and what came too late to be written is counted. */
static void test_ring_race__exit_while_threads_emit(void **state)
{
    (void)state;
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        run = open_run();
        snprintf(seen->dir, sizeof seen->dir, "%s", m31r_run_dir(run));
        for (int i = 0; i < 4; i++) {
            pthread_create(&thread, NULL, emit_for_ever, (void *)(intptr_t)i);
        }
        for (int i = 0; i < 4; i++) {
            while (atomic_load(&seen->acknowledged[i]) < 100) {
                usleep(1000);
            }
        }
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    char *text = read_text(seen->dir, "train.log");
    assert_int_equal(count_of(strstr(text, "\"run_end\""), "\"run_end\""), 1);
    long gaps = 0, n = 0;
    for (int i = 0; i < 4; i++) {
        gaps += gaps_of(text, i, &n);
        assert_true(n > 0);
    }
    free(text);
    json_t *m = read_json(seen->dir, "metadata.json");
    assert_true(json_integer_value(json_object_get(json_object_get(m, "lost"), "records")) >= gaps);
    json_decref(m);
    munmap(seen, sizeof *seen);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        CASE(test_ring_race__threads_with_lanes_of_their_own_keep_their_order),
        CASE(test_ring_race__more_threads_than_rings_lose_nothing),
        CASE(test_ring_race__a_thousand_threads_come_and_go),
        CASE(test_ring_race__exit_while_threads_emit),
    };
    return cmocka_run_group_tests_name("ring_race", tests, NULL, NULL);
}
