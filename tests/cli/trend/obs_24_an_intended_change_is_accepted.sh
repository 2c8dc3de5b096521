make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make 1000x20 870x10
m31r trend tokens_per_sec --gate --strict > /dev/null; echo "exit $?"
m31r trend tokens_per_sec --accept 20260621 --reason 'twice the context' 2>&1 | grep -o 'the level.*runs'
m31r trend tokens_per_sec --gate --text | tail -1
sed 's/"ts":"[^"]*"/"ts":"..."/' accepted.jsonl
python3 $make --start 30 700x10
m31r trend tokens_per_sec --gate --text | tail -1
m31r trend tokens_per_sec --accept 20260621
