# The same answer from runs and from the file that was made of them; a gate above the change passes it.
make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make 1000x40
m31r trend tokens_per_sec --gate > of_runs
m31r export --history history.jsonl 2> note && cat note
m31r trend tokens_per_sec --gate --history history.jsonl > of_file && cmp of_runs of_file && tail -1 of_file
python3 $make --start 40 870x10
m31r trend tokens_per_sec --gate 20 | grep -o '"verdict":"[a-z]*"' | uniq
