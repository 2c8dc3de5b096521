cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
m31r show fc62b753 | python3 -c 'import json,sys
o = json.loads(sys.stdin.read())
print(o["v"], o["kind"], o["state"], o["seed"], [m["name"] for m in o["metrics"]], [l["file"] for l in o["lanes"]], o["artifacts"][0]["step"])'
