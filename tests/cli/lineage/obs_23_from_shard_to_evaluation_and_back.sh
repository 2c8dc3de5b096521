git init -q && printf 'experiments/\n*.bin\n' >.gitignore && printf 'config_version: 1\nlr: 1\n' >train.yaml
printf 'config_version: 1\nconfig: train.yaml\ndataset: rust@1\ntokenizer: none\nseed: none\n' >m31r.yaml
git add . && git commit -qm one
for stage in data tokenizer train eval serve; do
    m31r run --stage $stage -- "$M31R_BIN_DIR/tests/typed_calls_c" $stage >/dev/null 2>&1 || echo "exit $?"
done
see() { # TARGET...: the links, without what changes from day to day
    m31r lineage "$@" --json >lineage.json 2>&1
    echo "exit $?"
    python3 - <<'END'
import json
o = json.load(open("lineage.json"))
if o["kind"] == "error":
    print(o["error"]["code"], o["error"]["message"][:30])
for r in o.get("runs", []):
    print(r["kin"], r["generations"], r["stage"], r["state"], r["dataset"], r["tokenizer"], r["seed"], r["metric"])
    stage_of = {x["run_id"]: x["stage"] for x in o["runs"]}
    for f in r["files"]:
        maker = f["made_by"] and stage_of.get(f["made_by"], "elsewhere")
        print("   ", f["role"], f["path"], f["step"], "by", maker, f["broken"] or "", "*" if f["target"] else "")
END
}
echo "# the checkpoint, renamed"
mv model.bin other_name.bin && see other_name.bin
echo "# the shard: forward"
see shard.bin
echo "# the newest run: backward"
see @
echo "# without the cache: the same, and nothing is kept"
m31r lineage @ --json > cached.json
XDG_CACHE_HOME=$PWD/none m31r lineage @ --json --no-cache | cmp - cached.json && find . -path ./none
echo "# a log stands for its run"
see experiments/*/train.log
echo "# the tree"
m31r lineage other_name.bin --text | sed 's/[0-9]*T[0-9]*Z-[0-9a-f-]*/RUN/; s/config .*/.../'
echo "# a file that changed"
printf x >>shard.bin && see shard.bin
echo "# a file that nobody knows"
echo new >unknown.txt && see unknown.txt
echo "# the maker is gone"
mkdir elsewhere && mv "$(dirname experiments/*/train.log)" elsewhere && see @
m31r lineage @ --text | sed 's/[0-9]*T[0-9]*Z-[0-9a-f-]*/RUN/; s/config .*/.../'
