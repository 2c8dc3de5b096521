#!/usr/bin/env python3
"""What the privacy rules find and leave alone: the project's corpus, and records made from held_out.py.

usage: test_corpus.py REDACT_FILTER DATA
Of each find all but a tenth of the secret's characters must be gone. Without the corpus (DATA/secret_corpus) only
the made records are tried, and the test says so.
"""
import json
import os
import subprocess
import sys

import held_out

ASKED = {"secret A": 0.99, "secret B": 0.95, "secret C": 0.95, "personal A": 0.98, "personal B": 0.90, "personal C": 0.90, "prompt B": 1.0,
         "prompt C": 1.0, "made A": 0.97, "made B": 0.97, "made P": 0.90}
SEEDS = (11, 12)  # of sets that no rule was made from


def strings(x):
    if isinstance(x, dict):
        for key, value in x.items():
            yield key
            yield from strings(value)
    elif isinstance(x, list):
        for value in x:
            yield from strings(value)
    else:
        yield x if isinstance(x, str) else json.dumps(x)


def run(program, records):
    lines = "".join(json.dumps(r) + "\n" for r in records)
    out = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.decode("utf-8", "replace").split("\n")[:-1]]


def is_found(secret, text):
    width = min(len(secret), max(6, min(20, len(secret) // 2)))
    return not any(secret[i:i + width] in text for i in range(len(secret) - width + 1))


def left(secret, text):
    """The longest beginning or end of the secret that stands beside a marker."""
    for n in range(len(secret), 0, -1):
        if f"{secret[:n]}[redacted:" in text or f"]{secret[-n:]}" in text:
            return n
    return 0


def load(path, reverse):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line.rstrip("\n")[::-1] if reverse else line) for line in file]


def score(program, rows):
    """rows: (class, name, record, secrets). Recall by class; what was left of a find."""
    seen, found, worst, missed = {}, {}, 0.0, []
    for (kind, name, _, secrets), got in zip(rows, run(program, [r[2] for r in rows])):
        text = "\0".join(strings(got))
        ok = all(is_found(s, text) for s in secrets)
        seen[kind] = seen.get(kind, 0) + 1
        found[kind] = found.get(kind, 0) + ok
        share = max(left(s, text) / len(s) for s in secrets) if ok else 0
        if share > 0.1:
            print(f"{name}: {share:.2f} of the secret is left: {text[:200]!r}")
        worst = max(worst, share)
        if not ok:
            missed.append(name)
    return {k: (found[k], seen[k]) for k in seen}, worst, missed


def main():
    program, data = sys.argv[1:]
    corpus = os.path.join(data, "secret_corpus")
    rows, bad = [], False
    if os.path.isdir(corpus):
        rows += [(f"{o['cat']} {o['tier']}", o["kind"], o["record"], o["secrets"])
                 for o in load(os.path.join(corpus, "positives.rev.txt"), True)]
        harmless = [o["record"] for o in load(os.path.join(corpus, "negatives.jsonl"), False)]
        changed = [a for a, b in zip(harmless, run(program, harmless)) if a != b]
        print(f"harmless records changed: {len(changed)} of {len(harmless)}", *changed[:5])
        bad |= bool(changed) or len(harmless) < 500
    else:
        print(f"no corpus at {corpus}: made records only")
    for seed in SEEDS:
        rows += [(f"made {tier}", kind, record, [secret]) for tier, kind, record, secret in held_out.rows(seed, each=3)]
    recall, worst, missed = score(program, rows)
    for kind, (n, of) in sorted(recall.items()):
        fits = n >= ASKED[kind] * of
        print(f"{kind}: {n} of {of} = {n / of:.4f}, asked {ASKED[kind]}{'' if fits else '   MISSED'}")
        bad |= not fits
    print(f"largest part of a secret left beside its marker: {worst:.3f}; missed: {sorted(set(missed))}")
    return bad or worst > 0.1


if __name__ == "__main__":
    sys.exit(main())
