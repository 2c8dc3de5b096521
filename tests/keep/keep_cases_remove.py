"""m31r rm, archive and clean: what goes, what stays, and that nothing else is touched."""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time

from keep_harness import Run, Skip, make_model, make_shards, make_tokenizer, need, test, wait_until

SHARED = os.path.abspath(os.environ.get("M31R_SHARED") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared"))
READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "reader_min.py")
SOAK = bool(os.environ.get("M31R_SOAK"))
CHECKPOINT = "import os; d = os.environ['M31R_RUN_DIR'] + '/checkpoints/';"


def lines(done):
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def verdict(place, run, *options):
    done = place.do("verify", run, "--json", *options)
    return next(x for x in lines(done) if x["kind"] == "verification")


def with_files(place, *names, code=0):
    """A run with these files of its program's own."""
    names = [os.fsencode(n) for n in names]
    program = CHECKPOINT + "".join(f"open(os.fsencode(d) + {n!r}, 'wb').write({n!r} * 10);" for n in names)
    done = place.do("run", "--stage", "work", "--", sys.executable, "-c", program + f"raise SystemExit({code})")
    assert done.returncode == code, done.stdout + done.stderr
    end = json.loads(done.stderr.strip().split("\n")[-1])
    return Run(os.path.join(place.file("project/experiments"), end["run_id"]))


def tombstone(place, run):
    with open(place.file(f"project/experiments/.removed/{run.id}/tombstone.json")) as f:
        return json.load(f)


@test
def remove_leaves_a_tombstone_and_asks_before(place):
    place.project()
    run, other = with_files(place, "a.pt"), with_files(place)
    with open(run.file("manifest.json")) as f:
        root = f.read()
    done = place.do("rm", run.id, "--json")
    assert done.returncode == 1 and "--reason" in done.stderr, done.stderr
    done = place.do("rm", run.id, "--reason", "a try", "--json")
    assert done.returncode == 0 and lines(done)[0]["done"] is False, done.stdout
    assert os.path.exists(run.file("metadata.json"))
    done = place.do("rm", run.id, "--reason", "a try", "--yes", "--json")
    assert done.returncode == 0 and lines(done)[0]["done"] is True, done.stdout + done.stderr
    assert not os.path.exists(run.path) and os.path.exists(other.path)
    left = tombstone(place, run)
    assert left["metadata"] == run.metadata and left["reason"] == "a try"
    assert left["root"] and left["root"] in root
    assert "checkpoints/a.pt" in [f["path"] for f in left["files"]], left["files"]
    assert [n for n in os.listdir(place.file("project/experiments")) if n.startswith(".remov")] == [".removed"]
    done = place.do("show", run.id)
    assert done.returncode == 1 and "tombstone.json" in done.stderr, done.stderr
    assert verdict(place, other.id)["verdict"] == "verified"  # the chain names one that is absent


@test
def remove_by_expression_spares_releases_and_keeps_logs_of_failures(place):
    place.project()
    kept, failed, fine = with_files(place, "k.pt"), with_files(place, "f.pt", code=3), with_files(place)
    assert place.do("release", kept.id, "v1").returncode == 0
    done = place.do("rm", "-w", 'stage=="work"', "--reason", "all of them", "--yes", "--json")
    found = {x["run_id"]: x for x in lines(done)}
    assert "for ever" in found[kept.id]["refused"] and not found[kept.id]["done"]
    assert found[failed.id]["done"] and found[fine.id]["done"]
    assert os.path.exists(kept.file("checkpoints/k.pt"))
    assert not os.path.exists(failed.path) and not os.path.exists(fine.path)
    with open(place.file(f"project/experiments/.removed/{failed.id}/work.log")) as f:
        assert '"state":"failed"' in f.read()
    assert os.listdir(place.file(f"project/experiments/.removed/{fine.id}")) == ["tombstone.json"]
    for command in (["rm", "v1", "--reason", "x", "--yes"], ["rm", "v1", "--payload", "--reason", "x", "--yes"],
                    ["archive", "v1", "elsewhere", "--yes"]):
        done = place.do(*command)
        assert done.returncode == 1 and "for ever" in done.stdout + done.stderr, done.stdout + done.stderr
    assert verdict(place, "v1")["verdict"] == "verified"


