"""A run written without the library, by the words of docs/FORMAT.md: what any language can do."""
import hashlib
import json
import os
import struct

TS = "2026-11-23T10:26:51.123456Z"


def number(value):
    """As FORMAT.md section 2 has it: Python's repr is that form."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def record_line(record):
    head = {"ts": TS, "level": record.pop("level", "INFO"), "module": record.pop("module", "main")}
    return json.dumps({**head, **record}, separators=(",", ":"), ensure_ascii=False) + "\n"


def summary(values, step):
    ordered, n = sorted(values), len(values)
    mean = sum(values) / n
    rank = lambda q: float(ordered[max(0, -(-int(q * 100) * n // 100) - 1)])  # noqa: E731
    std = (sum((v - mean) ** 2 for v in values) / (n - 1)) ** 0.5 if n > 1 else None
    return {"count": n, "nonfinite": 0, "superseded": 0, "segments": 1, "first": values[0],
            "first_step": step, "last": values[-1], "last_step": step, "min": ordered[0],
            "min_step": step, "max": ordered[-1], "max_step": step, "mean": mean, "std": std,
            "p50": rank(.5), "p90": rank(.9), "p99": rank(.99), "quantiles": "exact"}


def write_run(root, stage, records, points=(), schemas=True):
    """Makes root/RUN_ID from dicts of records and (name, value) pairs; gives its directory."""
    config = b"config_version: 1\n"
    digest = hashlib.sha256(stage.encode() + struct.pack(">I", len(records))).hexdigest()
    run_id = f"20261123T102651Z-{digest[:8]}"
    place = os.path.join(root, run_id)
    os.makedirs(os.path.join(place, "checkpoints"))
    metadata = {
        "format_version": 1, "run_id": run_id, "name": None, "stage": stage, "kind": "run",
        "timestamp": TS, "seed": 42, "config_path": "data.yaml",
        "config_sha256": hashlib.sha256(config).hexdigest(), "dataset_version": "rust@1",
        "tokenizer_version": "none", "git_commit": "none",
        "sources": {"seed": "declared", "config": "declared", "dataset": "declared",
                    "tokenizer": "none", "git_commit": "none"},
        "identity_sha256": digest, "command": {"argv": ["python3", "stage.py"], "cwd": "."},
        "code": {"dirty": False, "script": {"path": "stage.py", "sha256": digest}},
        "host": {"name": "here"}, "writer": {"pid": 1, "host": "here"}, "state": "finished",
        "end": TS, "exit_status": 0, "schemas": {stage: 1} if schemas else {}}
    csv = "name,step,value,ts,segment\n"
    csv += "".join(f"{name},,{number(float(value))},{TS},0\n" for name, value in points)
    by_name = {}
    for name, value in points:
        by_name.setdefault(name, []).append(float(value))
    metrics = {"format_version": 1, "run_id": run_id, "updated": TS, "points": len(points),
               "bad_lines": 0, "mandatory": {},
               "metrics": {name: summary(values, None) for name, values in by_name.items()}}
    files = {"config_snapshot.yaml": config.decode(), "metadata.json": json.dumps(metadata),
             "metrics.csv": csv, "metrics.json": json.dumps(metrics),
             f"{stage}.log": "".join(record_line(dict(r)) for r in records)}
    for name, text in files.items():
        with open(os.path.join(place, name), "w", encoding="utf-8") as file:
            file.write(text)
    return place
