# Each log file of tests/data/bad_inputs: the records that can be read come out, the lines that are
# none are counted on stderr with exit 0, and --strict makes that exit 4.
data="$M31R_SOURCE_DIR/tests/data/bad_inputs"
[ -z "$M31R_SHARED" ] || data="$M31R_SHARED/data/bad_inputs"
python3 - "$data" <<'END'
import json, os, subprocess, sys
n = 0
for line in open(sys.argv[1] + "/reader_expect.jsonl"):
    case = json.loads(line)
    path = f"{sys.argv[1]}/reader/{case['file']}"
    if not os.path.exists(path):  # above 20 KB: only in the shared folder
        continue
    n += 1
    bad = sum(v for k, v in case["classes"].items() if k not in ("ok", "empty"))
    bad += case["tail_without_newline"] != ""
    for option, status in (([], 0), (["--strict"], 4 if bad else 0)):
        p = subprocess.run(["m31r", "logs", path, *option], capture_output=True)
        words = "1 line is no record" if bad == 1 else f"{bad} lines are no records"
        said = p.stderr.startswith(f'{{"v":1,"kind":"note","note":"{words} '.encode())
        if p.returncode != status or (bad and not option and not said) or (
                not option and p.stdout.count(b"\n") != case["classes"].get("ok", 0)):
            print(case["file"], option, p.returncode, p.stderr.decode(errors="replace")[:300])
print("some" if n >= 30 else f"only {n}", "files tried")
END
