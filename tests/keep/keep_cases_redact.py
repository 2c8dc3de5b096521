"""m31r redact RUN: what is taken out of a sealed run, what holds, and that no edit hides as one."""
import json
import os
import shutil
import subprocess
import sys

from keep_cases_remove import lines, verdict
from keep_harness import HERE, need, test

LANE = "work.extra.log"
TOKEN = "2Bdc4Ba6Y1Xw8Vu3Ts5Rq7Po9Nm2Lk4Ji6Hg_phg"  # backwards: nobody shall take it for a live one
# What another program wrote into the run by itself: no writer of ours looked at it.
PROGRAM = f"""import os
with open(os.path.join(os.environ["M31R_RUN_DIR"], "{LANE}"), "w") as f:
    for i in range(1500):
        f.write('{{"ts":"2026-11-23T10:00:00.%06dZ","level":"INFO","module":"m","msg":"hi",' % i)
        f.write('"n":%d,"who":"alexander-smith"%s}}\\n' % (i, ',"url":"%s"' % "{TOKEN}"[::-1] if i in (3, 1400) else ""))
"""


def make(place):
    """A run with 1,500 records in three blocks; two of them, in the first and the last, hold a token."""
    place.project()
    place.write("project/extra.py", PROGRAM)
    run = place.observe(sys.executable, "extra.py", options=("--stage", "work"))
    with open(run.file(LANE)) as f:
        assert sum("ghp_" in line for line in f) == 2
    with open(run.file("blocks.jsonl")) as f:
        assert sum(json.loads(line)["file"] == LANE for line in f) == 3
    return run


def says(place, run, *options):
    """The verdict, and what is said of redactions."""
    done = verdict(place, run.id, "--seal", *options)
    said = [c for c in done["checks"] if c["what"] == "what was redacted is said"]
    return done["verdict"], (said[0]["holds"], said[0]["why"]) if said else None


def write(path, text):
    os.chmod(path, 0o644)
    with open(path, "w") as f:
        f.write(text)


def read(path):
    with open(path) as f:
        return f.read()


def oracle(run):
    tool = os.path.join(HERE, "..", "..", "tools", "reader_min.py")
    return subprocess.run([sys.executable, tool, "--seal", run.path], capture_output=True, text=True)


@test
def redact_takes_out_what_the_rules_find_and_the_root_holds(place):
    run = make(place)
    before, size = read(run.file("manifest.json")), os.path.getsize(run.file(LANE))
    assert verdict(place, run.id)["verdict"] != "verified"
    assert place.do("verify", "--privacy", run.id).returncode == 4
    done = place.do("redact", run.id, "--yes")
    assert done.returncode == 1 and "--reason" in done.stderr, done.stderr
    done = place.do("redact", run.id, "--reason", "a token")
    assert done.returncode == 0 and lines(done)[0]["records"] == 2 and not lines(done)[0]["done"], done.stdout
    assert says(place, run) == ("verified", None)
    done = place.do("redact", run.id, "--reason", "a token", "--yes")
    assert done.returncode == 0 and lines(done)[0]["blocks"] == 2, done.stdout + done.stderr
    text = read(run.file(LANE))
    assert "ghp_" not in text and text.count("[redacted:github_token]") == 2 and len(text) == size
    assert read(run.file("manifest.json")) == before
    held, said = says(place, run, "--complete")
    assert held == "verified" and said[0] and "reason: a token" in said[1], said
    assert "2 records; 2 blocks not provable, the rest holds" in said[1], said
    assert place.do("verify", "--privacy", run.id).returncode == 0
    assert verdict(place, run.id)["verdict"] == "verified"
    assert oracle(run).returncode == 0, oracle(run).stdout
    # A record of the block between is provable, one beside the token is not, and it is said why.
    proof = place.do("verify", run.id, "--prove", f"{LANE}:700")
    place.write("proof.json", proof.stdout)
    assert place.do("verify", "--proof", "../proof.json").returncode == 0, proof.stdout + proof.stderr
    done = place.do("verify", run.id, "--prove", f"{LANE}:5")
    assert done.returncode == 4 and "was redacted" in done.stderr, done.stderr
    # Once more finds nothing and writes nothing.
    was = read(run.file("redactions.jsonl"))
    done = place.do("redact", run.id, "--reason", "again", "--yes")
    assert done.returncode == 0 and lines(done)[0]["records"] == 0 and read(run.file("redactions.jsonl")) == was
    other = place.observe("true", options=("--stage", "work"))
    assert says(place, other)[0] == "verified"


