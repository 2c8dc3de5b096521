# Two machines' files by sort -u; what is there already is not written twice.
make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make 1000x12
python3 $make --root others --start 12 1000x12
m31r export --history a.jsonl 2>&1 | grep -o '[0-9]* runs in.*changed'
m31r export --history a.jsonl 2>&1 | grep -o '[0-9]* runs in.*changed'
m31r tag 20260601 first > /dev/null
m31r export --history a.jsonl 2>&1 | grep -o '[0-9]* runs in.*changed'
m31r export --history - --root others > b.jsonl
sort -u a.jsonl b.jsonl > both.jsonl
m31r trend tokens_per_sec --history both.jsonl --text | tail -1
m31r export --history b.jsonl 2> /dev/null && cmp b.jsonl both.jsonl
echo '{}' >> both.jsonl
m31r trend tokens_per_sec --history both.jsonl
