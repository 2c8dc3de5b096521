# ESC, a bidi override and a C1 control in each text of metadata.json in turn: no view for people
# passes one on, and none fails.
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
python3 - <<'END'
import copy, glob, json, subprocess
path = sorted(glob.glob("experiments/*/metadata.json"))[0]
run = path.rsplit("/", 1)[0]
whole = json.load(open(path))

def texts(node, at=()):
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        if isinstance(value, (dict, list)):
            yield from texts(value, at + (key,))
        elif isinstance(value, str):
            yield at + (key,)

# All at once, then a few at a time: one text may hide another.
def change(names):
    metadata = copy.deepcopy(whole)
    for name in names:
        node = metadata
        for key in name[:-1]:
            node = node[key]
        node[name[-1]] = "\x1b[31mz\u202e\u009b1m and more than nineteen"
    with open(path, "w") as f:
        json.dump(metadata, f)

def check(names):
    change(names)
    for command in (["show", run], ["runs"], ["verify", run], ["metrics", run]):
        p = subprocess.run(["m31r", *command, "--text"], capture_output=True)
        said = p.stdout + p.stderr
        if p.returncode not in (0, 4) or any(c in said for c in (b"\x1b", b"\xe2\x80\xae", b"\xc2\x9b")):
            print(names, command[0], p.returncode, said[:300])

names = list(texts(whole))
check(names)
for i in range(0, len(names), 6):
    check(names[i:i + 6])
print("some" if len(names) >= 30 else f"only {len(names)}", "texts tried")
END