@test
def remove_payload_keeps_last_and_best_and_still_verifies(place):
    make_shards(place, held_out_percent=20)
    make_tokenizer(place)
    run = make_model(place, steps=12, checkpoint_every=2, eval_every=2)
    os.unlink(place.file("model.bin"))
    steps = sorted(a["step"] for a in run.metadata["artifacts"] if a["role"] == "checkpoint")
    assert len(steps) == 6, steps
    with open(run.file("metrics.csv")) as f:
        points = [line.split(",") for line in f.read().split("\n")[1:] if line.startswith("val_loss,")]
    best = int(min(points, key=lambda p: (float(p[2]), int(p[1])))[1])
    arguments = ["rm", run.id, "--payload", "--keep", "last,best:val_loss", "--reason", "disk is full"]
    assert place.do(*arguments, folder=".").returncode == 0
    assert len(os.listdir(run.file("checkpoints"))) == 6
    done = place.do(*arguments, "--yes", folder=".")
    assert done.returncode == 0, done.stdout + done.stderr
    left = sorted(int(n[5:11]) for n in os.listdir(run.file("checkpoints")))
    assert left == sorted({max(steps), best}), (left, best)
    said = place.do("verify", run.id, "--text", folder=".").stdout
    assert "payload removed on 20" in said and "disk is full" in said and run.id + "   verified" in said, said
    # What nobody removed by hand is missing; and the record has no tombstones.
    os.unlink(run.file(f"checkpoints/step_{max(steps):06d}.bin"))
    done = place.do("verify", run.id, folder=".")
    assert done.returncode == 4, done.stdout
    done = place.do("rm", run.id, "--payload", "--keep", "best:nothing", "--reason", "x", "--yes", folder=".")
    assert done.returncode == 1 and "not known" in done.stdout, done.stdout + done.stderr
    done = place.do("rm", run.id, "--payload", "--keep", "newest", "--reason", "x", "--yes", folder=".")
    assert done.returncode == 1, done.stdout + done.stderr


@test
def remove_a_tombstone_excuses_only_what_it_names(place):
    place.project()
    run = with_files(place, "a.pt", "b.pt")
    with open(run.file("work.log"), "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    note = {"ts": "2026-11-23T00:00:00.000000Z", "level": "INFO", "module": "notes",
            "msg": "payload_removed", "path": "work.log", "bytes": 1, "sha256": digest, "reason": "x"}
    with open(run.file("notes.jsonl"), "w") as f:
        f.write(json.dumps(note) + "\n")
        f.write(json.dumps({**note, "path": "checkpoints/a.pt", "sha256": "0" * 64}) + "\n")
    os.unlink(run.file("checkpoints/a.pt"))
    assert verdict(place, run.id)["verdict"] != "verified"
    shutil.copy(run.file("checkpoints/b.pt"), run.file("checkpoints/a.pt"))
    os.unlink(run.file("work.log"))
    assert verdict(place, run.id)["verdict"] != "verified"


@test
def remove_refuses_what_lives_or_was_not_ended(place):
    place.project()
    process = subprocess.Popen(["m31r", "run", "--", "sleep", "60"], cwd=place.file("project"), env=place.env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: '"running"' in place.do("runs", "--json").stdout, "the run")
    for command in (["rm", "@", "--reason", "x", "--yes"], ["rm", "@", "--payload", "--reason", "x", "--yes"],
                    ["archive", "@", "elsewhere", "--yes"], ["reproduce", "@"]):
        done = place.do(*command)
        assert done.returncode == 1, (command, done.stdout, done.stderr)
    process.terminate()
    process.wait(60)
    run = with_files(place)
    os.mkdir(run.file(".live"))
    done = place.do("rm", run.id, "--reason", "x", "--yes")
    assert done.returncode == 1 and "recover" in done.stdout, done.stdout + done.stderr
    assert os.path.exists(run.file("metadata.json"))


