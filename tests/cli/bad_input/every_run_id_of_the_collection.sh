# Each refused run id of tests/data/bad_inputs names no run: exit 1, one line on stderr that no
# terminal would obey. A line end in a name and NUL, which no argument can hold, are left to
# test_names.c.
mkdir -p experiments/20260101T000000Z-00000000
python3 - "$M31R_SOURCE_DIR/tests/data/bad_inputs/run_ids.jsonl" <<'END'
import json, subprocess, sys
identity = ["--config", "none", "--seed", "1", "--dataset", "none", "--tokenizer", "none",
            "--commit", "none"]
n = 0
for line in open(sys.argv[1]):
    case = json.loads(line)
    if case["expect"] != "reject" or "\0" in case["id"] or "etc" in case["id"]:
        continue
    n += 1
    for command in (["show", case["id"]],
                    ["run", "--check", *identity, "--resume", case["id"], "--", "true"]):
        p = subprocess.run(["m31r", *command], capture_output=True)
        if p.returncode != 1 or p.stdout or p.stderr.count(b"\n") != 1 or b"\x1b" in p.stderr:
            print(command, p.returncode, p.stdout[:200], p.stderr[:300])
print("some" if n >= 40 else f"only {n}", "ids tried")
END
