cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261123T140700Z-fc62b753
for run in 20261123T140658Z-fc62b753 20261123T140700Z-fc62b753; do
    sed -i "s/20261123T140658Z-fc62b753/$run/" "experiments/$run/metadata.json"
    sed -i "s/checkpoints.step_5/experiments\\/$run\\/step_5/" "experiments/$run/train.log"
done
m31r diff 140658 140700 --text | head -1
sed -i 's/140700Z-fc62b753.step_5/140659Z-fc62b753\/step_5/' experiments/20261123T140700Z-fc62b753/train.log
m31r diff 140658 140700 --text | grep ^first
