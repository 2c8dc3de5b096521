/* stage_calls.h - the typed calls of the stages and their fields.
 *
 * It is made by tools/gen_stages from schemas/, do not edit.
 * stage.h says how to call them. A field is mandatory, or filled by the library
 * when it is not set, or optional. docs/stages.md has the same as tables.
 */
#ifndef M31R_STAGE_CALLS_H
#define M31R_STAGE_CALLS_H

#include "m31r/stage_macros.h"

/* clang-format off */
/* Which call it is: pinned numbers. */
typedef enum m31r_stage_call {
    M31R_CALL_TRAIN_STEP = 1,
    M31R_CALL_TRAIN_VALIDATION = 2,
    M31R_CALL_TRAIN_CHECKPOINT = 3,
    M31R_CALL_TRAIN_RESUME = 5,
    M31R_CALL_TRAIN_SUMMARY = 6,
    M31R_CALL_DATA_KEPT = 17,
    M31R_CALL_DATA_REJECTED = 18,
    M31R_CALL_DATA_DUPLICATE = 19,
    M31R_CALL_DATA_SHARD = 20,
    M31R_CALL_DATA_SUMMARY = 22,
    M31R_CALL_TOKENIZER_PROGRESS = 33,
    M31R_CALL_TOKENIZER_SUMMARY = 34,
    M31R_CALL_EVAL_TASK = 49,
    M31R_CALL_EVAL_SUMMARY = 51,
    M31R_CALL_SERVE_REQUEST = 65,
    M31R_CALL_SERVE_SUMMARY = 66
} m31r_stage_call;

/* One step of training: record `step_complete`, INFO, module trainer.
 *
 * - step (mandatory): number of the step
 * - loss (mandatory): training loss of the step [nats]
 * - lr (mandatory): learning rate of the step [1]
 * - grad_norm (mandatory): norm of the gradient before clipping [1]
 * - tokens: tokens trained on since the last call [tokens]
 * - tokens_per_sec (filled): training speed over a window of about ten seconds [tokens/s]; filled
 *   from `tokens` and either `duration_s` or the time between calls
 * - memory_mb (filled): resident memory of the process [MiB]; filled from the operating system,
 *   at most 20 ms old
 * - gpu_memory_mb (filled): memory in use on all GPUs, by anybody [MiB]; filled from NVML, at
 *   most 1 s old; left out where no GPU answers
 * - duration_s: time that these tokens took, where the time between calls holds other work too
 *   [s]
 * - tokens_total: tokens trained on since step 0, also before a resume [tokens]
 * - epoch: passes over the data that are complete
 * - data_position: place in the order of the data, so that a step leads to its batch
 */
typedef struct m31r_train_step_fields {
    m31r_integer step;
    m31r_number loss;
    m31r_number lr;
    m31r_number grad_norm;
    m31r_integer tokens;
    m31r_number tokens_per_sec;
    m31r_number memory_mb;
    m31r_number gpu_memory_mb;
    m31r_number duration_s;
    m31r_integer tokens_total;
    m31r_integer epoch;
    m31r_integer data_position;
} m31r_train_step_fields;
#define m31r_train_step(...) \
    M31R_STAGE_CALL(M31R_CALL_TRAIN_STEP, m31r_train_step_fields, __VA_ARGS__)

/* The loss on held-out data: record `validation_complete`, INFO, module trainer.
 *
 * - step (mandatory): step the model is at
 * - val_loss (mandatory): loss on the held-out data [nats]
 * - tokens: tokens evaluated [tokens]
 * - duration_s: time the validation took [s]
 */
typedef struct m31r_train_validation_fields {
    m31r_integer step;
    m31r_number val_loss;
    m31r_integer tokens;
    m31r_number duration_s;
} m31r_train_validation_fields;
#define m31r_train_validation(...) \
    M31R_STAGE_CALL(M31R_CALL_TRAIN_VALIDATION, m31r_train_validation_fields, __VA_ARGS__)

/* A checkpoint is on disk; the call registers it with its SHA-256: record `checkpoint_written`,
 * INFO, module trainer.
 *
 * - step (mandatory): step the checkpoint holds
 * - path (mandatory): file of the checkpoint, written and closed
 * - duration_s: time writing it took [s]
 */
typedef struct m31r_train_checkpoint_fields {
    m31r_integer step;
    m31r_string path;
    m31r_number duration_s;
} m31r_train_checkpoint_fields;
#define m31r_train_checkpoint(...) \
    M31R_STAGE_CALL(M31R_CALL_TRAIN_CHECKPOINT, m31r_train_checkpoint_fields, __VA_ARGS__)

