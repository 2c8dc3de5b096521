run="$M31R_SOURCE_DIR/tests/data/v1/20261123T140658Z-fc62b753"
m31r logs "$run" --fields step,loss,none --step 2..4
m31r logs "$run" --level warning --fields module,msg --text
m31r logs "$run" --module loader --tail 2 --fields shard,ms
