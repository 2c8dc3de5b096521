# 30 runs, then 10 that are 13 % slower: the first of them and its commit are named.
python3 "$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py" 1000x30 870x10
m31r trend tokens_per_sec --gate --text
