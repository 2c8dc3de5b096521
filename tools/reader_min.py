#!/usr/bin/env python3
"""Reads a run directory from docs/FORMAT.md alone: an oracle for tests, and a model for readers.

usage: tools/reader_min.py [--dump | --seal] RUN_DIRECTORY

Prints one line for each lane file and metrics file, by name: `FILE RECORDS BAD TORN`, where RECORDS
are records or points, BAD the complete lines that are none, TORN the bytes behind the last newline.
Then `metadata.json STATE` and `metrics.json STATE` with STATE `ok`, `bad` or `missing`.
--dump: instead, each record as `record FILE JSON`, each point as `point FILE JSON`, each bad line
as `bad FILE CLASS` (`point` for a bad line of points), and the documents as `document FILE JSON`.
--seal: instead, computes the seal of an ended run anew (section 9) and prints `sealed ROOT SEAL`;
the exit status is 1, and a line says where, when something is not what was sealed.

The standard library only; nothing of the project is imported.
"""
import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import zlib

DEPTH = 128
NAME = r"[a-z0-9_][a-z0-9_-]{0,31}"
LANE = rf"{NAME}(?:\.{NAME})?(?:\.rank[0-9]{{4,}})?"
LANE_FILE = re.compile(rf"({LANE})\.log")
SEGMENT_FILE = re.compile(rf"({LANE})\.([0-9]{{6,}})\.[0-9]{{8}}T[0-9]{{6}}Z\.log(\.zst)?")
POINT_FILE = re.compile(r"metrics(\.rank[0-9]{4,})?\.csv")
TS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
HEADER = "name,step,value,ts,segment"



def text_is_too_deep(text):
    """Counts brackets outside strings; enough, since what is no JSON is judged afterwards."""
    depth = 0
    in_string = False
    i = 0
    while i < len(text):
        c = text[i]
        if in_string:
            if c == "\\":
                i += 1
            elif c == '"':
                in_string = False
        elif c == '"':
            in_string = True
        elif c in "[{":
            depth += 1
            if depth > DEPTH:
                return True
        elif c in "]}":
            depth -= 1
        i += 1
    return False


def whole_number(text):
    return int(text) if len(text) < 4000 else float(text)


def no_constant(text):
    raise ValueError(text)


def parse(text):
    """The value of a JSON text and whether an object in it holds a key twice."""
    doubled = []

    def object_of(pairs):
        d = dict(pairs)
        if len(d) != len(pairs):
            doubled.append(True)
        return d

    value = json.loads(text, object_pairs_hook=object_of, parse_int=whole_number,
                       parse_constant=no_constant)
    return value, bool(doubled)


def has_lone_surrogate(value):
    if isinstance(value, str):
        return any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, dict):
        return any(has_lone_surrogate(k) or has_lone_surrogate(v) for k, v in value.items())
    if isinstance(value, list):
        return any(has_lone_surrogate(v) for v in value)
    return False


