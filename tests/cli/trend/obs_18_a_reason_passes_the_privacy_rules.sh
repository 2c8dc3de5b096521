make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make 1000x20 870x10
m31r trend tokens_per_sec --accept 20260621 --reason 'asked for by kim.lee@mail.example.com, password=hunter2zz9' 2>/dev/null
sed 's/"ts":"[^"]*"/"ts":"..."/' accepted.jsonl
