cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
m31r runs -w 'state=="finished" and config.train.lr>=1e-3 and metrics.loss.last<3' --text
m31r runs -w 'state=="failed"' --json
