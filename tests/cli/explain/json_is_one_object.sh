cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
m31r explain @ | python3 -c 'import json, sys
o = json.loads(sys.stdin.read())
print(o["v"], o["kind"], o["state"], o["cause"])
print([(s["topic"], s["file"], s["line"]) for s in o["statements"]])
print([(r["file"], r["line"], r["record"]["msg"]) for r in o["records"]])
assert all(s["file"] for s in o["statements"])'
