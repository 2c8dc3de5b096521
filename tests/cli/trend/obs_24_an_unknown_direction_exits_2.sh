python3 "$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py" 1000x12
m31r trend widgets --gate --goal max --text | tail -1
m31r trend widgets --gate
