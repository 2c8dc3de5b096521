git init -q && printf 'experiments/\n*.bin\n' >.gitignore && printf 'config_version: 1\nseed: 1\n' >train.yaml
printf 'config_version: 1\nconfig: train.yaml\ndataset: rust@1\ntokenizer: none\n' >m31r.yaml
git add . && git commit -qm one
for stage in data tokenizer train eval serve; do
    for language in c cpp; do
        m31r run --seed 1 --stage $stage -- "$M31R_BIN_DIR/tests/typed_calls_$language" $stage >run.out 2>run.err || cat run.err
        m31r verify @ --text >verify.out || grep '^  no' verify.out
        head -1 verify.out | sed 's/^[^ ]* *//'
    done
    m31r diff @-1 @ --text >diff.out
    echo "$stage: diff $?"
done
python3 - <<'END'
import glob, json
runs = [json.load(open(path)) for path in glob.glob("experiments/*/metadata.json")]
for m in sorted(runs, key=lambda m: m["stage"]):
    print(m["stage"], len(m["parents"]), m["schemas"])
END
