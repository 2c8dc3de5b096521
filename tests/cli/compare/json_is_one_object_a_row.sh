cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261123T140700Z-fc62b753
b=experiments/20261123T140700Z-fc62b753
sed -i "s/20261123T140658Z-fc62b753/20261123T140700Z-fc62b753/; s/\"seed\": 42/\"seed\": 43/; s/rust-src@2026.10/rust-src@2026.11/" "$b/metadata.json"
sed -i "1s/:.*/: 7777/" "$b/config_snapshot.yaml"
sed -i "s/^loss,5,2.25,/loss,5,4.5,/; /^tokens/d" "$b/metrics.csv"
m31r compare 140658 140700 140658 | python3 -c 'import json, sys
for line in sys.stdin:
    o = json.loads(line)
    print(o["v"], o["kind"], o["group"], o["key"], [(v["value"], v["delta"], v["relative"]) for v in o["values"]])'
m31r compare 140658 140700 --all | wc -l
