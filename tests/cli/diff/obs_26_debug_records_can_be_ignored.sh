cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261123T140700Z-fc62b753
b=experiments/20261123T140700Z-fc62b753
sed -i "s/20261123T140658Z-fc62b753/20261123T140700Z-fc62b753/" "$b/metadata.json"
sed -i '3i {"ts":"2026-11-23T14:06:58.209000Z","level":"DEBUG","module":"trainer","msg":"batch","rows":8}' "$b/train.log"
m31r diff 140658 140700 --text | grep -E '^(A|first)'
m31r diff 140658 140700 --ignore-debug --text
