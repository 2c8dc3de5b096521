#!/usr/bin/env python3
"""Computes a run's manifest anew from docs/FORMAT.md alone and compares. usage: manifest_check.py RUN"""
import hashlib
import json
import os
import subprocess
import sys


def sha(data):
    return hashlib.sha256(data).digest()


def tree(leaves):
    """RFC 6962, section 2.1, by its recursive definition."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return sha(b"\0" + leaves[0])
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


def main(run):
    with open(os.path.join(run, "manifest.json"), "rb") as f:
        text = f.read()
    manifest = json.loads(text)
    lines = text.split(b"\n")[1:-2]
    lines = [line[:-1] if line.endswith(b",") else line for line in lines]
    assert [json.loads(line) for line in lines] == manifest["files"]
    assert tree(lines).hex() == manifest["root"], "root"
    expected = {}
    for folder, folders, names in os.walk(run):
        folders[:] = [f for f in folders if not f.startswith(".live")]
        for name in names + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            path = os.path.relpath(os.path.join(folder, name), run)
            if path in ("manifest.json", "notes.jsonl"):
                continue
            full = os.path.join(run, path)
            if os.path.islink(full):
                data = os.readlink(full).encode()
            elif os.path.isfile(full):
                with open(full, "rb") as f:
                    data = f.read()
            else:
                continue
            expected[path] = data
    paths = [f["path"] for f in manifest["files"]]
    assert paths == sorted(expected, key=lambda p: p.encode()), (paths, sorted(expected))
    for f in manifest["files"]:
        data = expected[f["path"]]
        assert f["bytes"] == len(data) and f["sha256"] == sha(data).hex(), f
        if f["path"].endswith(".log.zst") and "/" not in f["path"]:
            plain = subprocess.run(["zstd", "-q", "-dc"], input=data, stdout=subprocess.PIPE)
            if plain.returncode == 0:
                assert f["merkle"] == tree(blocks(plain.stdout)).hex(), f
            else:
                assert "merkle" not in f, f
        if f["path"].endswith(".log") and "/" not in f["path"] or f["path"].startswith("metrics."):
            if not f["path"].endswith(".json"):
                assert f["merkle"] == tree(blocks(data)).hex(), f
    print("manifest of", len(paths), "files agrees")


main(sys.argv[1])
