/* state.h - the objects of the emit side, shared by its files and by nobody else.
 *
 *   m31r_run --- lanes --- m31ri_append_file      one file, one order
 *      |           \-- loggers                    a module's name on a lane
 *      |--- points                                metrics.csv
 *      |--- rings                                 what this process has said and is not in files
 * yet
 *      |--- stdout sink
 *      \--- owner (only in the process that made the run): metadata, metrics.json, fingerprints
 *
 * Locks, always taken in this order: run->lock (lists, owner's state), lane->lock, points.lock,
 * sink->lock. The locks of rings (rings.h) come after all of these but sink->lock.
 */
#ifndef M31RI_EMIT_STATE_H
#define M31RI_EMIT_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "drain/drainer.h"
#include "drain/outage.h"
#include "emit/checkpointer.h"
#include "emit/rank.h"
#include "emit/rings.h"
#include "emit/rotation.h"
#include "emit/run_int.h"
#include "format/names.h"
#include "rules/privacy.h"
#include "store/append_file.h"
#include "store/metadata.h"
#include "store/metrics_json.h"
#include "store/run_dir.h"

#define M31RI_LANE_FILE_BYTES 128
#define M31RI_CHECK_NS (1000 * 1000 * 1000LL) /* pause between two looks at a file's fate */

struct m31r_lane {
    struct m31r_lane *next;
    m31r_run *run;
    pthread_mutex_t lock;
    char name[33]; /* "" is the main lane */
    char file[M31RI_LANE_FILE_BYTES];
    m31ri_append_file *append; /* NULL: given up, or could not be opened */
    m31ri_buf line;            /* the record being made, then the last one made */
    m31ri_buf held;            /* records made but not yet in the file, between hold and release */
    uint32_t n_held;
    bool holds;
    m31ri_buf scrubbed;       /* the redactor's scratch */
    const m31ri_stack *stack; /* of the ERROR that is being written */
    int64_t last_wall_ns;
    int64_t check_mono_ns;
    uint64_t n_records;
    uint64_t first_thread; /* number of the thread that wrote first; 0: none yet */
    bool is_ordered;
    uint32_t ring_id; /* in the rings' dictionary; 0: written directly */
    bool is_closed;
    m31ri_outage outage;
};

typedef struct m31ri_logger {
    m31r_log public_part; /* first: a logger is handed out as m31r_log */
    struct m31ri_logger *next;
    m31r_lane *lane;
    m31ri_rings *rings; /* NULL: records are written directly */
    uint32_t ring_id;
    char module[65];
} m31ri_logger;

/* Steps go forward inside a segment; each name remembers where it was. */
typedef struct m31ri_series {
    char *name;
    int64_t last_step;
    uint32_t segment;
} m31ri_series;

typedef struct m31ri_points {
    pthread_mutex_t lock;
    m31ri_append_file *append;
    m31ri_buf lines;
    int64_t last_wall_ns;
    m31ri_series *series; /* open addressing, n_slots a power of two */
    uint32_t n_series, n_slots;
    uint32_t segment;
    bool step_went_back; /* to be said in a WARNING, outside the lock */
    uint64_t n_points;
    m31ri_outage outage;
} m31ri_points;

typedef struct m31ri_stdout_sink {
    pthread_mutex_t lock;
    bool is_on;
    bool is_terminal; /* key=value lines instead of JSON */
    bool may_block;   /* a pipe or socket: asked before each write */
    bool is_stuck;
    uint64_t n_lost;
    m31ri_buf text;
} m31ri_stdout_sink;

typedef struct m31ri_fingerprint_job {
    pthread_t thread;
    bool is_running;
    atomic_bool is_done; /* pairs with the load in m31ri_fingerprint_job_stop */
    const char *dataset_path, *tokenizer_path; /* borrowed from the identity */
    m31ri_fingerprint_progress progress;
    m31r_run *run;
} m31ri_fingerprint_job;

typedef enum m31ri_role { M31RI_ROLE_INERT, M31RI_ROLE_OWNER, M31RI_ROLE_JOINER } m31ri_role;

