# Each config of tests/data/bad_inputs through the command: refused with exit 2 and a place in the
# file, or taken. `any` may be either, but must be one of the two.
data="$M31R_SOURCE_DIR/tests/data/bad_inputs"
[ -z "$M31R_SHARED" ] || data="$M31R_SHARED/data/bad_inputs"
python3 - "$data" <<'END'
import json, subprocess, sys
n = 0
for line in open(sys.argv[1] + "/yaml_expect.jsonl"):
    case = json.loads(line)
    try:
        open(f"{sys.argv[1]}/yaml/{case['file']}").close()
    except FileNotFoundError:  # above 20 KB: only in the shared folder
        continue
    p = subprocess.run(["m31r", "run", "--check", "--config", f"{sys.argv[1]}/yaml/{case['file']}",
                        "--seed", "1", "--dataset", "none", "--tokenizer", "none", "--commit",
                        "none", "--", "true"], capture_output=True)
    wanted = {"reject": [2], "accept": [0], "any": [0, 2]}[case["expect"]]
    placed = p.returncode != 2 or json.loads(p.stderr)["error"]["line"] is not None
    n += 1
    if p.returncode not in wanted or not placed:
        print(case["file"], case["expect"], p.returncode, p.stderr.decode(errors="replace")[:300])
print("some" if n >= 20 else f"only {n}", "configs tried")
END
