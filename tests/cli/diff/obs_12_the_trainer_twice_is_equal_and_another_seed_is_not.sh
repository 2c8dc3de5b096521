train="$M31R_BIN_DIR/examples/train/train"
[ -x "$train" ] || exit 77
sed 's/log_every: 10/log_every: 1/' "$M31R_SOURCE_DIR/examples/train/train.yaml" >train.yaml
for try in 42:first 42:again 43:other; do
    m31r run --commit none --config train.yaml --seed "${try%:*}" --name "${try#*:}" \
        --dataset "$M31R_SOURCE_DIR/examples/corpus" --tokenizer bytes-256@1 -- \
        "$train" --config train.yaml --corpus "$M31R_SOURCE_DIR/examples/corpus" --seed '{seed}' --steps 3 >/dev/null 2>&1
done
m31r diff first again >equal.json
echo "$?"
m31r diff first other >differs.json
echo "$?"
python3 -c 'import json
equal, differs = (json.loads(open(name).read()) for name in ("equal.json", "differs.json"))
print(equal["verdict"], equal["first"], equal["identity"], equal["divergence"])
first = differs["first"]
print(differs["verdict"], differs["identity"], first["part"], first["field"], first["a"], first["b"])
loss = [d for d in differs["divergence"] if d["name"] == "loss"][0]
print(loss["first_step"], loss["compared"], loss["max_relative"] > 0)'
