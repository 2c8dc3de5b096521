# Nothing declared, and the program reads train.yaml: the digest of the snapshot (none) is not its.
printf 'config_version: 1\nlr: 0.1\n' > train.yaml
m31r run --try -- "$M31R_BIN_DIR/tests/three_lines_c" >seen 2>&1 || echo "exit $?"
m31r show @ --text | grep '^config'
m31r logs @ --fields msg,detail | grep -o '"identity_contradiction".*'
m31r verify @ --json | grep -o '"what":"the config snapshot[^}]*'
# Declared and read: the same bytes, by whatever path.
mkdir sub
cp train.yaml sub/other.yaml
m31r run --try --config sub/other.yaml -- "$M31R_BIN_DIR/tests/three_lines_c" >seen 2>&1
m31r show @ --text | grep '^config'
