#!/usr/bin/env python3
"""Every kind of line that the command writes has a schema, and the lines hold to it.

usage: tests/tools/test_schemas.py M31R_COMMAND
Standard library only, so it checks what the schemas use: type, required, properties,
additionalProperties, const, enum, pattern, anyOf, items, minItems, maxItems, minimum, minLength.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def has_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def faults(schema, value, at="$"):
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(has_type(value, t) for t in types):
        yield f"{at}: {value!r} is not {types}"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {schema['enum']}"
    if "anyOf" in schema and all(list(faults(s, value, at)) for s in schema["anyOf"]):
        yield f"{at}: {value!r} fits no alternative"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{at}: {value!r} does not match {schema['pattern']}"
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        yield f"{at}: too short"
    if has_type(value, "number") and value < schema.get("minimum", value):
        yield f"{at}: {value} is below {schema['minimum']}"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at}: {len(value)} items"
        for i, item in enumerate(value):
            yield from faults(schema.get("items", {}), item, f"{at}[{i}]")
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for key in schema.get("required", []):
            if key not in value:
                yield f"{at}: {key} is missing"
        extra = schema.get("additionalProperties", True)
        for key, item in value.items():
            if key in known:
                yield from faults(known[key], item, f"{at}.{key}")
            elif extra is False:
                yield f"{at}: {key} is not in the schema"
            elif isinstance(extra, dict):
                yield from faults(extra, item, f"{at}.{key}")


def load(kind):
    with open(os.path.join(SOURCE, "schemas", f"{kind}.schema.json"), encoding="utf-8") as file:
        return json.load(file)


def main():
    command = os.path.abspath(sys.argv[1])
    root = os.path.join(SOURCE, "tests", "data", "v1")
    wanted = [["runs", "--root", root], ["show", "@", "--root", root],
              ["logs", "@", "--root", root],
              ["logs", "@", "--root", root, "--fields", "step,loss"],
              ["logs", "@", "--root", root, "--count-by", "module,level"],
              ["logs", "@", "--root", root, "--stats", "loss", "--by", "module"],
              ["metrics", "@", "--root", root],
              ["explain", "@", "--root", root], ["lineage", "@", "--root", root],
              ["diff", "@", "@", "--root", root], ["compare", "@", "@", "--all", "--root", root],
              ["verify", "@", "--root", root], ["verify", "--privacy", "leaky.log"],
              ["recover", "@", "--root", root], ["info"], ["help", "--all"], ["shwo"],
              ["init", "--dataset", "none"], ["logs", "-"], ["note", "@", "seen", "--root", "runs"],
              ["trend", "--series", "steps.txt", "--preset", "perf"],
              ["anomalies", "@", "--root", "runs"], ["anomalies", "--csv", "table.csv"],
              ["trend", "loss", "--gate", "--points", "--root", root],
              ["export", "--history", "-", "--root", root],
              ["compare", "@", "@", "--stat", "--root", root],
              ["key", "new"], ["verify", "@", "--prove", "train.observer.log:1"],
              ["verify", "--proof", "proof.json"], ["reproduce", "@", "--here"],
              ["rm", "@", "--reason", "seen"], ["archive", "@", "elsewhere"],
              ["clean", "--days", "0"]]
    seen, bad = set(), 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(root, os.path.join(folder, "runs"))
        with open(os.path.join(folder, "steps.txt"), "w", encoding="utf-8") as file:
            file.writelines(f"{(10 if i < 20 else 12) + i % 3 / 10}\n" for i in range(40))
        for points in glob.glob(os.path.join(folder, "runs", "*", "metrics.csv")):
            with open(points, "a", encoding="utf-8") as file:
                file.write("loss,9,Infinity,2026-11-23T14:07:09.000000Z,0\n")
        with open(os.path.join(folder, "leaky.log"), "w", encoding="utf-8") as file:
            file.write("password=hunter2\n")
        with open(os.path.join(folder, "table.csv"), "w", encoding="utf-8") as file:
            file.write("loss\n3\n-inf\n")
        os.mkdir(os.path.join(folder, "logs"))
        for n in (1, 2):
            with open(os.path.join(folder, "logs", f"shell.00000{n}.20260101T000000Z.log"), "w",
                      encoding="utf-8") as file:
                file.write("{}\n")
        subprocess.run([command, "run", "--try", "--", "true"], cwd=folder, capture_output=True,
                       timeout=60)
        os.environ["XDG_CONFIG_HOME"] = os.path.join(folder, "config")
        with open(os.path.join(folder, "proof.json"), "wb") as file:
            prove = [command, "verify", "@", "--prove", "train.observer.log:1"]
            subprocess.run(prove, cwd=folder, stdout=file, check=True, timeout=60)
        for words in wanted:
            run = subprocess.run([command, words[0]] + (words[1:] + ["--json"] if len(words) > 1 or
                                 words[0] in ("info",) else []), cwd=folder, capture_output=True,
                                 text=True, input="not json\n", timeout=60)
            for line in (run.stdout + run.stderr).splitlines():
                value = json.loads(line)
                if "event" in value:
                    continue  # of a program under observation
                kind = value["kind"] if value.get("v") == 1 else "record"
                seen.add(kind)
                for fault in faults(load(kind), value):
                    print(f"m31r {' '.join(words)}: {kind}: {fault}")
                    bad += 1
    schemas = os.listdir(os.path.join(SOURCE, "schemas"))
    shipped = {f.split(".")[0] for f in schemas if f.endswith(".json")}
    stages = {kind for kind in shipped if "x-stage" in load(kind)}  # of records, not of our lines
    for kind in sorted(shipped - seen - stages):
        print(f"schemas/{kind}.schema.json: no line of that kind was seen")
        bad += 1
    print(f"{len(seen)} kinds of lines hold to their schemas" if bad == 0 else f"{bad} faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
