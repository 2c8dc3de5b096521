cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
m31r runs --json | tail -n 1
m31r runs | python3 -c 'import json,sys
for line in sys.stdin:
    o = json.loads(line); print(o["v"], o["kind"], o.get("run_id"), o.get("metric_best"))'