@test
def redact_takes_out_one_value_one_record_or_a_block(place):
    run = make(place)
    for options in (("--line", f"{LANE}:700", "--key", "who"), ("--line", f"{LANE}:701"),
                    ("--line", f"{LANE}:702", "--key", "n")):
        done = place.do("redact", run.id, *options, "--reason", "a name", "--yes")
        assert done.returncode == 0 and lines(done)[0]["records"] == 1, done.stdout + done.stderr
    rows = read(run.file(LANE)).split("\n")
    assert json.loads(rows[699])["who"] == "[redacted]" and json.loads(rows[699])["n"] == 699
    gone = json.loads(rows[700])
    assert gone["msg"] == "record_redacted" and gone["ts"].endswith("000700Z") and "who" not in gone
    assert json.loads(rows[701])["msg"] == "record_redacted", rows[701]  # the marker is longer than the number
    assert says(place, run)[0] == "verified" and oracle(run).returncode == 0, oracle(run).stdout
    assert "1 blocks not provable" in says(place, run)[1][1], says(place, run)
    done = place.do("redact", run.id, "--line", f"{LANE}:700", "--block", "--reason", "all", "--yes")
    assert done.returncode == 0, done.stderr
    rows = read(run.file(LANE)).split("\n")
    assert "alexander" not in rows[650] and "alexander" in rows[0] and len(rows) == 1501
    assert says(place, run)[0] == "verified" and oracle(run).returncode == 0
    for options in (("--line", f"{LANE}:9999"), ("--line", "none.log:1"), ("--line", f"{LANE}:1", "--key", "x"),
                    ("--line", "x"), ("--key", "who"), ("--line", "metrics.csv:1")):
        done = place.do("redact", run.id, *options, "--reason", "x", "--yes")
        assert done.returncode == 1, (options, done.stdout, done.stderr)
    assert place.do("release", run.id, "v1").returncode == 0
    done = place.do("redact", "v1", "--line", f"{LANE}:1", "--reason", "x", "--yes")
    assert done.returncode == 1 and "release" in done.stderr, done.stderr


@test
def redact_hides_no_edit(place):
    """Each way in which an edit could pass for a redaction, or a redaction for none."""
    run = make(place)
    lane, said = run.file(LANE), run.file("redactions.jsonl")
    chain = os.path.join(os.path.dirname(run.path), ".seals.jsonl")
    shutil.copytree(place.file("project/experiments"), place.file("before"), symlinks=True)
    sealed = read(lane)
    # An edit is covered by no redaction: it is refused before anything is written.
    write(lane, sealed.replace('"n":4,', '"n":5,', 1))
    done = place.do("redact", run.id, "--reason", "a token", "--yes")
    assert done.returncode == 4 and "not what was sealed" in done.stderr and not os.path.exists(said), done.stderr
    write(lane, sealed)
    assert place.do("redact", run.id, "--reason", "a token", "--yes").returncode == 0
    text, entries, seals = read(lane), read(said), read(chain)
    assert says(place, run)[0] == "verified"

    def is_found(what, **files):
        for path, content in ((lane, files.get("lane", text)), (said, files.get("said", entries)),
                              (chain, files.get("chain", seals))):
            if content is None:
                os.unlink(path)
            else:
                if not os.path.exists(path):
                    open(path, "w").close()
                write(path, content)
        held = says(place, run)
        assert held[0] == "changed", (what, held)
        assert oracle(run).returncode == 1 or "chain" in files or what in unseen, what

    rows = entries.split("\n")
    unseen = ("what stood there before",)  # by the oracle, which does not ask whether it was done
    is_found("an edit of what was redacted", lane=text.replace('"n":4,', '"n":5,', 1))
    is_found("an edit of another block", lane=text.replace('"n":700,', '"n":701,', 1))
    is_found("what stood there before", lane=sealed)
    is_found("no entries", said=None)
    is_found("taken away", said="\n".join(rows[:1] + rows[2:]))
    is_found("the seal", said="\n".join(rows[:2]) + "\n")
    is_found("another reason", said=entries.replace("a token", "a tokem", 1))
    is_found("a redaction that the chain does not know", chain=seals.split("\n")[0] + "\n")
    # Made elsewhere, where another chain is, and brought here: the chain here does not know it.
    shutil.rmtree(place.file("project/experiments"))
    shutil.copytree(place.file("before"), place.file("project/experiments"), symlinks=True)
    shutil.copytree(place.file("before"), place.file("elsewhere"), symlinks=True)
    done = place.do("redact", run.id, "--root", place.file("elsewhere"), "--line", f"{LANE}:7", "--reason", "x", "--yes")
    assert done.returncode == 0, done.stderr
    for name in (LANE, "redactions.jsonl"):
        os.replace(place.file(f"elsewhere/{run.id}/{name}"), run.file(name))
    held = says(place, run)
    assert held[0] == "changed" and "chain" in held[1][1], held
    # As a whole run, moved to where no chain knows it, it holds.
    shutil.copytree(run.path, place.file(f"third/{run.id}"))
    assert verdict(place, run.id, "--root", place.file("third"), "--seal")["verdict"] == "verified"


