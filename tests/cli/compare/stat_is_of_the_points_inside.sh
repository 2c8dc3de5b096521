# 300 points each, 20 of them a warm-up; the second run is 20 % slower, the third is the first in another order.
python3 - <<'END'
import json, os, random, shutil
source = os.environ["M31R_SOURCE_DIR"] + "/tests/data/v1/20261123T140658Z-fc62b753"
for k, factor in enumerate((1.0, 1.2, 1.0)):
    name = f"20261123T14080{k}Z-0000000{k}"
    os.makedirs(f"experiments/{name}")
    with open(source + "/metadata.json") as f:
        meta = json.load(f)
    meta.update(run_id=name, metrics={"step_ms": {"unit": "ms", "better": "lower"}})
    with open(f"experiments/{name}/metadata.json", "w") as f:
        json.dump(meta, f)
    rng = random.Random(k)
    with open(f"experiments/{name}/metrics.csv", "w") as f:
        f.write("name,step,value,ts,segment\n")
        for step in range(700):
            value = factor * (rng.gauss(100, 3) + (150 if step < 20 else 0))
            f.write(f"step_ms,{step},{'nan' if step == 300 else round(value, 3)},2026-11-23T14:08:00.000000Z,0\n")
END
m31r compare 140800 140801 --stat --text
m31r compare 140800 140802 --stat | python3 -c 'import json, sys
o = json.loads(sys.stdin.readline())
print(o["kind"], o["metric"], o["a"]["points"], o["a"]["warm_up"], o["verdict"], 0.98 < o["median"]["low"] < 1 < o["median"]["high"] < 1.02)'
m31r compare 140800 140802 140801 --stat 2> /dev/null; echo "exit $?"
m31r compare 140800 140802 --stat --gate 5 > /dev/null; echo "exit $?"
m31r compare 140801 140800 --stat --gate > /dev/null; echo "exit $?"
m31r compare 140800 140801 --stat --gate > /dev/null
