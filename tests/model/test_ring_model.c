/* A ring of 256 bytes against a queue, in every order of steps of the two sides: what was published
 * comes out once, whole and in order; what had no room was refused, never put over something.
 *
 * The two sides' calls are taken apart where another side could come in between: the producer
 * reserves, stores, publishes; the writer looks, takes each record, frees. A schedule is a word of
 * choices; each is run from the beginning on a fresh ring, with real memory and the real code. What
 * a schedule cannot show (stores that become visible in another order) is for the race test.
 */
#include "../unit/emit/scratch.h"

#include "ring/ring_commit.h"
#include "ring/ring_put.h"
#include "ring/ring_take.h"

#define SLOT_BYTES 256
#define STEPS 14 /* 2^14 schedules from each start */
#define SOAK_STEPS 20
#define STARTS                                                                                     \
    6 /* so many records have gone through before: the ring's end is elsewhere each time */
#define SLOT 1

/* Lengths of the records that are put, over and over: they meet the ring's end at every offset. */
static const uint32_t lengths[] = {24, 56, 32, 64, 24, 40, 48};

typedef struct model {
    uint64_t n_published, n_taken; /* the queue is what lies between */
    uint64_t n_refused;
} model;

typedef struct sides {
    m31ri_ring ring;
    m31r_hot hot;
    m31ri_take take;
    m31ri_commit commit;
    model model;
    int put_state;  /* 0: reserves next, 1: stores, 2: publishes */
    int take_state; /* 0: looks next, 1: takes, 2: frees */
    char *place;
    uint64_t n_seen; /* published when the writer looked */
} sides;

static uint32_t length_of(uint64_t n)
{
    return lengths[n % (sizeof lengths / sizeof *lengths)];
}

static void put_step(sides *s)
{
    uint64_t n = s->model.n_published;
    uint32_t bytes = length_of(n);
    switch (s->put_state) {
    case 0:
        s->place = m31ri_ring_reserve(&s->ring, bytes);
        if (s->place == NULL) {
            /* Refused rightly: with what is not freed yet, a pad and this it would not fit. */
            uint64_t tail = atomic_load(&s->ring.slot->tail);
            uint64_t at = m31ri_ring_head(&s->ring) & s->ring.mask;
            uint64_t pad = at + bytes > SLOT_BYTES ? SLOT_BYTES - at : 0;
            assert_true(m31ri_ring_head(&s->ring) - tail + pad + bytes > SLOT_BYTES);
            s->model.n_refused++;
            return;
        }
        assert_true(m31ri_ring_head(&s->ring) + bytes - atomic_load(&s->ring.slot->tail) <=
                    SLOT_BYTES);
        s->put_state = 1;
        return;
    case 1: {
        m31ri_put head = {.bytes = bytes,
                          .kind = M31RI_PUT_POINT,
                          .sequence = (uint32_t)s->hot.sequence,
                          .counter = n};
        memset(s->place, (int)(n & 0x7f) + 1, bytes);
        memcpy(s->place, &head, sizeof head);
        s->put_state = 2;
        return;
    }
    default:
        m31ri_ring_publish(&s->ring, bytes);
        s->model.n_published++;
        s->put_state = 0;
        return;
    }
}

static void expect_next(sides *s)
{
    const m31ri_put *p = m31ri_take_next(&s->take);
    if (p == NULL) {
        assert_int_equal(s->model.n_taken, s->n_seen);
        s->take_state = 2;
        return;
    }
    uint64_t n = s->model.n_taken++;
    assert_true(n < s->n_seen);
    assert_int_equal(p->counter, n);
    assert_int_equal(p->sequence, n);
    assert_int_equal(p->bytes, length_of(n));
    for (uint32_t i = sizeof *p; i < p->bytes; i++) {
        assert_int_equal(((const char *)p)[i], (char)((n & 0x7f) + 1));
    }
}

static void take_step(sides *s, m31ri_ring_file *f)
{
    switch (s->take_state) {
    case 0:
        s->n_seen = s->model.n_published;
        if (m31ri_take_begin(&s->take, f, &s->commit, UINT64_MAX)) {
            s->take_state = 1;
        } else {
            assert_int_equal(s->n_seen, s->model.n_taken);
        }
        return;
    case 1:
        expect_next(s);
        return;
    default:
        for (uint32_t i = 0; i < f->header->n_slots; i++) {
            s->commit.rings[i].consumed = s->commit.rings[i].target;
        }
        m31ri_take_commit(f, &s->commit);
        assert_int_equal(s->take.n_damaged, 0);
        s->take_state = 0;
        return;
    }
}