@test
def remove_and_archive_with_ids_that_attack(place):
    path = os.path.join(SHARED, "data", "bad_inputs", "run_ids.jsonl")
    if not os.path.exists(path):
        raise Skip("no shared/data/bad_inputs")
    place.project()
    run = with_files(place, "a.pt")
    place.write("victim/metadata.json", "not a run")
    place.write("project/victim/keep", "keep")
    before = sorted(os.listdir(place.path)), sorted(os.listdir(place.file("project")))
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        attacks = [json.loads(line) for line in f]
    bad = [a["id"] for a in attacks if a["expect"] == "reject" and "\0" not in a["id"]]
    assert len(bad) > 20, len(bad)
    commands = (["rm", "--reason", "x", "--yes", "--", None], ["archive", "--yes", "--", None, "else"])
    for i, name in enumerate(bad + ["../victim", "victim", "experiments", ".removed", "experiments/../victim"]):
        for command in commands if SOAK else commands[i % 2:][:1]:  # both find the run in the same way
            try:
                done = place.do(*(word or name for word in command))
            except (UnicodeEncodeError, ValueError):
                continue  # no argument of a program can be that
            assert done.returncode in (1, 3), (name, command, done.stdout, done.stderr)
    assert os.path.exists(run.file("checkpoints/a.pt"))
    assert (sorted(os.listdir(place.path)), sorted(os.listdir(place.file("project")))) == before


