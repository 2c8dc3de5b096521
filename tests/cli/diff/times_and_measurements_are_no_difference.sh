cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261123T140700Z-fc62b753
b=experiments/20261123T140700Z-fc62b753
sed -i "s/20261123T140658Z-fc62b753/20261123T140700Z-fc62b753/" "$b/metadata.json"
sed -i 's/T14:06:58/T14:07:00/; s/"tokens_per_sec":18/"tokens_per_sec":19/; s/memory_mb":5/memory_mb":6/' "$b"/*.log
sed -i 's/^\(tokens_per_sec,[0-9]*,\)18/\119/' "$b/metrics.csv"
m31r diff 140658 140700 --text
