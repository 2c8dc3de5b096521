/* stage_table.c - what each stage logs; made by tools/gen_stages from schemas/, do not edit. */
#include "format/stage_table.h"

#include <math.h>

/* clang-format off */
static const m31ri_stage_field train_step_complete_fields[] = {
    {"step", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"loss", "nats", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, -INFINITY, INFINITY},
    {"lr", "1", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"grad_norm", "1", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"tokens", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"tokens_per_sec", "tokens/s", "tokens", M31RI_FIELD_REAL, M31R_BETTER_HIGHER,
     M31RI_FIELD_REQUIRED | M31RI_FIELD_POINT | M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_POINT | M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"gpu_memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
    {"tokens_total", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_POINT, 0.0,
     INFINITY},
    {"epoch", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_POINT, 0.0, INFINITY},
    {"data_position", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_POINT, 0.0,
     INFINITY},
};

static const m31ri_stage_field train_validation_complete_fields[] = {
    {"step", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"val_loss", "nats", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, -INFINITY, INFINITY},
    {"tokens", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
};

static const m31ri_stage_field train_checkpoint_written_fields[] = {
    {"step", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"path", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_IN_CALL, -INFINITY,
     INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
};

static const m31ri_stage_field train_checkpoint_saved_fields[] = {
    {"step", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"path", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"bytes", "bytes", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"sha256", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
};

static const m31ri_stage_field train_resumed_fields[] = {
    {"path", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_IN_CALL, -INFINITY,
     INFINITY},
    {"step", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"tokens_total", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"data_position", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
};

static const m31ri_stage_field train_train_complete_fields[] = {
    {"step", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"tokens_total", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
    {"peak_memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
};

static const m31ri_stage_field data_file_kept_fields[] = {
    {"path", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"bytes", "bytes", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
};

static const m31ri_stage_field data_file_rejected_fields[] = {
    {"path", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"reason", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"bytes", "bytes", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
};

static const m31ri_stage_field data_file_duplicate_fields[] = {
    {"path", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"duplicate_of", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"similarity", "1", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, 0, 0.0, 1.0},
    {"bytes", "bytes", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
};

static const m31ri_stage_field data_shard_written_fields[] = {
    {"path", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"split", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, 0, -INFINITY, INFINITY},
    {"documents", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"tokens", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"bytes", "bytes", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED, 0.0,
     INFINITY},
    {"sha256", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, 0, -INFINITY, INFINITY},
};

static const m31ri_stage_field data_reject_reason_fields[] = {
    {"reason", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"files", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
};

static const m31ri_stage_field data_data_complete_fields[] = {
    {"files_processed", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"files_kept", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"files_rejected", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"files_duplicate", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"shards", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"bytes_kept", "bytes", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_POINT, 0.0,
     INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
    {"memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
};

static const m31ri_stage_rule data_data_complete_rules[] = {
    {"files_processed = files_kept + files_rejected + files_duplicate",
     M31RI_RULE_EQUAL, "files_processed", {{M31RI_TERM_FIELD, "", "files_kept"}, {M31RI_TERM_FIELD,
      "", "files_rejected"}, {M31RI_TERM_FIELD, "", "files_duplicate"}}},
    {"files_rejected = sum(reject_reason.files)",
     M31RI_RULE_EQUAL, "files_rejected", {{M31RI_TERM_SUM, "reject_reason", "files"}}},
    {"shards = count(shard_written)",
     M31RI_RULE_EQUAL, "shards", {{M31RI_TERM_COUNT, "shard_written", ""}}},
};

static const m31ri_stage_field tokenizer_vocab_progress_fields[] = {
    {"merges", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"vocab_size", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"pair_count", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
    {"memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
};

static const m31ri_stage_field tokenizer_tokenizer_complete_fields[] = {
    {"vocab_size", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 1.0, INFINITY},
    {"coverage", "1", "", M31RI_FIELD_REAL, M31R_BETTER_HIGHER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, 1.0},
    {"fragmentation", "tokens/word", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"split_words", "1", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT, 0.0, 1.0},
    {"tokens_per_line", "tokens/line", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT,
     0.0, INFINITY},
    {"bytes_per_token", "bytes/token", "", M31RI_FIELD_REAL, M31R_BETTER_HIGHER, M31RI_FIELD_POINT,
     0.0, INFINITY},
    {"merges", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
};

static const m31ri_stage_field eval_task_complete_fields[] = {
    {"number", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED, 1.0,
     INFINITY},
    {"task", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"category", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"samples", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 1.0, INFINITY},
    {"compiled", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"passed", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"latency_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT | M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"timeouts", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
};

static const m31ri_stage_rule eval_task_complete_rules[] = {
    {"passed <= compiled",
     M31RI_RULE_AT_MOST, "passed", {{M31RI_TERM_FIELD, "", "compiled"}}},
    {"compiled <= samples",
     M31RI_RULE_AT_MOST, "compiled", {{M31RI_TERM_FIELD, "", "samples"}}},
};

static const m31ri_stage_field eval_category_score_fields[] = {
    {"category", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, -INFINITY, INFINITY},
    {"tasks", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 1.0, INFINITY},
    {"samples", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 1.0, INFINITY},
    {"compile_rate", "1", "", M31RI_FIELD_REAL, M31R_BETTER_HIGHER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, 1.0},
    {"pass_at_1", "1", "", M31RI_FIELD_REAL, M31R_BETTER_HIGHER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, 1.0},
    {"k", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 1.0, INFINITY},
    {"pass_at_k", "1", "", M31RI_FIELD_REAL, M31R_BETTER_HIGHER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, 1.0},
};

static const m31ri_stage_rule eval_category_score_rules[] = {
    {"pass_at_1 <= pass_at_k",
     M31RI_RULE_AT_MOST, "pass_at_1", {{M31RI_TERM_FIELD, "", "pass_at_k"}}},
};

static const m31ri_stage_field eval_eval_complete_fields[] = {
    {"tasks", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"samples", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"compile_rate", "1", "", M31RI_FIELD_REAL, M31R_BETTER_HIGHER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, 1.0},
    {"pass_at_1", "1", "", M31RI_FIELD_REAL, M31R_BETTER_HIGHER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, 1.0},
    {"k", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 1.0, INFINITY},
    {"pass_at_k", "1", "", M31RI_FIELD_REAL, M31R_BETTER_HIGHER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, 1.0},
    {"latency_p50_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"latency_p90_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"latency_p99_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
};

static const m31ri_stage_rule eval_eval_complete_rules[] = {
    {"tasks = count(task_complete)",
     M31RI_RULE_EQUAL, "tasks", {{M31RI_TERM_COUNT, "task_complete", ""}}},
    {"samples = sum(task_complete.samples)",
     M31RI_RULE_EQUAL, "samples", {{M31RI_TERM_SUM, "task_complete", "samples"}}},
    {"pass_at_1 <= pass_at_k",
     M31RI_RULE_AT_MOST, "pass_at_1", {{M31RI_TERM_FIELD, "", "pass_at_k"}}},
    {"latency_p50_ms <= latency_p90_ms",
     M31RI_RULE_AT_MOST, "latency_p50_ms", {{M31RI_TERM_FIELD, "", "latency_p90_ms"}}},
    {"latency_p90_ms <= latency_p99_ms",
     M31RI_RULE_AT_MOST, "latency_p90_ms", {{M31RI_TERM_FIELD, "", "latency_p99_ms"}}},
};

static const m31ri_stage_field serve_request_complete_fields[] = {
    {"request", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED, 1.0,
     INFINITY},
    {"status", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL, 100.0, 599.0},
    {"latency_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT | M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"first_token_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"tokens_prompt", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, 0, 0.0, INFINITY},
    {"tokens_generated", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN,
     M31RI_FIELD_REQUIRED | M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"queue_depth", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
    {"memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"error", "", "", M31RI_FIELD_STRING, M31R_BETTER_UNKNOWN, 0, -INFINITY, INFINITY},
};

static const m31ri_stage_field serve_serving_complete_fields[] = {
    {"requests", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"errors", "", "", M31RI_FIELD_INTEGER, M31R_BETTER_LOWER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT, 0.0, INFINITY},
    {"tokens_generated", "tokens", "", M31RI_FIELD_INTEGER, M31R_BETTER_UNKNOWN,
     M31RI_FIELD_REQUIRED | M31RI_FIELD_IN_CALL, 0.0, INFINITY},
    {"latency_p50_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"latency_p90_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"latency_p99_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"latency_p999_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_POINT |
     M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"first_token_p50_ms", "ms", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
    {"memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_REQUIRED |
     M31RI_FIELD_IN_CALL | M31RI_FIELD_POINT | M31RI_FIELD_MEASURED, 0.0, INFINITY},
    {"peak_memory_mb", "MiB", "", M31RI_FIELD_REAL, M31R_BETTER_LOWER, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
    {"duration_s", "s", "", M31RI_FIELD_REAL, M31R_BETTER_UNKNOWN, M31RI_FIELD_MEASURED, 0.0,
     INFINITY},
};

static const m31ri_stage_rule serve_serving_complete_rules[] = {
    {"requests = count(request_complete)",
     M31RI_RULE_EQUAL, "requests", {{M31RI_TERM_COUNT, "request_complete", ""}}},
    {"tokens_generated = sum(request_complete.tokens_generated)",
     M31RI_RULE_EQUAL, "tokens_generated", {{M31RI_TERM_SUM, "request_complete",
      "tokens_generated"}}},
    {"errors <= requests",
     M31RI_RULE_AT_MOST, "errors", {{M31RI_TERM_FIELD, "", "requests"}}},
    {"latency_p50_ms <= latency_p90_ms",
     M31RI_RULE_AT_MOST, "latency_p50_ms", {{M31RI_TERM_FIELD, "", "latency_p90_ms"}}},
    {"latency_p90_ms <= latency_p99_ms",
     M31RI_RULE_AT_MOST, "latency_p90_ms", {{M31RI_TERM_FIELD, "", "latency_p99_ms"}}},
    {"latency_p99_ms <= latency_p999_ms",
     M31RI_RULE_AT_MOST, "latency_p99_ms", {{M31RI_TERM_FIELD, "", "latency_p999_ms"}}},
};

static const m31ri_stage_metric train_metrics[] = {
    {"loss", {"loss", "train_loss", "val_loss"}},
    {"tokens_per_sec", {"tokens_per_sec", "tokens/s", "tok/s"}},
    {"memory", {"memory_mb", "memory", "system.rss_mb", "rss_mb"}},
};

static const m31ri_stage_message train_messages[] = {
    {"step_complete", "trainer", M31R_INFO, 1, 0, false, train_step_complete_fields, 12, NULL, 0},
    {"validation_complete", "trainer", M31R_INFO, 2, 0, false, train_validation_complete_fields, 4,
     NULL, 0},
    {"checkpoint_written", "trainer", M31R_INFO, 3, 0, false, train_checkpoint_written_fields, 3,
     NULL, 0},
    {"checkpoint_saved", "m31r", M31R_INFO, 0, -1, false, train_checkpoint_saved_fields, 4, NULL,
     0},
    {"resumed", "trainer", M31R_INFO, 5, 1, false, train_resumed_fields, 4, NULL, 0},
    {"train_complete", "trainer", M31R_INFO, 6, 0, false, train_train_complete_fields, 4, NULL, 0},
};

static const m31ri_stage_message data_messages[] = {
    {"file_kept", "data", M31R_DEBUG, 17, -1, false, data_file_kept_fields, 2, NULL, 0},
    {"file_rejected", "data", M31R_DEBUG, 18, -1, false, data_file_rejected_fields, 3, NULL, 0},
    {"file_duplicate", "data", M31R_DEBUG, 19, -1, false, data_file_duplicate_fields, 4, NULL, 0},
    {"shard_written", "data", M31R_INFO, 20, -1, false, data_shard_written_fields, 6, NULL, 0},
    {"reject_reason", "data", M31R_INFO, 0, -1, false, data_reject_reason_fields, 2, NULL, 0},
    {"data_complete", "data", M31R_INFO, 22, -1, true, data_data_complete_fields, 8,
     data_data_complete_rules, 3},
};

static const m31ri_stage_metric tokenizer_metrics[] = {
    {"memory", {"memory_mb", "memory", "system.rss_mb", "rss_mb"}},
};

static const m31ri_stage_message tokenizer_messages[] = {
    {"vocab_progress", "tokenizer", M31R_INFO, 33, 0, false, tokenizer_vocab_progress_fields, 5,
     NULL, 0},
    {"tokenizer_complete", "tokenizer", M31R_INFO, 34, -1, true,
     tokenizer_tokenizer_complete_fields, 9, NULL, 0},
};

static const m31ri_stage_metric eval_metrics[] = {
    {"compile_rate", {"compile_rate"}},
    {"pass_at_k", {"pass_at_k", "pass@k", "pass_at_1", "pass@1"}},
    {"latency", {"latency_ms", "latency", "latency_p50_ms"}},
    {"memory", {"memory_mb", "memory", "system.rss_mb", "rss_mb"}},
};

static const m31ri_stage_message eval_messages[] = {
    {"task_complete", "eval", M31R_INFO, 49, 0, false, eval_task_complete_fields, 9,
     eval_task_complete_rules, 2},
    {"category_score", "eval", M31R_INFO, 0, -1, false, eval_category_score_fields, 7,
     eval_category_score_rules, 1},
    {"eval_complete", "eval", M31R_INFO, 51, -1, true, eval_eval_complete_fields, 11,
     eval_eval_complete_rules, 5},
};

static const m31ri_stage_metric serve_metrics[] = {
    {"latency", {"latency_ms", "latency"}},
    {"memory", {"memory_mb", "memory", "system.rss_mb", "rss_mb"}},
};

static const m31ri_stage_message serve_messages[] = {
    {"request_complete", "server", M31R_INFO, 65, 0, false, serve_request_complete_fields, 9, NULL,
     0},
    {"serving_complete", "server", M31R_INFO, 66, -1, true, serve_serving_complete_fields, 11,
     serve_serving_complete_rules, 6},
};

const m31ri_stage m31ri_stages[M31RI_STAGES] = {
    {"train", "OBS-13", 1, train_messages, 6, train_metrics, 3},
    {"data", "OBS-14", 1, data_messages, 6, NULL, 0},
    {"tokenizer", "OBS-15", 1, tokenizer_messages, 2, tokenizer_metrics, 1},
    {"eval", "OBS-16", 1, eval_messages, 3, eval_metrics, 4},
    {"serve", "OBS-17", 1, serve_messages, 2, serve_metrics, 2},
};

const char *const m31ri_measured_names[] = {
    "ts",
    "src_ts",
    "tokens/s",
    "tok/s",
    "*_per_sec",
    "*_per_second",
    "*/s",
    "latency*",
    "*_latency",
    "memory*",
    "rss*",
    "peak_rss*",
    "*_mb",
    "*_gb",
    "duration*",
    "elapsed*",
    "wall_time*",
    "step_time*",
    "*_s",
    "*_ms",
    "*_us",
    "*_ns",
    "*_seconds",
    "system.*",
    NULL,
};

const m31ri_stage_metric m31ri_mandatory_metrics[M31RI_MANDATORY_METRICS] = {
    {"loss", {"loss", "train_loss"}},
    {"compile_rate", {"compile_rate"}},
    {"pass_at_k", {"pass_at_k", "pass@k", "pass@1"}},
    {"tokens_per_sec", {"tokens_per_sec", "tokens/s", "tok/s"}},
    {"latency", {"latency", "latency_ms", "latency_s"}},
    {"memory", {"memory", "memory_mb", "system.rss_mb"}},
};
/* clang-format on */
