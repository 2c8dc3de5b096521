#!/usr/bin/env python3
"""test_rules - every example of src/rules/rules.txt is found, every counter-example stays.

usage: test_rules.py REDACT_FILTER ROOT
Each example of a token is put into the places where such things stand in logs (quoted, in
brackets, at the end of a sentence, behind an escape, among commas...), and must be gone from each
of them: no window of it may be left. A counter-example must come back as it was.
"""
import json
import re
import subprocess
import sys

PLACES = ("%s", "request failed with %s after 3 tries", "failed (key %s)", "could not use %s.",
          "a, %s, b", "value '%s' rejected", 'value "%s" rejected', "<v>%s</v>", "`%s`", "x=%s",
          "[%s]", "%s;", "a\\n%s\\nb", "line\n%s\nline", "--x=%s --y", "got: %s", "1,2,%s,4")
SHAPED = {"address": "12 Baker Road", "card": "5105 1051 0510 5100", "email": "jo@mail.example.com",
          "location": "59.299524", "name": "Jamal Haddad", "national_id": "123456782",
          "password": "hunter2x9", "phone": "4155550132", "private_key": "Zq7xK29mLwT4pR8v" * 3,
          "user": "kimlee", "secret": "Zq7xK29mLwT4pR8v", "webhook": "Zq7xK29mLwT4pR8v"}
TEXT = "walk the small brown dog twice"


def left_of(secret, text):
    """True when a part of the secret that would tell it is still there."""
    width = min(len(secret), max(6, min(20, len(secret) // 2)))
    return any(secret[i:i + width] in text for i in range(len(secret) - width + 1))


def run(program, records):
    lines = "".join(json.dumps(r) + "\n" for r in records)
    out = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in out.stdout.decode().split("\n")[:-1]]


def key_value(rule):
    if rule["class"] == "prompt":
        return TEXT
    return SHAPED.get(rule["kind"]) if rule["class"] == "shaped" else "Zq7xK29mLwT4pR8v"


def cases(rules):
    """(rule, record, what must be gone or None: the record must come back)."""
    for r in rules:
        if r["sort"] == "key":
            value = key_value(r)
            for key in r["yes"] if value and r["class"] != "harmless" else ():
                yield r, {key: value}, value
            for key in r["no"] if r["class"] != "harmless" else r["yes"]:
                yield r, {key: TEXT}, None
            continue
        alone = r["sort"] == "token" and r["handler"] == "token" and "\n" not in r["yes"][0]
        for example in r["yes"]:
            for place in PLACES if alone else PLACES[:1]:
                yield r, {"msg": place.replace("%s", example)}, example if alone else ""
        for example in r["no"]:
            yield r, {"msg": example}, None


def main():
    program, root = sys.argv[1:]
    listed = subprocess.run([sys.executable, f"{root}/tools/gen_rules", "--examples", root],
                            stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout
    rules = [json.loads(line) for line in listed.splitlines()]
    made = list(cases(rules))
    bad = 0
    for (r, record, secret), got in zip(made, run(program, [c[1] for c in made])):
        if secret is None:
            fine = got == record
        else:
            text = " ".join(got.values())
            marked = re.search(r"\[redacted:|~", text) is not None
            fine = marked and not (secret and left_of(secret, text))
        if not fine:
            bad += 1
            print(f"rules.txt:{r['line']}: {json.dumps(record)} became {json.dumps(got)}")
    if len(made) < 3000:
        sys.exit(f"only {len(made)} cases: the examples were not read")
    print(f"{len(rules)} rules, {len(made)} cases, {bad} wrong")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
