run="$M31R_SOURCE_DIR/tests/data/v1/20261123T140658Z-fc62b753"
m31r logs "$run" -w 'loss>3 or loss==NaN' --fields step,loss
m31r logs "$run" -w 'level>=WARNING and not module=="trainer"' --fields level,msg
m31r logs "$run" --since 2026-11-23T14:06 --until 2026-11-23T14:06:58.2085Z --fields msg
