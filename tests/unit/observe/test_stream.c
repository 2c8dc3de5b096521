/* The shared ring: what an heir finds when the reader died at each possible moment; the tree of
 * processes; records as text. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/os_proc_tree.h"
#include "base/os_shared.h"
#include "observe/record_text.h"
#include "observe/stream.h"

typedef struct bench {
    m31ri_stream stream;
    int write_end;
} bench;

static int set_up(void **state)
{
    static bench b;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    b.stream.shared = m31ri_shared_alloc(sizeof *b.stream.shared);
    b.stream.ring = m31ri_shared_ring_alloc(M31RI_STREAM_RING_BYTES);
    b.stream.fd = ends[0];
    b.write_end = ends[1];
    *state = &b;
    return b.stream.shared != NULL && b.stream.ring != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    bench *b = *state;
    close(b->stream.fd);
    close(b->write_end);
    m31ri_shared_free(b->stream.shared, sizeof *b->stream.shared);
    m31ri_shared_ring_free(b->stream.ring, M31RI_STREAM_RING_BYTES);
    return 0;
}

static void test_stream__is_contiguous_across_its_end(void **state)
{
    bench *b = *state;
    const m31ri_split_state none = {0};
    char piece[50000];
    uint64_t total = 0;
    for (int i = 0; i < 40; i++) {
        memset(piece, 'a' + i % 26, sizeof piece);
        assert_int_equal(write(b->write_end, piece, sizeof piece), sizeof piece);
        assert_true(m31ri_stream_read(&b->stream));
        size_t n;
        const char *bytes = m31ri_stream_bytes(&b->stream, &n);
        assert_int_equal(n, sizeof piece);
        assert_memory_equal(bytes, piece, n);
        m31ri_stream_commit_bytes(&b->stream, n, &none, 0);
        total += n;
    }
    assert_int_equal(m31ri_stream_now(&b->stream)->cursor, total);
    close(b->write_end);
    b->write_end = open("/dev/null", O_WRONLY);
    assert_true(m31ri_stream_read(&b->stream));
    assert_int_equal(b->stream.shared->is_ended, 1);
}

/* The state in which a kill between read(2) and its note leaves the memory: the bytes are there,
 * `pending` is still set. */
static void test_stream__heir_finds_bytes_of_an_unnoted_read(void **state)
{
    bench *b = *state;
    size_t n;
    assert_int_equal(write(b->write_end, "hello\n", 6), 6);
    assert_true(m31ri_stream_read(&b->stream));
    b->stream.shared->tail = 0;
    b->stream.shared->pending = 6;
    m31ri_stream_recover(&b->stream);
    assert_memory_equal(m31ri_stream_bytes(&b->stream, &n), "hello\n", 6);
    assert_int_equal(n, 6);
}

/* Killed before read(2): the place still holds the canary, which the first read of the same place
 * leaves behind it. */
static void test_stream__heir_does_not_invent_bytes(void **state)
{
    bench *b = *state;
    static const unsigned char canary[] = {0xf5, 0x9d, 0x01, 0xfe, 0x8b, 0xc0, 0xff, 0x17,
                                           0xe3, 0xf8, 0x02, 0xba, 0x90, 0xfd, 0xc1, 0x06};
    size_t n;
    memcpy(b->stream.ring, canary, sizeof canary);
    b->stream.shared->pending = 4096;
    m31ri_stream_recover(&b->stream);
    m31ri_stream_bytes(&b->stream, &n);
    assert_int_equal(n, 0);
}

static void test_tree__counts_descendants_once(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        char c;
        volatile char *memory = malloc(4 << 20); /* the kernel counts a few pages as none */
        for (size_t i = 0; memory != NULL && i < 4 << 20; i += 4096) {
            memory[i] = 1;
        }
        pid_t grandchild = fork();
        close(ends[1]);
        ssize_t n = read(ends[0], &c, 1);
        (void)n;
        if (grandchild > 0) {
            waitpid(grandchild, NULL, 0);
        }
        _exit(0);
    }
    usleep(100000);
    m31ri_proc_tree *t = m31ri_proc_tree_new();
    const int64_t roots[] = {getpid(), child};
    m31ri_proc_usage use;
    assert_true(m31ri_proc_tree_usage(t, roots, 2, roots, 1, &use));
    assert_int_equal(use.n_processes, 2);
    assert_true(use.rss_bytes > 0);
    m31ri_proc_tree_free(t);
    close(ends[0]);
    close(ends[1]);
    waitpid(child, NULL, 0);
}

static void test_text__shows_nothing_a_terminal_could_act_on(void **state)
{
    (void)state;
    const char *line =
        "{\"ts\":\"t\",\"level\":\"INFO\",\"module\":\"m\",\"msg\":\"a b\",\"x\":\"\\u001b[31m\","
        "\"y\":\"\xc2\x9b\",\"n\":1.5,\"o\":{\"k\":[1]}}\n";
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_record_text(&out, line, strlen(line));
    assert_string_equal(m31ri_buf_str(&out),
                        "ts=t level=INFO module=m msg=\"a b\" x=\"\\u001b[31m\" y=\"\\u009b\" "
                        "n=1.5 o={\\\"k\\\":[1]}\r\n");
    m31ri_buf_clear(&out);
    m31ri_record_text(&out, "no \033 record", 11);
    assert_string_equal(m31ri_buf_str(&out), "no \\u001b record\r\n");
    m31ri_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stream__is_contiguous_across_its_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_stream__heir_finds_bytes_of_an_unnoted_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_stream__heir_does_not_invent_bytes, set_up, tear_down),
        cmocka_unit_test(test_tree__counts_descendants_once),
        cmocka_unit_test(test_text__shows_nothing_a_terminal_could_act_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
