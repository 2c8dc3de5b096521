# NUL, invalid UTF-8, line ends, ESC, bidi, NaN, Infinity, -0, a key twice, 1 MB, a sensitive value.
printf 'config_version: 1\nlr: 0.1\n' > train.yaml
m31r run --config train.yaml --seed 1 --dataset none --tokenizer none --commit none \
    -- "$M31R_BIN_DIR/tests/three_lines_c" with odd things >seen 2>&1 || echo "exit $?"
cat experiments/*/train.log | sed 's/^{"ts":"[^"]*",//' | grep '"module":"odd"' | grep -v '"large"'
grep '"large"' experiments/*/train.log | python3 -c '
import json, sys
line = sys.stdin.readline()
print("1 MB:", len(line) <= 65536, list(json.loads(line))[4:])'
grep '^odd' experiments/*/metrics.csv | cut -d, -f1-3
python3 -c '
import glob, json
print(json.load(open(glob.glob("experiments/*/metadata.json")[0]))["lost"])'
grep -rl hunter2 experiments || echo "the sensitive value is in no file"