def read_record(line):
    """Class of a line (section 4) and, for `ok`, its object."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return "invalid_utf8", None
    if text.strip(" \t\r") == "":
        return "empty", None
    if text_is_too_deep(text):
        return "too_deep", None
    try:
        value, doubled = parse(text)
    except ValueError:
        return "not_json", None
    if not isinstance(value, dict):
        return "not_object", None
    if doubled:
        return "dup_key", None
    if has_lone_surrogate(value):
        return "lone_surrogate", None
    return "ok", value


def name_is_good(name):
    return 1 <= len(name.encode()) <= 128 and not re.search("[\x00-\x1f\x7f-\x9f]", name)


def read_point(line):
    """A point as a dict, or None (section 5)."""
    try:
        text = line.decode("utf-8")
        fields = next(csv.reader([text], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return None
    if len(fields) != 5 or "\r" in text or not name_is_good(fields[0]):
        return None
    name, step, value, ts, segment = fields
    if not re.fullmatch(r"(-?(0|[1-9][0-9]*))?", step):
        return None
    if not re.fullmatch("0|[1-9][0-9]*", segment):
        return None
    special = value in ("NaN", "Infinity", "-Infinity")
    if not (special or NUMBER.fullmatch(value)) or not TS.fullmatch(ts):
        return None
    return {"name": name, "step": int(step) if step else None,
            "value": value if special else float(value), "ts": ts, "segment": int(segment)}


def content(path):
    if path.endswith(".zst"):
        unpack = ["zstd", "-q", "-dc", path]
        return subprocess.run(unpack, stdout=subprocess.PIPE, check=True).stdout
    with open(path, "rb") as f:
        return f.read()


def split(path):
    """Complete lines without their newline, and the bytes behind the last one."""
    lines = content(path).split(b"\n")
    return lines[:-1], lines[-1]


def lanes_of(folder):
    """The files of each lane in order: its segments, then its file (section 12)."""
    lanes = {}
    for name in sorted(os.listdir(folder)):
        segment = SEGMENT_FILE.fullmatch(name)
        whole = LANE_FILE.fullmatch(name)
        if segment and not (segment[3] and os.path.exists(os.path.join(folder, name[:-4]))):
            lanes.setdefault(segment[1] + ".log", []).append((int(segment[2]), name))
        elif whole:
            lanes.setdefault(name, []).append((float("inf"), name))
    return {lane: [name for _, name in sorted(files)] for lane, files in lanes.items()}


def canonical(value):
    return json.dumps(value, sort_keys=False)


def read_lane(folder, name, files, dump):
    lines, tail = [], b""
    for file in files:
        more, tail = split(os.path.join(folder, file))
        lines += more
        if tail and file != files[-1]:
            lines.append(tail)
    n_good = 0
    for line in lines:
        kind, value = read_record(line)
        n_good += kind == "ok"
        if dump:
            print("record", name, canonical(value)) if kind == "ok" else print("bad", name, kind)
    if not dump:
        print(name, n_good, len(lines) - n_good, len(tail))


def read_points(path, name, dump):
    lines, tail = split(path)
    n_good = n_bad = 0
    for i, line in enumerate(lines):
        if i == 0 and line == HEADER.encode():
            continue
        point = read_point(line)
        n_good += point is not None
        n_bad += point is None
        if dump:
            print("bad", name, "point") if point is None else print("point", name, canonical(point))
    if not dump:
        print(name, n_good, n_bad, len(tail))


def read_document(path, name, dump):
    state = "missing"
    if os.path.exists(path):
        with open(path, "rb") as f:
            text = f.read().replace(b"\n", b" ")
        kind, value = read_record(text)
        state = "ok" if kind == "ok" else "bad"
        if dump and state == "ok":
            print("document", name, canonical(value))
    if not dump:
        print(name, state)


class NotSealed(Exception):
    """Something is not what the seal says, or the seal is not one."""


def check(holds, *what):
    if not holds:
        raise NotSealed(" ".join(str(w) for w in what))


def sha(data):
    return hashlib.sha256(data).digest()


def tree(leaves):
    """The root of RFC 6962, section 2.1, by its recursive definition; of digests of leaves."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1" + tree(leaves[:k]) + tree(leaves[k:]))


def blocks(data):
    out = []
    while data:
        newline = data.find(b"\n", 65536)
        end = len(data) if newline < 0 else newline + 1
        out.append(data[:end])
        data = data[end:]
    return out


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def checks_of(block):
    lines = block.split(b"\n")
    lines = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    crcs = [zlib.crc32(line) for line in lines]
    return "".join(ALPHABET[c >> 6 & 63] + ALPHABET[c & 63] for c in crcs)


