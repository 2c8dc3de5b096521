# "lost" and since when; JSON keeps the state's name.
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
cd experiments/20261123T140658Z-fc62b753
sed -i 's/"end": "[^"]*"/"end": null/; s/"state": "[^"]*"/"state": null/' metadata.json
mkdir .live && printf '{"pid":4194999,"start_ticks":1,"boot_id":"%s","host":"%s"}' "$(cat /proc/sys/kernel/random/boot_id)" "$(uname -n)" > .live/owner
cd ../..
m31r runs --text | sed -n 's/.*train  \(lost\) .*/\1/p'
m31r runs --json | grep -o '"state":"crashed"'