struct m31r_run {
    struct m31r_run *next; /* in the list of open runs (registry.c) */
    m31ri_role role;
    bool is_observer;
    bool is_file_off; /* `observability: file: false`: records go to standard output only */
    bool is_disk_low; /* and it was said */
    bool is_shell;    /* a script's call: lanes are shared with other scripts */
    bool inert_was_said;
    bool takes_stacks;    /* ERROR and CRITICAL records of the program get one */
    bool catches_crashes; /* fatal signals are noted */
    atomic_bool is_over;  /* ended at exit: relaxed, calls of threads that still run do nothing */
    int rank;
    int n_ranks;           /* owner: of the job that a launcher started; 0: no job, or not known */
    int64_t begun_mono_ns; /* owner; 0: another process began it */
    unsigned fork_generation;
    m31ri_run_dir dir;
    char stage[33];
    char seed[32];
    const m31ri_settings *settings; /* the identity's, or own_settings */
    m31ri_settings own_settings;
    char *config_path, *config_sha256,
        *config_original_sha256; /* joiner: what metadata.json says */
    m31ri_privacy *privacy;      /* borrowed from identity when that is set */
    m31ri_identity *identity;    /* owner only */
    pthread_mutex_t lock;
    m31r_lane *lanes; /* newest first */
    m31r_lane *main_lane;
    m31r_lane *observer_lane;
    m31ri_logger *loggers;
    m31ri_logger nowhere;                    /* what a bad name or an inert run gets */
    m31ri_rings *rings;                      /* NULL: everything is written directly */
    m31ri_rings *forgotten_rings;            /* a parent's, in a forked child */
    m31ri_drainer *drainer;                  /* an observer's */
    struct m31ri_direct_names *direct_names; /* for stacks without rings; NULL until there is one */
    m31r_log *step_logger;                   /* what m31r_step() uses, while there are rings */
    m31ri_compressor compressor;
    m31ri_checkpointer checkpointer; /* owner only */
    m31ri_points points;
    m31ri_stdout_sink sink;
    m31ri_metadata metadata; /* owner only, like the rest */
    m31ri_metrics_json *metrics_json;
    struct m31ri_anomaly_watch *anomalies; /* NULL: not watched */
    uint64_t notices_offset;
    m31ri_fingerprint_job job;
    struct m31ri_hash_queue *hashing; /* NULL until the first large file; under `lock` */
    struct m31ri_stage_state *stages; /* of the typed calls; NULL until the first */
    int64_t opened_mono_ns;
    atomic_int_fast64_t tick_mono_ns; /* relaxed: only a pace, any thread may win it */
    uint64_t environment_seen; /* fingerprint of what had been loaded when it was told last */
    m31r_err first_error;
};

/* lane.c */
m31r_err m31ri_lane_new_closed(m31r_run *run, const char *name, m31r_lane **out, m31r_error *e);
m31r_err m31ri_lane_new(m31r_run *run, const char *name, m31r_lane **out, m31r_error *e);
void m31ri_lane_free(m31r_lane *lane);
m31r_err m31ri_lane_claim_main(m31r_run *run, m31r_lane **out, m31r_error *e);
void m31ri_lane_give_up_file(m31r_lane *lane);

/* As m31ri_lane_write, with the stack of the call or NULL. */
m31r_err m31ri_lane_write_at(m31r_lane *lane, m31r_level level, const char *module,
                             m31r_value message, const m31r_fields *fields,
                             const m31ri_stack *stack);

/* direct_names.c: the text of a stack, made by the caller. */
void m31ri_run_name_stack(m31r_run *run, const m31ri_stack *stack, m31ri_buf *out);
void m31ri_run_free_names(m31r_run *run);

/* At the end: writes what is held, and the record of what was lost, without waiting for the next
 * try. What still cannot be said stays in lane->outage.n_lost. */
void m31ri_lane_settle(m31r_lane *lane);
m31r_err m31ri_lane_reopen(m31r_lane *lane, m31r_error *e);
m31r_err m31ri_lane_sync(m31r_lane *lane);
void m31ri_lane_announce(m31r_lane *lane, const char *state);