def listed_blocks(folder):
    """blocks.jsonl, by file, part and block (section 15)."""
    with open(os.path.join(folder, "blocks.jsonl"), "rb") as f:
        lines = f.read().split(b"\n")
    check(lines[-1] == b"", "blocks.jsonl ends in a torn line")
    found = {}
    for line in lines[:-1]:
        b = json.loads(line)
        check((b["file"], b["part"], b["block"]) not in found, "a block is listed twice:", line)
        found[b["file"], b["part"], b["block"]] = b
    return found


def part_of(folder, name):
    segment = SEGMENT_FILE.fullmatch(name)
    if segment:
        return segment[1] + ".log", int(segment[2])
    others = [SEGMENT_FILE.fullmatch(n) for n in os.listdir(folder)]
    return name, 1 + max([int(o[2]) for o in others if o and o[1] + ".log" == name], default=0)


def redactions_of(folder, run_id):
    """redactions.jsonl (section 16): the last redaction of each block, by file, part and block."""
    path = os.path.join(folder, "redactions.jsonl")
    if not os.path.exists(path):
        return {}
    with open(path, "rb") as f:
        lines = f.read().split(b"\n")[:-1]
    found, leaves, last = {}, [], None
    for line in lines:
        entry = last = json.loads(line)
        if "redacts" in entry:
            leaves.append(sha(b"\0" + line))
            found[entry["redacts"], entry["part"], entry["block"]] = entry
            if "packed" in entry:
                found[entry["redacts"], entry["part"]] = entry["packed"]
        else:
            check_seal(entry)
            check(entry["run_id"] == "redactions:" + run_id and entry["files"] == len(leaves) and
                  entry["root"] == tree(leaves).hex(), "the seal of the redactions")
    check(last is not None and "redacts" not in last, "redactions that are not sealed")
    return found


def check_tree(folder, f, plain, listed, redacted):
    expected = blocks(plain)
    offset, (file, part) = 0, part_of(folder, f["path"])
    is_whole, leaves = True, []
    for i, block in enumerate(expected):
        b, r = listed.pop((file, part, i), None), redacted.get((file, part, i))
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        leaf, checks = sha(b"\0" + block).hex(), checks_of(block)
        if r and leaf == r["now"]:
            leaf, checks, is_whole = r["leaf"], b and b["checks"], False
        check(b == {"file": file, "part": part, "block": i, "offset": offset, "bytes": len(block),
                    "lines": lines, "leaf": leaf, "checks": checks},
              "block", i, "of", f["path"])
        leaves.append(bytes.fromhex(leaf))
        offset += len(block)
    check(tree(leaves).hex() == f["merkle"] and len(leaves) == f["blocks"], "tree of", f["path"])
    return is_whole


def name_of(f, key):
    return bytes.fromhex(f[key + "_hex"]) if key + "_hex" in f else f[key].encode()


def check_file(folder, f, listed, redacted):
    path = os.path.join(folder, os.fsdecode(name_of(f, "path")))
    if "target" in f:
        data = os.fsencode(os.readlink(path))
        check(data == name_of(f, "target"), "target of", f["path"])
    else:
        with open(path, "rb") as stream:
            data = stream.read()
    is_whole = sha(data).hex() == f["sha256"]
    if not is_whole and f["path"].endswith(".zst"):
        is_new = redacted.get(part_of(folder, f["path"])) == sha(data).hex()
        check(is_new and "merkle" in f, f["path"])
    else:
        check(len(data) == f["bytes"] and (is_whole or "merkle" in f), f["path"])
    check("changed_while_live" not in f, f["path"], "was changed while the run was live")
    has_lines = "/" not in f["path"] and re.fullmatch(r".*\.log(\.zst)?|metrics\..*csv", f["path"])
    if not has_lines or "target" in f:
        check("merkle" not in f, f["path"], "has no tree")
    elif "merkle" in f or not f["path"].endswith(".zst"):
        check(check_tree(folder, f, content(path), listed, redacted) == is_whole, f["path"])
    else:
        unpack = subprocess.run(["zstd", "-q", "-dc", path], capture_output=True)
        check(unpack.returncode != 0, f["path"], "has no tree, and reads")


