cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261123T140700Z-fc62b753
b=experiments/20261123T140700Z-fc62b753
sed -i "s/20261123T140658Z-fc62b753/20261123T140700Z-fc62b753/" "$b/metadata.json"
sed -i '5s/"loss":2.125/"loss":2.25/; $d' "$b/train.log"
m31r diff 140658 140700 >diff.json
echo "$?"
python3 -c 'import json
o = json.loads(open("diff.json").read())
first = o["first"]
print(o["v"], o["kind"], o["verdict"], [p["name"] for p in o["parts"]])
print(first["part"], first["line_a"], first["line_b"], first["field"], first["a"], first["b"], first["step"])
print([(c["in"], c["line"], c["record"]["msg"]) for c in first["context"]])
print(o["parts"][0]["n_a"], o["parts"][0]["n_b"], o["parts"][0]["aligned"], o["divergence"], o["measured"])'