/* A thread emits on the lane through rings; a second one makes it unordered, which is said once. */
void m31ri_lane_note_thread(m31r_lane *lane, uint64_t thread);

/* points.c */
m31r_err m31ri_points_open(m31r_run *run, m31r_error *e);

/* The name of a metric, or "redacted" for one that the privacy rules do not let pass. */
const char *m31ri_point_name_safe(const m31ri_privacy *rules, const char *name);
void m31ri_points_close(m31r_run *run);
void m31ri_points_add(m31r_run *run, const char *const *names, const m31r_value *values, size_t n,
                      int64_t step);

/* stage.c */
void m31ri_stage_state_free(struct m31ri_stage_state *s);

/* stdout_sink.c */
void m31ri_stdout_sink_init(m31ri_stdout_sink *s, bool is_on);
void m31ri_stdout_sink_release(m31ri_stdout_sink *s);
void m31ri_stdout_sink_write(m31ri_stdout_sink *s, const char *line, size_t length);

/* owner.c */
m31r_err m31ri_owner_begin(m31r_run *run, m31r_error *e);
void m31ri_owner_pace(m31r_run *run);
void m31ri_owner_choose_sinks(m31r_run *run, bool to_file);
m31r_err m31ri_owner_end(m31r_run *run, const m31ri_run_end *end, int wait_ms,
                         m31ri_run_end *out_end, m31r_error *e);
void m31ri_owner_write_end(m31r_run *run, const char *message, const m31ri_run_end *end);

/* notice.c: cleaned by the rules; takes over the reference (NULL: nothing) */
void m31ri_notice(m31r_run *run, json_t *notice);
/* What the rules took out in this process since the last time. */
void m31ri_tell_redactions(m31r_run *run);

/* fingerprint_job.c */
void m31ri_fingerprint_job_start(m31r_run *run);
void m31ri_fingerprint_job_stop(m31r_run *run, int wait_ms);

/* registry.c: the open runs of this process, for fork and exit */
void m31ri_registry_add(m31r_run *run);
void m31ri_registry_remove(m31r_run *run);
void m31ri_registry_retire(m31r_run *run);
/* For every open run that has rings. */
void m31ri_registry_each_rings(void (*visit)(m31ri_rings *, uint64_t), uint64_t argument);
unsigned m31ri_fork_generation(void);
m31r_run *m31ri_inert_run(void);

/* run.c */
typedef enum m31ri_lane_way { M31RI_LANE_BY_RINGS, M31RI_LANE_DIRECT } m31ri_lane_way;

/* The lane of that name, made when there is none. Under run->lock. */
m31r_err m31ri_run_lane(m31r_run *run, const char *name, m31ri_lane_way way, m31r_lane **out,
                        m31r_error *e);
void m31ri_run_after_fork(m31r_run *run);
void m31ri_run_end_at_exit(m31r_run *run);
void m31ri_run_begin_rings(m31r_run *run);
void m31ri_run_say_no_rings(m31r_run *run, const char *reason);
bool m31ri_run_enter(m31r_run *run);
void m31ri_run_free(m31r_run *run);
m31r_err m31ri_run_new(m31ri_role role, m31r_run **out, m31r_error *e);
m31r_err m31ri_run_join(const char *path, bool with_main_lane, m31r_run **out, m31r_error *e);
m31r_err m31ri_run_open_program(const m31r_run_options *o, m31r_run **out, m31r_error *e);

/* rank_tell.c: what the ranks of a run tell their owner, and what it makes of that */
void m31ri_rank_tell(m31r_run *run, const char *state, const m31ri_run_end *end);
int m31ri_rank_wait_ms(const m31r_run *run, const m31ri_run_end *end, int wait_ms);
int64_t m31ri_rank_come_ns(const m31r_run *run, const m31ri_run_end *end);
int m31ri_rank_n_missing(const m31r_run *run); /* ranks above 0 that have not come */
void m31ri_rank_report(m31r_run *run, m31r_lane *lane);

#endif
