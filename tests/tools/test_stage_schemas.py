#!/usr/bin/env python3
"""`m31r verify` and the schemas of the stages agree on runs that another language wrote.

usage: tests/tools/test_stage_schemas.py M31R_COMMAND [--all]
A valid run of each stage is written by foreign_run.py, without the library. Then every field of
every message is left out, given another type, or put outside its limits, one at a time; each time
an evaluation of the JSON Schema made here (allOf, if, then, $ref, required, type, limits) and
`m31r verify` must say the same, and verify must name file, line, message and field. Rules between
records are broken one by one as well. Without --all odd values are tried on one field a type only.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import foreign_run  # noqa: E402
from test_schemas import has_type, load  # noqa: E402

MB = {"memory_mb": 9.5}
LATENCY = {"latency_p50_ms": 1.0, "latency_p90_ms": 2.0, "latency_p99_ms": 3.0}
VALID = {
    "train": [
        {"msg": "resumed", "path": "a.bin", "step": 0, "tokens_total": 0, "data_position": 0},
        {"msg": "step_complete", "step": 1, "loss": 2.5, "lr": 0.1, "grad_norm": "NaN",
         "tokens": 64, "tokens_per_sec": 10.0, "duration_s": 1.0, "tokens_total": 64, "epoch": 0,
         "data_position": 1, "gpu_memory_mb": 99.5, **MB},
        {"msg": "validation_complete", "step": 1, "val_loss": 3, "tokens": 5, "duration_s": 0.5},
        {"msg": "checkpoint_saved", "step": 1, "path": "b.bin", "bytes": 7, "sha256": "ab"},
        {"msg": "checkpoint_written", "step": 1, "path": "b.bin", "duration_s": 0.5},
        {"msg": "train_complete", "step": 1, "tokens_total": 64, "duration_s": 2.0,
         "peak_memory_mb": 10.0}],
    "data": [
        {"msg": "file_kept", "level": "DEBUG", "path": "a.rs", "bytes": 3},
        {"msg": "file_rejected", "level": "DEBUG", "path": "b.rs", "reason": "big", "bytes": 9},
        {"msg": "file_duplicate", "level": "DEBUG", "path": "c.rs", "duplicate_of": "a.rs",
         "similarity": 1.0, "bytes": 3},
        {"msg": "shard_written", "path": "s.bin", "split": "train", "documents": 1, "tokens": 2,
         "bytes": 3, "sha256": "ab"},
        {"msg": "reject_reason", "reason": "big", "files": 1},
        {"msg": "data_complete", "files_processed": 3, "files_kept": 1, "files_rejected": 1,
         "files_duplicate": 1, "shards": 1, "bytes_kept": 3, "duration_s": 1.0, **MB}],
    "tokenizer": [
        {"msg": "vocab_progress", "merges": 1, "vocab_size": 257, "pair_count": 9,
         "duration_s": 1.0, **MB},
        {"msg": "tokenizer_complete", "vocab_size": 258, "coverage": 1.0, "fragmentation": 1.5,
         "split_words": 0.5, "tokens_per_line": 8.0, "bytes_per_token": 3.5, "merges": 2,
         "duration_s": 2.0, **MB}],
    "eval": [
        {"msg": "task_complete", "number": 1, "task": "t", "category": "fim", "samples": 2,
         "compiled": 1, "passed": 1, "latency_ms": 1.5, "timeouts": 0, **MB},
        {"msg": "category_score", "category": "fim", "tasks": 1, "samples": 2, "compile_rate": 0.5,
         "pass_at_1": 0.5, "k": 2, "pass_at_k": 1.0},
        {"msg": "eval_complete", "tasks": 1, "samples": 2, "compile_rate": 0.5, "pass_at_1": 0.5,
         "k": 2, "pass_at_k": 1.0, "duration_s": 1.0, **LATENCY, **MB}],
    "serve": [
        {"msg": "request_complete", "request": 1, "status": 200, "latency_ms": 1.5,
         "first_token_ms": 0.5, "tokens_prompt": 3, "tokens_generated": 4, "queue_depth": 0,
         "error": "timeout", **MB},
        {"msg": "serving_complete", "requests": 1, "errors": 1, "tokens_generated": 4, **LATENCY,
         "latency_p999_ms": 4.0, "first_token_p50_ms": 0.5, "peak_memory_mb": 10.0,
         "duration_s": 1.0, **MB}],
}
# Each breaks one rule between fields or records: (stage, message, changes, what must be named)
BROKEN_RULES = [
    ("data", "data_complete", {"files_processed": 4}, "files_processed = files_kept"),
    ("data", "reject_reason", {"files": 2}, "files_rejected = sum(reject_reason.files)"),
    ("data", "data_complete", {"shards": 2}, "shards = count(shard_written)"),
    ("eval", "task_complete", {"passed": 2}, "passed <= compiled"),
    ("eval", "task_complete", {"samples": 3}, "samples = sum(task_complete.samples)"),
    ("eval", "eval_complete", {"tasks": 2}, "tasks = count(task_complete)"),
    ("eval", "category_score", {"pass_at_k": 0.25}, "pass_at_1 <= pass_at_k"),
    ("eval", "eval_complete", {"latency_p50_ms": 9.0}, "latency_p50_ms <= latency_p90_ms"),
    ("serve", "serving_complete", {"requests": 2}, "requests = count(request_complete)"),
    ("serve", "serving_complete", {"errors": 2}, "errors <= requests"),
    ("serve", "request_complete", {"tokens_generated": 5}, "tokens_generated = sum("),
]


def fits(schema, value, root):
    """JSON Schema as far as these use it, evaluated apart from m31r's own tables."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        if not fits(root["$defs"][name], value, root):
            return False
    types = schema.get("type")
    if types == "integer" and isinstance(value, float) and value.is_integer():
        types = "number"  # 2020-12: 3.0 is an integer
    if types and not has_type(value, types):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(fits(s, value, root) for s in schema["anyOf"]):
        return False
    if has_type(value, "number"):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            return False
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return False
    if isinstance(value, dict):
        if any(key not in value for key in schema.get("required", [])):
            return False
        for key, sub in schema.get("properties", {}).items():
            if key in value and not fits(sub, value[key], root):
                return False
    for part in schema.get("allOf", []):
        if fits(part["if"], value, root) and not fits(part["then"], value, root):
            return False
    return True


