/* ring_layout.h - the ring file: what a process has said and nobody has written yet.
 *
 *     +--------+------------------+------------+---------+---------+-----
 *     | header | live | commits 2 | dictionary | slot 0  | slot 1  | ...
 *     +--------+------------------+------------+---------+---------+-----
 *                                              | heads, then slot_bytes of records
 *
 * header      constant once the file has its name; checksummed
 * live        what both ends change while the program runs
 * commits     two alternating, checksummed statements of how far the files on disk are
 * dictionary  entries that are only appended: lanes, loggers, call sites, metric names; checksummed
 * slot        one ring: one thread puts, one writer takes. Slot 0 is shared under a lock by the
 *             threads that found no other free.
 *
 * The file explains itself: any process, or the same program next week, can make the JSON lines
 * from it. All numbers are little-endian as on every machine this is built for, all positions are
 * bytes that only grow, every part starts on a page.
 */
#ifndef M31RI_RING_LAYOUT_H
#define M31RI_RING_LAYOUT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#define M31RI_RING_MAGIC "M31RRING"
#define M31RI_RING_FORMAT 2 /* 1: without stacks, modules and the crash note; read as well */
#define M31RI_RING_PAGE 4096

#define M31RI_RING_SLOTS 64 /* threads that emit at one time without sharing */
#define M31RI_RING_LANES 64 /* lanes of a process that go through rings */
#define M31RI_RING_CALIBRATIONS 256
#define M31RI_RING_NAME_BYTES 128
#define M31RI_RING_STACK 64 /* places of a stack */

/* Leases on bytes of the file: see base/os_mapping.h. */
enum { M31RI_LEASE_PROGRAM = 0, M31RI_LEASE_WRITER = 1 };

typedef struct m31ri_ring_header {
    char magic[8];
    uint32_t format_version;
    uint32_t page_bytes; /* M31RI_RING_PAGE */
    uint64_t file_bytes;
    uint64_t live_at, commits_at, dictionary_at, slots_at;
    uint32_t dictionary_bytes;
    uint32_t n_slots;
    uint32_t slot_bytes;        /* of records; a power of two */
    uint32_t counter_is_steady; /* 0: the counter is nanoseconds of the monotonic clock */
    int64_t pid;
    uint64_t start_ticks;
    char boot_id[40];
    char run_id[64];
    char points_file[M31RI_RING_NAME_BYTES]; /* "metrics.csv" */
    uint32_t checksum;                       /* CRC-32 of all before it */
} m31ri_ring_header;

/* In the header's page, from M31RI_RING_PLACE_AT on: which run it belongs to, so that a ring whose
 * run was deleted is known as such. Zeros when the path is longer, and in files of older versions.
 */
#define M31RI_RING_PLACE_AT 1024
#define M31RI_RING_PLACE_BYTES 2048
typedef struct m31ri_ring_place {
    uint32_t checksum; /* CRC-32 of run_path */
    char run_path[M31RI_RING_PLACE_BYTES];
} m31ri_ring_place;

/* The counter and the wall clock at one moment, and the rate from there on: wall_ns + (counter -
 * this counter) * rate / 2^32. */
typedef struct m31ri_calibration {
    uint64_t counter;
    int64_t wall_ns;
    uint64_t rate;
} m31ri_calibration;

enum { M31RI_CRASH_NONE = 0, M31RI_CRASH_BEGUN = 1, M31RI_CRASH_WHOLE = 2, M31RI_CRASH_PASSED = 3 };

/* What a fatal signal's handler says before the program dies: a place of its own, because a thread
 * may die in the middle of a record. */
typedef struct m31ri_crash_note {
    atomic_uint state; /* PASSED: the program's own handler took it, and the program went on */
    int32_t signal, code;
    uint32_t thread; /* its number in the system */
    uint32_t slot;   /* its ring; UINT32_MAX: it has none */
    uint32_t n_frames;
    uint64_t head; /* of that ring: what is behind it says that the thread lived on */
    uint64_t address;
    uint64_t counter; /* when */
    int64_t step;     /* the thread's last; M31R_NO_STEP: none */
    char name[16];    /* of the thread */
    uint64_t frames[M31RI_RING_STACK];
} m31ri_crash_note;

/* Who is to hold the writer lease when an observer drains (drain/drainer.h). PROGRAM: the program,
 * and whoever else has it lets go; set by the observer when a file is to be rotated and by the
 * program when it ends. */
enum { M31RI_STAND_EITHER = 0, M31RI_STAND_PROGRAM = 1 };