@test
def remove_names_of_every_kind_and_links(place):
    """Case, Unicode forms, 255 bytes, quotes, a line's end, and bytes that are no text at all."""
    place.project()
    names = ["A.pt", "a.pt", "\u00e9.pt", "e\u0301.pt", "x" * 255, "-rf", "a b\tc", "quote'\"$(x)", "two\nlines",
             b"caf\xe9.pt", b"caf\xe8.pt", b"\xff" * 255]
    run = with_files(place, *names)
    assert verdict(place, run.id, "--seal")["verdict"] == "verified"
    oracle = subprocess.run([sys.executable, READER, "--seal", run.path], capture_output=True, text=True)
    assert oracle.returncode == 0, oracle.stdout + oracle.stderr
    with open(run.file("manifest.json"), "rb") as f:
        listed = [bytes.fromhex(x["path_hex"]) if "path_hex" in x else x["path"].encode() for x in json.load(f)["files"]]
    assert {b"checkpoints/" + os.fsencode(name) for name in names} <= set(listed), listed
    renamed = os.path.join(os.fsencode(run.path), b"checkpoints/caf\xe8.pt")
    os.rename(renamed, renamed + b"x")  # another name that is no text is another file
    assert verdict(place, run.id, "--seal")["verdict"] == "incomplete"
    os.rename(renamed + b"x", renamed)
    outside = place.write("outside/keep.pt", "keep")
    os.symlink(place.file("outside"), run.file("link"))
    os.link(run.file("checkpoints/A.pt"), place.file("hard.pt"))
    done = place.do("rm", run.id, "--payload", "--reason", "names", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert os.listdir(run.file("checkpoints")) == [], os.listdir(run.file("checkpoints"))
    assert os.path.exists(place.file("hard.pt")) and os.path.exists(place.file(outside))
    assert verdict(place, run.id)["verdict"] == "verified"
    deep = run.path
    for _ in range(40):
        deep = os.path.join(deep, "d")
    os.makedirs(deep)
    done = place.do("rm", run.id, "--reason", "all", "--yes")
    assert done.returncode == 0 and not os.path.exists(run.path), done.stdout + done.stderr
    assert os.path.exists(place.file(outside))


@test
def remove_while_the_run_is_exchanged_for_a_link(place):
    """Whatever is put in its place, nothing outside of the directory of runs is touched."""
    place.project()
    made = with_files(place, "a.pt")
    store = place.file("store")
    shutil.move(made.path, store)
    place.write("outside/metadata.json", open(os.path.join(store, "metadata.json")).read())
    place.write("outside/checkpoints/keep.pt", "keep")
    rounds, over = 500 if SOAK else 10, threading.Event()

    def exchange():
        link = made.path + ".link"
        while not over.is_set():
            try:
                if not os.path.islink(link):
                    os.symlink(place.file("outside"), link)
                os.rename(made.path, made.path + ".aside")
                os.rename(link, made.path)
                os.unlink(made.path)
                os.rename(made.path + ".aside", made.path)
            except OSError:
                time.sleep(0.0001)

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        for i in range(rounds):
            try:
                if not os.path.exists(made.path + ".aside"):
                    shutil.copytree(store, made.path)
            except OSError:
                pass  # it is there
            place.do("rm", made.id, *(["--payload"] if i % 2 else []), "--reason", "race", "--yes")
            assert os.path.exists(place.file("outside/metadata.json")), i
            assert os.path.exists(place.file("outside/checkpoints/keep.pt")), i
    finally:
        over.set()
        thread.join()
    assert not os.path.exists(place.file(".removed"))


@test
def remove_a_link_to_a_run_elsewhere_is_refused(place):
    place.project()
    run = with_files(place, "a.pt")
    elsewhere = place.file("elsewhere")
    shutil.move(run.path, elsewhere)
    os.symlink(elsewhere, run.path)
    for command in (["rm", run.path, "--reason", "x", "--yes"], ["archive", run.path, "else", "--yes"],
                    ["rm", run.path, "--payload", "--reason", "x", "--yes"]):
        done = place.do(*command)
        assert done.returncode == 1 and "link" in done.stdout + done.stderr, (done.stdout, done.stderr)
    assert os.path.exists(os.path.join(elsewhere, "checkpoints/a.pt")) and os.path.islink(run.path)


@test
def remove_archive_moves_a_run_whole(place):
    place.project()
    run, other = with_files(place, "a.pt", "b.pt"), with_files(place, "c.pt")
    before = {n: os.stat(run.file(n)).st_mtime_ns for n in ("metrics.csv", "checkpoints/a.pt")}
    target = place.file("archive/experiments")
    assert place.do("archive", run.id, target).returncode == 0
    assert not os.path.exists(target) and os.path.exists(run.path)
    done = place.do("archive", run.id, target, "--yes", "--json")
    assert done.returncode == 0 and lines(done)[0]["done"], done.stdout + done.stderr
    assert not os.path.exists(run.path)
    moved = os.path.join(target, run.id)
    assert {n: os.stat(os.path.join(moved, n)).st_mtime_ns for n in before} == before
    assert verdict(place, run.id, "--root", target)["verdict"] == "verified"
    assert tombstone(place, run)["moved_to"] == target
    assert verdict(place, other.id)["verdict"] == "verified"
    assert os.listdir(target) == [run.id], os.listdir(target)
    # There already; changed; a release.
    shutil.copytree(moved, run.path, symlinks=True)
    done = place.do("archive", run.id, target, "--copy", "--yes")
    assert done.returncode == 1 and "already" in done.stderr, done.stderr
    assert place.do("release", other.id, "v1").returncode == 0
    assert place.do("archive", "v1", target, "--copy", "--yes").returncode == 0
    assert os.path.exists(other.path) and verdict(place, other.id, "--root", target)["verdict"] == "verified"
    os.chmod(run.file("work.log"), 0o644)
    with open(run.file("work.log"), "a") as f:
        f.write("x\n")
    done = place.do("archive", run.id, place.file("third"), "--yes")
    assert done.returncode == 4 and "verify" in done.stderr, done.stdout + done.stderr
    assert os.path.exists(run.path) and not os.path.exists(place.file("third"))


@test
def remove_nothing_breaks_when_experiments_is_moved_copied_or_packed(place):
    need("tar")
    place.project()
    runs = [with_files(place, "a.pt").id for _ in range(3)]
    assert place.do("tag", runs[0], "first").returncode == 0
    assert place.do("rm", runs[1], "--payload", "--reason", "x", "--yes").returncode == 0
    root = place.file("project/experiments")
    shutil.copytree(root, place.file("copy"), symlinks=True)
    ways = [place.file("copy")]
    subprocess.run("tar cf t.tar -C project experiments && mkdir un && tar xf t.tar -C un", shell=True,
                   cwd=place.path, check=True)
    ways.append(place.file("un/experiments"))
    if shutil.which("rsync"):
        subprocess.run(["rsync", "-a", root + "/", place.file("synced")], check=True)
        ways.append(place.file("synced"))
    os.rename(root, place.file("moved"))
    ways.append(place.file("moved"))
    for way in ways:
        for run in runs:
            assert verdict(place, run, "--root", way)["verdict"] == "verified", (way, run)
        assert json.loads(place.do("show", "first", "--root", way, "--json").stdout)["run_id"] == runs[0]
        assert place.do("lineage", "first", "--root", way).returncode == 0


def logs_of(place, *segments):
    for name, text in segments:
        place.write("project/logs/" + name, text)


@test
def remove_clean_by_age_size_and_number_never_failures(place):
    place.project()
    info = '{"ts":"2026-01-01T00:00:00.000000Z","level":"INFO","module":"m","msg":"x"}\n'
    error = info.replace("INFO", "ERROR")
    logs_of(place, ("shell.log", info), ("shell.000001.20200101T000000Z.log", info),
            ("shell.000002.20200201T000000Z.log", error), ("shell.000003.20200301T000000Z.log", info * 20000),
            ("shell.000004.20260101T000000Z.log", info), ("other.000001.20200101T000000Z.log", info))
    done = place.do("clean")
    assert done.returncode == 1 and "policy" in done.stderr, done.stderr
    with open(place.file("project/m31r.yaml"), "a") as f:
        f.write("clean_days: 30\n")
    there = sorted(os.listdir(place.file("project/logs")))
    done = place.do("clean", "--json")
    assert {x["file"] for x in lines(done) if x["kind"] == "cleaned" and x["what"] == "goes"} == {
        "shell.000001.20200101T000000Z.log", "shell.000003.20200301T000000Z.log"}, done.stdout
    assert sorted(os.listdir(place.file("project/logs"))) == there
    done = place.do("clean", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert sorted(os.listdir(place.file("project/logs"))) == [
        "other.000001.20200101T000000Z.log", "removed.jsonl", "shell.000002.20200201T000000Z.log",
        "shell.000004.20260101T000000Z.log", "shell.log"]
    with open(place.file("project/logs/removed.jsonl")) as f:
        gone = [json.loads(line) for line in f]
    assert [g["msg"] for g in gone] == ["segment_removed"] * 2
    assert gone[1]["sha256"] == hashlib.sha256(info.encode()).hexdigest()
    logs_of(place, ("shell.000003.20250301T000000Z.log", info * 20000), ("shell.000001.20200101T000000Z.log", info))
    done = place.do("clean", "--days", "36500", "--mib", "1", "--yes", "--json")
    assert [x["file"] for x in lines(done) if x.get("what") == "removed"] == [
        "shell.000003.20250301T000000Z.log"], done.stdout
    done = place.do("clean", "--days", "36500", "--count", "1", "--yes", "--json")
    assert [x["file"] for x in lines(done) if x.get("what") == "removed"] == [
        "shell.000001.20200101T000000Z.log"], done.stdout
    done = place.do("clean", "--days", "0", "--logs", "experiments", "--yes")
    with_files(place)
    done = place.do("clean", "--days", "0", "--logs", "experiments", "--yes")
    assert done.returncode == 1 and "logs/" in done.stderr, done.stdout + done.stderr


@test
def remove_runs_say_what_disk_the_trials_hold(place):
    place.project()
    with_files(place)
    done = place.do("run", "--try", "--", sys.executable, "-c",
                    CHECKPOINT + "open(d + 'big', 'wb').write(b'x' * 3000000)")
    assert done.returncode == 0, done.stderr
    counts = lines(place.do("runs", "--json"))[-1]
    assert counts["trials"] == 1 and 3000000 < counts["trial_bytes"] < 3200000, counts
    assert "(1 trial, 2.9 MiB)" in place.do("runs", "--text").stdout
