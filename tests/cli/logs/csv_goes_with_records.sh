cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments && m31r logs --csv --count-by level