def check_seal(seal):
    text = "m31r-seal-v1\n%s\n%s %d\n%s\n%s %s\n%s\n" % (
        seal["run_id"], seal["root"], seal["files"], seal["made"], seal["previous"] or "-",
        seal["previous_seal"] or "-", seal["key"] or "-")
    check(sha(text.encode()).hex() == seal["seal"], "the seal's own digest")


def check_chain(folder, text):
    """The seal stands in the chain beside the runs, when there is one that knows the run."""
    path = os.path.join(os.path.realpath(folder), "..", ".seals.jsonl")
    if not os.path.exists(path):
        return
    with open(path, "rb") as f:
        lines = f.read().split(b"\n")[:-1]
    seals = {line: json.loads(line) for line in lines}
    own = [s for s in seals.values() if s["run_id"] == text["run_id"]]
    check(not own or text in own, "the chain has another seal of this run")
    previous = [s for s in seals.values() if s["run_id"] == text["previous"]]
    check(not previous or text["previous_seal"] in [s["seal"] for s in previous], "predecessor")
    for s in seals.values():
        check_seal(s)


def files_there(folder):
    there = []
    for at, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not (at == folder and f.startswith(".live"))]
        links = [f for f in folders if os.path.islink(os.path.join(at, f))]
        for name in names + links:
            path = os.path.join(at, name)
            if os.path.islink(path) or os.path.isfile(path):
                there.append(os.path.relpath(path, folder))
    return [p for p in there if p not in ("manifest.json", "notes.jsonl", "redactions.jsonl")]


def read_seal(folder):
    with open(os.path.join(folder, "manifest.json"), "rb") as f:
        text = f.read()
    manifest = json.loads(text)
    lines = text.split(b"\n")
    check(lines[-1] == b"" and len(lines) == len(manifest["files"]) + 3, "form of manifest.json")
    lines = [line[:-1] if line.endswith(b",") else line for line in lines[1:-2]]
    check([json.loads(line) for line in lines] == manifest["files"], "lines of manifest.json")
    root, seal = tree([sha(b"\0" + line) for line in lines]).hex(), manifest["seal"]
    check(root == manifest["root"] == seal["root"] and seal["files"] == len(lines), "root")
    check((seal["run_id"], seal["made"]) == (manifest["run_id"], manifest["made"]), "names")
    listed, redacted = listed_blocks(folder), redactions_of(folder, manifest["run_id"])
    paths = [name_of(f, "path") for f in manifest["files"]]
    check(paths == sorted(os.fsencode(p) for p in files_there(folder)), "the list of files")
    for f in manifest["files"]:
        check_file(folder, f, listed, redacted)
    check(not listed, "blocks.jsonl has blocks of no file")
    check_seal(seal)
    check_chain(folder, seal)
    print("sealed", root, seal["seal"])


def main(arguments):
    dump, only_seal = "--dump" in arguments, "--seal" in arguments
    rest = [a for a in arguments if a not in ("--dump", "--seal")]
    if len(rest) != 1 or not os.path.isdir(rest[0]):
        print("usage: reader_min.py [--dump | --seal] RUN_DIRECTORY", file=sys.stderr)
        return 1
    if only_seal:
        try:
            read_seal(rest[0])
        except (NotSealed, OSError, ValueError, KeyError) as fault:
            print("not sealed:", fault)
            return 1
        return 0
    lanes = lanes_of(rest[0])
    for name in sorted(list(lanes) + [n for n in os.listdir(rest[0]) if POINT_FILE.fullmatch(n)]):
        path = os.path.join(rest[0], name)
        if name in lanes:
            read_lane(rest[0], name, lanes[name], dump)
        else:
            read_points(path, name, dump)
    for name in ("metadata.json", "metrics.json"):
        read_document(os.path.join(rest[0], name), name, dump)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
