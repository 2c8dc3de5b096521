cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261123T140700Z-fc62b753
b=experiments/20261123T140700Z-fc62b753
sed -i "s/20261123T140658Z-fc62b753/20261123T140700Z-fc62b753/" "$b/metadata.json"
sed -i 's/"loss":2.125/"loss":2.126/' "$b/train.log"
m31r diff 140658 140700 --rtol 1e-3 >/dev/null; echo "$?"
m31r diff 140658 140700 --rtol 1e-4 >/dev/null; echo "$?"
m31r diff 140658 140700 --atol 0.002 >/dev/null; echo "$?"
sed -i 's/"errno":2}/"errno":3}/' "$b/train.log"
m31r diff 140658 140700 --rtol 0.9 --text | grep '^first'
m31r diff 140658 140700 --rtol -1 --text
