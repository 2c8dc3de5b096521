# The slow commits were run first: by time it is an improvement, by commit a regression.
make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make 870x15 1000x15
m31r trend tokens_per_sec --gate --text | tail -1
python3 -c 'for day in [*range(15, 29), *range(15)]: print(f"{day + 1:040x}"[::-1])' > commits
m31r trend tokens_per_sec --gate --commits commits --text | tail -2