@test
def redact_takes_a_record_out_of_a_compressed_segment(place):
    """Its blocks hold; what was compressed, said and put there is that very file and no other."""
    need("zstd")
    place.project()
    place.write("project/train.yaml", "config_version: 1\nseed: 42\nobservability:\n  rotate_mib: 1\n")
    place.write("project/many.py", "for i in range(8000):\n    print('line', i, 'of alexander-smith', 'x' * 60)\n")
    run = place.observe(sys.executable, "many.py", options=("--stage", "work"))
    name, = [n for n in os.listdir(run.path) if n.endswith(".zst")]
    segment, said = run.file(name), run.file("redactions.jsonl")

    def plain():
        return subprocess.run(["zstd", "-dcq", segment], capture_output=True, check=True).stdout.split(b"\n")

    with open(segment, "rb") as f:
        sealed = f.read()
    rows = plain()
    done = place.do("redact", run.id, "--line", f"{name}:99999", "--reason", "x", "--yes")
    assert done.returncode == 1 and "has no line 99999" in done.stderr, done.stderr
    done = place.do("redact", run.id, "--line", f"{name}:100", "--reason", "a name")
    assert done.returncode == 0 and lines(done)[0]["records"] == 1 and not os.path.exists(said), done.stderr
    for at, reason in ((100, "a name"), (5000, "another")):
        done = place.do("redact", run.id, "--line", f"{name}:{at}", "--reason", reason, "--yes")
        assert done.returncode == 0 and lines(done)[0]["done"], done.stdout + done.stderr
        rows[at - 1] = plain()[at - 1]
        assert json.loads(rows[at - 1])["msg"] == "record_redacted" and plain() == rows
        held, text = says(place, run)
        assert held == "verified" and f"reason: {reason}" in text[1], (held, text)
    assert "2 records; 2 blocks not provable, the rest holds" in text[1], text
    assert oracle(run).returncode == 0, oracle(run).stdout
    assert ".redacting" not in os.listdir(run.path)
    proof = place.do("verify", run.id, "--prove", f"{name}:2000")
    assert proof.returncode == 0, proof.stderr
    done = place.do("verify", run.id, "--prove", f"{name}:101")
    assert done.returncode == 4 and "was redacted" in done.stderr, done.stderr
    # Another file with the same plain bytes, one with other bytes, and the one that was sealed.
    with open(segment, "rb") as f:
        redacted = f.read()
    again = subprocess.run(["zstd", "-19", "-cq"], input=b"\n".join(rows), capture_output=True, check=True).stdout
    flipped = bytearray(redacted)
    flipped[len(flipped) // 2] ^= 1
    for what, content in (("packed anew", again), ("a flipped bit", bytes(flipped)), ("as sealed", sealed)):
        os.unlink(segment)
        with open(segment, "wb") as f:
            f.write(content)
        assert says(place, run)[0] == "changed", what
    # As a redaction that was killed leaves it; and the same command finishes it.
    assert "redact again" in says(place, run)[1][1], says(place, run)
    os.mkdir(run.file(".redacting"))
    for at, verdict_now in ((100, "changed"), (5000, "verified")):
        done = place.do("redact", run.id, "--line", f"{name}:{at}", "--reason", "again", "--yes")
        assert done.returncode == 0 and says(place, run)[0] == verdict_now, (done.stderr, says(place, run))
    assert says(place, run)[0] == "verified" and plain() == rows and ".redacting" not in os.listdir(run.path)


@test
def redact_is_signed_like_a_run(place):
    os.mkdir(place.file("project"))
    assert place.do("key", "new").returncode == 0
    shown = json.loads(place.do("key", "show").stdout)
    key, key_file = shown["public_key"], shown["path"]
    run = make(place)
    assert says(place, run, "--key", key)[0] == "verified"
    assert place.do("redact", run.id, "--reason", "a token", "--yes").returncode == 0
    held = says(place, run, "--key", key)
    assert held[0] == "verified" and f"signed by {key[:16]}" in held[1][1], held
    os.unlink(key_file)
    done = place.do("redact", run.id, "--line", f"{LANE}:700", "--reason", "no key", "--yes")
    assert done.returncode == 0, done.stderr
    held = says(place, run, "--key", key)
    assert held[0] == "changed" and "not signed" in held[1][1], held
    assert says(place, run)[0] == "verified"
