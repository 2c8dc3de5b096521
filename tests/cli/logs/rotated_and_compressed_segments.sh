# A lane that was rotated twice and compressed by zstd's own program reads as before; a damaged
# segment is told, and --strict ends with 4.
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments && cd experiments/2*
chmod -R u+w .
m31r logs . --lane main --json > ../whole
split -l 3 train.log part.
mv part.aa train.000001.20261123T140658Z.log && mv part.ab train.000002.20261123T140659Z.log
mv part.ac train.log
zstd -q --rm train.000001.20261123T140658Z.log
m31r logs . --lane main --json | cmp - ../whole && echo same
m31r logs . --json --level ERROR
m31r show . --text | grep ^lanes | cut -d, -f1
m31r diff . . --text | head -1
head -c 100 train.000001.20261123T140658Z.log.zst > cut && mv cut train.000001.20261123T140658Z.log.zst
m31r logs . --lane main --strict --json > ../rest
echo "exit $?"
tail -n +4 ../whole | cmp - ../rest && echo "the rest"