def mutants(schema, records, is_all):
    """(records, place, field) with one field of one record changed."""
    tried = set()
    for place, record in enumerate(records):
        for key, sub in schema["$defs"][record["msg"]]["properties"].items():
            kind = sub.get("type", "real")
            values = [3 if kind == "string" else "text"]
            if is_all or kind not in tried:
                values += ["", True, None, [1], 2.5, -1, 3.0, "Infinity"]
            tried.add(kind)
            values += [sub[limit] + step for limit, step in (("minimum", -1), ("maximum", 1))
                       if limit in sub]
            changed = [dict(record, **{key: value}) for value in values]
            changed.append({k: v for k, v in record.items() if k != key})
            for new in changed:
                if new != record:
                    yield records[:place] + [new] + records[place + 1:], place, key


def points_of(schema):
    return [(names[0], 1.0) for names in schema["x-metrics"].values()]


def verify(command, folder, stage, records, points):
    with tempfile.TemporaryDirectory(dir=folder) as root:
        place = foreign_run.write_run(root, stage, records, points)
        run = subprocess.run([command, "verify", place, "--json"], capture_output=True, text=True,
                             timeout=60)
    return run.returncode, json.loads(run.stdout)


def fault_of(verdict, shows):
    """The first check of the stage that does not hold."""
    for check in verdict["checks"]:
        if check["id"] == shows and check["holds"] is False:
            return check
    return None


def judge_mutant(command, folder, stage, schema, mutant):
    records, place, key = mutant
    record = {k: v for k, v in records[place].items()}
    is_fine = fits(schema, record, schema)
    status, verdict = verify(command, folder, stage, records, points_of(schema))
    fault = fault_of(verdict, schema["x-shows"])
    what = f"{stage}: {record['msg']}.{key} = {record.get(key, 'absent')!r}"
    if is_fine:
        # What the schema allows may still break a rule between fields, which is not its business.
        is_rule = fault is not None and "does not hold" in fault["why"]
        return None if fault is None or is_rule else f"{what}: refused: {fault['why']}"
    if fault is None or status != 4:
        return f"{what}: not refused, exit {status}"
    is_named = key in fault["why"] and record["msg"] in fault["why"]
    is_placed = fault["path"] == f"{stage}.log" and fault["line"] == place + 1
    return None if is_named and is_placed else f"{what}: named as {fault}"


def check_rule(command, folder, rule):
    stage, message, changes, words = rule
    schema = load(stage)
    records = [dict(r, **changes) if r["msg"] == message else r for r in VALID[stage]]
    status, verdict = verify(command, folder, stage, records, points_of(schema))
    fault = fault_of(verdict, schema["x-shows"])
    named = fault is not None and words in fault["why"] and fault["line"] is not None
    if status != 4 or verdict["verdict"] != "invalid" or not named:
        return f"{stage}: {changes}: exit {status}, {verdict['verdict']}, {fault}"
    return None


def check_whole(command, folder, stage):
    """The valid run holds; without its closing record it does not."""
    schema, records = load(stage), VALID[stage]
    if {r["msg"] for r in records} != set(schema["$defs"]) - {"real"}:
        return f"{stage}: not every message is tried"
    for record in records:
        missing = set(schema["$defs"][record["msg"]]["properties"]) - set(record)
        if missing or not fits(schema, record, schema):
            return f"{stage}: the example {record['msg']} is not valid or lacks {missing}"
    status, verdict = verify(command, folder, stage, records, points_of(schema))
    if status != 0 or verdict["verdict"] != "prefix":  # whole, and nobody has sealed it
        no = [c for c in verdict["checks"] if c["holds"] is False]
        return f"{stage}: exit {status}, {verdict['verdict']}: {no}"
    if schema["x-messages"]:
        rest = [r for r in records if r["msg"] not in schema["x-messages"]]
        status, verdict = verify(command, folder, stage, rest, points_of(schema))
        if status != 4 or fault_of(verdict, schema["x-shows"]) is None:
            return f"{stage}: without its closing record: exit {status}"
    return None


def main():
    command = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(check_whole, command, folder, stage) for stage in VALID]
        jobs += [pool.submit(check_rule, command, folder, rule) for rule in BROKEN_RULES]
        for stage, records in VALID.items():
            schema = load(stage)
            jobs += [pool.submit(judge_mutant, command, folder, stage, schema, mutant)
                     for mutant in mutants(schema, records, "--all" in sys.argv)]
        faults = [job.result() for job in jobs if job.result() is not None]
    for fault in faults[:20]:
        print(fault)
    print(f"{len(jobs)} runs judged, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
