run="$M31R_SOURCE_DIR/tests/data/v1/20261123T140658Z-fc62b753"
m31r logs "$run" --around 3 -n 2 --text
m31r logs "$run" --around train.worker.log:2 -n 1 --fields msg,step
m31r logs "$run/train.log" --around :3 -n 1 --fields step
seq 1 100 | sed 's/.*/{"step":&}/' | m31r logs - --around 42 | wc -l
