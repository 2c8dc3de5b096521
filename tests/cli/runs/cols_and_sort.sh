# Chosen columns, in an order: with the cache empty, then with it, then with a damaged one.
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261122T100000Z-0a0b0c0d
sed -i 's/20261123T140658Z-fc62b753/20261122T100000Z-0a0b0c0d/; s/"fixture"/"older"/' experiments/20261122T100000Z-0a0b0c0d/metadata.json
sed -i 's/lr: 0.001/lr: 0.0005/' experiments/20261122T100000Z-0a0b0c0d/config_snapshot.yaml
m31r runs --text --cols id,name,config.train.lr,metrics.loss.min,attempt --sort config.train.lr
m31r runs --json --cols name,config.train.lr,metrics.nothing --sort -config.train.lr
sleep 2.1
m31r runs --json -w 'config.train.lr<1e-3' > first
m31r runs --json -w 'config.train.lr<1e-3' | cmp - first && echo same
printf rubbish > "$XDG_CACHE_HOME/m31r/runs.sqlite"
m31r runs --json -w 'config.train.lr<1e-3' | cmp - first && echo same