/* Training goes on from a checkpoint; the call registers it as an input: record `resumed`,
 * INFO, module trainer.
 *
 * - path (mandatory): file of the checkpoint
 * - step (mandatory): step the checkpoint holds
 * - tokens_total: tokens trained on until then [tokens]
 * - data_position: place in the order of the data
 */
typedef struct m31r_train_resume_fields {
    m31r_string path;
    m31r_integer step;
    m31r_integer tokens_total;
    m31r_integer data_position;
} m31r_train_resume_fields;
#define m31r_train_resume(...) \
    M31R_STAGE_CALL(M31R_CALL_TRAIN_RESUME, m31r_train_resume_fields, __VA_ARGS__)

/* Training is over: record `train_complete`, INFO, module trainer.
 *
 * - step (mandatory): last step
 * - tokens_total: tokens trained on since step 0 [tokens]
 * - duration_s (filled): time training took [s]; filled with the time since the run was opened in
 *   this process
 * - peak_memory_mb (filled): highest resident memory of the process so far [MiB]; filled from the
 *   operating system
 */
typedef struct m31r_train_summary_fields {
    m31r_integer step;
    m31r_integer tokens_total;
    m31r_number duration_s;
    m31r_number peak_memory_mb;
} m31r_train_summary_fields;
#define m31r_train_summary(...) \
    M31R_STAGE_CALL(M31R_CALL_TRAIN_SUMMARY, m31r_train_summary_fields, __VA_ARGS__)

/* A file went into the dataset: record `file_kept`, DEBUG, module data.
 *
 * - path (mandatory): the file
 * - bytes (mandatory): its size [bytes]
 */
typedef struct m31r_data_kept_fields {
    m31r_string path;
    m31r_integer bytes;
} m31r_data_kept_fields;
#define m31r_data_kept(...) \
    M31R_STAGE_CALL(M31R_CALL_DATA_KEPT, m31r_data_kept_fields, __VA_ARGS__)

/* A filter turned a file away: record `file_rejected`, DEBUG, module data.
 *
 * - path (mandatory): the file
 * - reason (mandatory): which filter, a word such as too_large
 * - bytes: its size [bytes]
 */
typedef struct m31r_data_rejected_fields {
    m31r_string path;
    m31r_string reason;
    m31r_integer bytes;
} m31r_data_rejected_fields;
#define m31r_data_rejected(...) \
    M31R_STAGE_CALL(M31R_CALL_DATA_REJECTED, m31r_data_rejected_fields, __VA_ARGS__)

/* A file has the content of another one, exactly or nearly: record `file_duplicate`, DEBUG,
 * module data.
 *
 * - path (mandatory): the file
 * - duplicate_of (mandatory): the file that was kept
 * - similarity: 1 for equal bytes, else the estimated share of common shingles [1] 0 to 1
 * - bytes: its size [bytes]
 */
typedef struct m31r_data_duplicate_fields {
    m31r_string path;
    m31r_string duplicate_of;
    m31r_number similarity;
    m31r_integer bytes;
} m31r_data_duplicate_fields;
#define m31r_data_duplicate(...) \
    M31R_STAGE_CALL(M31R_CALL_DATA_DUPLICATE, m31r_data_duplicate_fields, __VA_ARGS__)

/* A shard is on disk; the call registers it with its SHA-256: record `shard_written`, INFO,
 * module data.
 *
 * - path (mandatory): file of the shard, written and closed
 * - split: such as train or validation
 * - documents (mandatory): files in it
 * - tokens: tokens in it, when it is tokenized [tokens]
 * - bytes (filled): its size [bytes]; filled from the file
 * - sha256 (filled): its digest; filled from the file
 */
typedef struct m31r_data_shard_fields {
    m31r_string path;
    m31r_string split;
    m31r_integer documents;
    m31r_integer tokens;
    m31r_integer bytes;
    m31r_string sha256;
} m31r_data_shard_fields;
#define m31r_data_shard(...) \
    M31R_STAGE_CALL(M31R_CALL_DATA_SHARD, m31r_data_shard_fields, __VA_ARGS__)

/* The dataset is made: record `data_complete`, INFO, module data.
 *
 * - files_processed (mandatory): files looked at; filled by counting the calls
 * - files_kept (mandatory): files in the dataset; filled by counting the calls
 * - files_rejected (mandatory): files turned away by filters; filled by counting the calls
 * - files_duplicate (mandatory): files left out as duplicates; filled by counting the calls
 * - shards (mandatory): shards written; filled by counting the calls
 * - bytes_kept (filled): bytes of the files in the dataset [bytes]; filled by adding the calls up
 * - duration_s (filled): time it took [s]; filled with the time since the run was opened in this
 *   process
 * - memory_mb (filled): resident memory of the process [MiB]; filled from the operating system,
 *   at most 20 ms old
 */
