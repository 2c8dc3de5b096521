cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
m31r show @ --json | python3 -c '
import json, sys
run = json.load(sys.stdin)
for key in ("lanes", "metrics", "artifacts"):
    print(key, "some" if run[key] else "none")
for key in ("config", "dataset", "tokenizer", "seed", "commit"):
    print(key, run[key]["value"])'
