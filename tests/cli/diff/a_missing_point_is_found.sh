cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261123T140700Z-fc62b753
b=experiments/20261123T140700Z-fc62b753
sed -i "s/20261123T140658Z-fc62b753/20261123T140700Z-fc62b753/" "$b/metadata.json"
sed -i '/^lr,3,/d' "$b/metrics.csv"
m31r diff 140658 140700 --text | grep -v '^PART'