typedef struct m31r_data_summary_fields {
    m31r_integer files_processed;
    m31r_integer files_kept;
    m31r_integer files_rejected;
    m31r_integer files_duplicate;
    m31r_integer shards;
    m31r_integer bytes_kept;
    m31r_number duration_s;
    m31r_number memory_mb;
} m31r_data_summary_fields;
#define m31r_data_summary(...) \
    M31R_STAGE_CALL(M31R_CALL_DATA_SUMMARY, m31r_data_summary_fields, __VA_ARGS__)

/* The vocabulary grows: record `vocab_progress`, INFO, module tokenizer.
 *
 * - merges (mandatory): merges learned so far
 * - vocab_size (mandatory): tokens in the vocabulary so far [tokens]
 * - pair_count: how often the newest pair stands in the text
 * - duration_s (filled): time so far [s]; filled with the time since the run was opened in this
 *   process
 * - memory_mb (filled): resident memory of the process [MiB]; filled from the operating system,
 *   at most 20 ms old
 */
typedef struct m31r_tokenizer_progress_fields {
    m31r_integer merges;
    m31r_integer vocab_size;
    m31r_integer pair_count;
    m31r_number duration_s;
    m31r_number memory_mb;
} m31r_tokenizer_progress_fields;
#define m31r_tokenizer_progress(...) \
    M31R_STAGE_CALL(M31R_CALL_TOKENIZER_PROGRESS, m31r_tokenizer_progress_fields, __VA_ARGS__)

/* The tokenizer is trained and measured: record `tokenizer_complete`, INFO, module tokenizer.
 *
 * - vocab_size (mandatory): tokens in the vocabulary [tokens]
 * - coverage (mandatory): share of the text's bytes that known tokens stand for [1] 0 to 1
 * - fragmentation (mandatory): tokens per word (fertility) [tokens/word]
 * - split_words: share of words that more than one token stands for [1] 0 to 1
 * - tokens_per_line: tokens per line of text [tokens/line]
 * - bytes_per_token: bytes of text per token (compression) [bytes/token]
 * - merges: merges learned
 * - duration_s (filled): time training took [s]; filled with the time since the run was opened in
 *   this process
 * - memory_mb (filled): resident memory of the process [MiB]; filled from the operating system,
 *   at most 20 ms old
 */
typedef struct m31r_tokenizer_summary_fields {
    m31r_integer vocab_size;
    m31r_number coverage;
    m31r_number fragmentation;
    m31r_number split_words;
    m31r_number tokens_per_line;
    m31r_number bytes_per_token;
    m31r_integer merges;
    m31r_number duration_s;
    m31r_number memory_mb;
} m31r_tokenizer_summary_fields;
#define m31r_tokenizer_summary(...) \
    M31R_STAGE_CALL(M31R_CALL_TOKENIZER_SUMMARY, m31r_tokenizer_summary_fields, __VA_ARGS__)

/* One benchmark task, all its samples: record `task_complete`, INFO, module eval.
 *
 * - number (filled): place of the task; filled by counting the calls, from 1
 * - task (mandatory): name of the task
 * - category (mandatory): its category
 * - samples (mandatory): programs generated for it
 * - compiled (mandatory): samples that compiled
 * - passed (mandatory): samples that passed every test
 * - latency_ms (mandatory): time to generate one sample, the mean over the samples [ms]
 * - memory_mb (filled): resident memory of the process [MiB]; filled from the operating system,
 *   at most 20 ms old
 * - timeouts: samples that ran past a limit
 */
typedef struct m31r_eval_task_fields {
    m31r_integer number;
    m31r_string task;
    m31r_string category;
    m31r_integer samples;
    m31r_integer compiled;
    m31r_integer passed;
    m31r_number latency_ms;
    m31r_number memory_mb;
    m31r_integer timeouts;
} m31r_eval_task_fields;
#define m31r_eval_task(...) \
    M31R_STAGE_CALL(M31R_CALL_EVAL_TASK, m31r_eval_task_fields, __VA_ARGS__)

/* The evaluation is over: record `eval_complete`, INFO, module eval.
 *
 * - tasks (mandatory): tasks evaluated; filled by counting the calls
 * - samples (mandatory): samples of all tasks; filled by adding the calls up
 * - compile_rate (mandatory): share of the samples that compiled [1] 0 to 1; filled from the
 *   calls eval_task
 * - pass_at_1 (mandatory): mean over the tasks of pass@1 [1] 0 to 1; filled from the calls
 *   eval_task
 * - k (mandatory): the k of pass_at_k; filled with the least number of samples that a task had
 * - pass_at_k (mandatory): mean over the tasks of the unbiased estimate of pass@k [1] 0 to 1;
 *   filled from the calls eval_task
 * - latency_p50_ms (filled): latency that 50 % of them do not exceed, within 1 % [ms]; filled
 *   from a sketch of the calls
 * - latency_p90_ms (filled): latency that 90 % of them do not exceed, within 1 % [ms]; filled
 *   from a sketch of the calls
 * - latency_p99_ms (filled): latency that 99 % of them do not exceed, within 1 % [ms]; filled
 *   from a sketch of the calls
 * - memory_mb (filled): resident memory of the process [MiB]; filled from the operating system,
 *   at most 20 ms old
 * - duration_s (filled): time it took [s]; filled with the time since the run was opened in this
 *   process
 */
