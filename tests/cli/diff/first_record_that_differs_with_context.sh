cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261123T140700Z-fc62b753
b=experiments/20261123T140700Z-fc62b753
sed -i "s/20261123T140658Z-fc62b753/20261123T140700Z-fc62b753/" "$b/metadata.json"
sed -i '5s/"loss":2.125/"loss":2.25/' "$b/train.log"
sed -i 's/^loss,4,2.125/loss,4,2.25/' "$b/metrics.csv"
m31r diff 140658 140700 --text