typedef struct m31ri_ring_live {
    atomic_uint_fast64_t dictionary_end; /* bytes of whole entries; release by the program */
    atomic_uint wake;                    /* futex: the writer sleeps on it */
    atomic_uint drained;    /* futex: callers that wait for room or a sync sleep on it */
    atomic_uint n_waiting;  /* callers asleep on `drained` */
    atomic_uint wants_sync; /* raised by each CRITICAL */
    atomic_uint synced;     /* the value of wants_sync that the disk has */
    atomic_uint is_degraded;
    atomic_uint_fast64_t n_lost; /* records and points taken off but not written */
    atomic_uint n_calibrations;  /* ever made; number n stands at n % M31RI_RING_CALIBRATIONS */
    m31ri_calibration calibrations[M31RI_RING_CALIBRATIONS];
    m31ri_crash_note crash;
    atomic_uint stand; /* M31RI_STAND_*; futex: a program that stands by sleeps on it */
} m31ri_ring_live;

typedef struct m31ri_commit_lane {
    uint64_t offset;      /* bytes of the lane's file that are whole */
    uint64_t n_records;   /* written, all segments */
    uint64_t n_lost;      /* consumed but not written */
    uint64_t n_lost_said; /* of which a record tells */
    int64_t last_wall_ns; /* time never goes back within a lane */
    uint32_t ordinal;     /* of the segment that is written now, from 1 */
    uint32_t lost_errno;  /* why; 0: nothing lost since it was said */
} m31ri_commit_lane;

typedef struct m31ri_commit_ring {
    uint64_t consumed; /* everything before is in the files, or counted as lost */
    uint64_t target;   /* an intent's end; equals `consumed` in a commit */
    uint64_t n_dropped_said;
} m31ri_commit_ring;

/* An odd generation is an intent: the batch from `consumed` to `target` is being written. An even
 * one is a commit: it has been. */
typedef struct m31ri_commit {
    uint64_t generation;
    uint64_t points_at; /* where the intent's points begin in the points' file */
    uint64_t n_points, n_points_lost;
    int64_t points_last_wall_ns;
    uint32_t n_calibrations; /* as many as the batch's times are made from */
    uint32_t n_lanes;
    uint16_t n_rings;
    uint16_t is_crash_said; /* the crash note is a record */
    uint32_t checksum;      /* CRC-32 of all else up to n_lanes lanes and n_rings rings */
    m31ri_commit_lane lanes[M31RI_RING_LANES];
    m31ri_commit_ring rings[M31RI_RING_SLOTS];
} m31ri_commit;

enum { M31RI_SLOT_FREE = 0, M31RI_SLOT_USED = 1, M31RI_SLOT_LEFT = 2 };

typedef struct m31ri_ring_slot {
    alignas(64) atomic_uint_fast64_t head; /* release by the program: records before it are whole */
    alignas(64) atomic_uint_fast64_t tail; /* release by the writer: bytes before it may be used */
    alignas(64) atomic_uint state;
    atomic_uint_fast64_t n_dropped; /* records refused because there was no room */
} m31ri_ring_slot;

/* Kinds of ring records. */
enum {
    M31RI_PUT_PAD = 1,   /* nothing, to the ring's end */
    M31RI_PUT_SITE = 2,  /* values of a call site */
    M31RI_PUT_STEP = 3,  /* i64 step, u64 segment, values of a call site: a record and its points */
    M31RI_PUT_LINE = 4,  /* a whole line of JSON; its time is set when it is written */
    M31RI_PUT_POINT = 5, /* i64 step, f64 value, u32 segment, u32 is_float: a point */
    /* i64 step (M31R_NO_STEP: none), u64 n, n places in modules: where it was said; then ... */
    M31RI_PUT_SITE_STACK = 6, /* ... values of a call site */
    M31RI_PUT_LINE_STACK = 7, /* ... a whole line of JSON */
};

/* Every ring record starts with this and is a multiple of 8 bytes long. A value is 8 bytes; for a
 * string these are its length, UINT64_MAX for null, and its bytes follow behind the last value, one
 * string after the other. */
typedef struct m31ri_put {
    uint32_t bytes; /* of the whole record */
    uint16_t kind;
    uint16_t logger;   /* dictionary id; for LINE the lane's */
    uint32_t site;     /* dictionary id of the call site or the metric's name */
    uint32_t sequence; /* counts the records of a ring: a gap is damage */
    uint64_t counter;
} m31ri_put;

#define M31RI_PUT_NULL UINT64_MAX         /* a null string */
#define M31RI_PUT_DENIED (UINT64_MAX - 1) /* one whose key is denied: it never enters the ring */

#endif