typedef struct m31r_eval_summary_fields {
    m31r_integer tasks;
    m31r_integer samples;
    m31r_number compile_rate;
    m31r_number pass_at_1;
    m31r_integer k;
    m31r_number pass_at_k;
    m31r_number latency_p50_ms;
    m31r_number latency_p90_ms;
    m31r_number latency_p99_ms;
    m31r_number memory_mb;
    m31r_number duration_s;
} m31r_eval_summary_fields;
#define m31r_eval_summary(...) \
    M31R_STAGE_CALL(M31R_CALL_EVAL_SUMMARY, m31r_eval_summary_fields, __VA_ARGS__)

/* One request, answered or failed: record `request_complete`, INFO, module server.
 *
 * - request (filled): number of the request; filled by counting the calls, from 1, in the order
 *   in which they end
 * - status (mandatory): HTTP status of the answer; 400 and above is an error 100 to 599
 * - latency_ms (mandatory): from the request's first byte to the answer's last [ms]
 * - first_token_ms: from the request's first byte to the first token [ms]
 * - tokens_prompt: tokens of the prompt [tokens]
 * - tokens_generated (mandatory): tokens generated [tokens]
 * - queue_depth: requests waiting when it came
 * - memory_mb (filled): resident memory of the process [MiB]; filled from the operating system,
 *   at most 20 ms old
 * - error: what went wrong, a word such as timeout or disconnected
 */
typedef struct m31r_serve_request_fields {
    m31r_integer request;
    m31r_integer status;
    m31r_number latency_ms;
    m31r_number first_token_ms;
    m31r_integer tokens_prompt;
    m31r_integer tokens_generated;
    m31r_integer queue_depth;
    m31r_number memory_mb;
    m31r_string error;
} m31r_serve_request_fields;
#define m31r_serve_request(...) \
    M31R_STAGE_CALL(M31R_CALL_SERVE_REQUEST, m31r_serve_request_fields, __VA_ARGS__)

/* Serving is over: record `serving_complete`, INFO, module server.
 *
 * - requests (mandatory): requests answered or failed; filled by counting the calls
 * - errors (mandatory): requests with a status of 400 and above, or an error; filled by counting
 *   the calls
 * - tokens_generated (mandatory): tokens generated for all of them [tokens]; filled by adding the
 *   calls up
 * - latency_p50_ms (filled): latency that 50 % of them do not exceed, within 1 % [ms]; filled
 *   from a sketch of the calls
 * - latency_p90_ms (filled): latency that 90 % of them do not exceed, within 1 % [ms]; filled
 *   from a sketch of the calls
 * - latency_p99_ms (filled): latency that 99 % of them do not exceed, within 1 % [ms]; filled
 *   from a sketch of the calls
 * - latency_p999_ms (filled): latency that 99.9 % of them do not exceed, within 1 % [ms]; filled
 *   from a sketch of the calls
 * - first_token_p50_ms (filled): time to the first token that half of them do not exceed, within
 *   1 % [ms]; filled from a sketch of the calls
 * - memory_mb (mandatory): resident memory of the process [MiB]; filled from the operating
 *   system, at most 20 ms old
 * - peak_memory_mb (filled): highest resident memory of the process so far [MiB]; filled from the
 *   operating system
 * - duration_s (filled): time it took [s]; filled with the time since the run was opened in this
 *   process
 */
typedef struct m31r_serve_summary_fields {
    m31r_integer requests;
    m31r_integer errors;
    m31r_integer tokens_generated;
    m31r_number latency_p50_ms;
    m31r_number latency_p90_ms;
    m31r_number latency_p99_ms;
    m31r_number latency_p999_ms;
    m31r_number first_token_p50_ms;
    m31r_number memory_mb;
    m31r_number peak_memory_mb;
    m31r_number duration_s;
} m31r_serve_summary_fields;
#define m31r_serve_summary(...) \
    M31R_STAGE_CALL(M31R_CALL_SERVE_SUMMARY, m31r_serve_summary_fields, __VA_ARGS__)
/* clang-format on */

#endif