/* `n_before` records go through, then the ring is filled but for one or two. */
static void begin_at(sides *s, m31ri_ring_file *f, uint32_t n_before)
{
    while (s->model.n_published < n_before || s->put_state != 0) {
        put_step(s);
    }
    while (s->take_state != 0 || s->model.n_taken != s->model.n_published) {
        take_step(s, f);
    }
    for (int i = 0; i < 9; i++) {
        put_step(s);
    }
}

/* One schedule: bit i says whose step the i-th is. Then the writer goes on until all is out. */
static void run_schedule(m31ri_ring_file *f, uint32_t n_before, uint32_t schedule, int n_steps,
                         model *sum)
{
    static sides s;
    memset(&s, 0, sizeof s);
    m31ri_ring_slot *slot = m31ri_ring_file_slot(f, SLOT);
    atomic_store(&slot->head, 0);
    atomic_store(&slot->tail, 0);
    memset(m31ri_ring_file_data(f, SLOT), 0xee, SLOT_BYTES);
    s.commit.n_rings = (uint16_t)f->header->n_slots;
    m31ri_ring_init(&s.ring, &s.hot, f, SLOT);
    begin_at(&s, f, n_before);
    for (int i = 0; i < n_steps; i++) {
        if ((schedule >> i & 1) != 0) {
            put_step(&s);
        } else {
            take_step(&s, f);
        }
    }
    while (s.put_state != 0) {
        put_step(&s);
    }
    while (s.take_state != 0 || s.model.n_taken != s.model.n_published) {
        take_step(&s, f);
    }
    sum->n_published += s.model.n_published;
    sum->n_refused += s.model.n_refused;
}

static void test_ring_model__every_order_of_steps_is_a_queue(void **state)
{
    (void)state;
    m31ri_ring_file f;
    m31r_error e = {0};
    model sum = {0};
    const m31ri_ring_shape shape = {.directory = ".",
                                    .run_id = "20261123T102651Z-00000000",
                                    .points_file = "metrics.csv",
                                    .n_slots = 2,
                                    .slot_bytes = SLOT_BYTES};
    if (m31ri_ring_file_make(&shape, &f, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    assert_int_equal(m31ri_ring_file_take_room(&f, 0), 0);
    assert_int_equal(m31ri_ring_file_take_room(&f, SLOT), 0);
    int n_steps = getenv("M31R_SOAK") != NULL ? SOAK_STEPS : STEPS;
    for (uint32_t schedule = 0; schedule < (uint32_t)1 << n_steps; schedule++) {
        for (uint32_t n_before = 0; n_before < STARTS; n_before++) {
            run_schedule(&f, n_before, schedule, n_steps, &sum);
        }
    }
    m31ri_ring_file_remove(&f);
    assert_true(sum.n_published > 100000);
    assert_true(sum.n_refused > 10000); /* the full ring was among them */
}

/* Long walks at random, which go round the ring many times. */
static void test_ring_model__a_million_random_steps_are_a_queue(void **state)
{
    (void)state;
    m31ri_ring_file f;
    static sides s;
    uint64_t random = 42;
    memset(&s, 0, sizeof s);
    const m31ri_ring_shape shape = {.directory = ".",
                                    .run_id = "20261123T102651Z-00000001",
                                    .points_file = "metrics.csv",
                                    .n_slots = 2,
                                    .slot_bytes = SLOT_BYTES};
    assert_int_equal(m31ri_ring_file_make(&shape, &f, NULL), M31R_OK);
    assert_int_equal(m31ri_ring_file_take_room(&f, 0), 0);
    assert_int_equal(m31ri_ring_file_take_room(&f, SLOT), 0);
    s.commit.n_rings = (uint16_t)f.header->n_slots;
    m31ri_ring_init(&s.ring, &s.hot, &f, SLOT);
    for (int i = 0; i < 1000000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        /* Sides that are now and then much faster than the other. */
        uint32_t bias = 1 + (uint32_t)(i / 1000 % 7);
        if ((uint32_t)(random >> 33) % 8 < bias) {
            put_step(&s);
        } else {
            take_step(&s, &f);
        }
    }
    m31ri_ring_file_remove(&f);
    assert_true(s.model.n_published > 50000);
    assert_true(s.model.n_refused > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ring_model__every_order_of_steps_is_a_queue,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_ring_model__a_million_random_steps_are_a_queue,
                                        scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
