git init -q && printf 'experiments/\n*.bin\n' >.gitignore
printf 'config_version: 1\nconfig: train.yaml\ndataset: rust@1\ntokenizer: none\nseed: none\n' >m31r.yaml
for level in INFO DEBUG; do
    printf 'config_version: 1\nobservability:\n  level: %s\n' $level >train.yaml
    git add . && git commit -qm $level
    m31r run --stage data -- "$M31R_BIN_DIR/tests/typed_calls_c" data >/dev/null 2>&1 || echo "exit $?"
    m31r logs @ --json | grep -c '"level":"DEBUG"'
done
m31r diff @-1 @ --ignore-debug >ignoring.json
echo "ignoring DEBUG: $?"
m31r diff @-1 @ >all.json
echo "with DEBUG: $?"
