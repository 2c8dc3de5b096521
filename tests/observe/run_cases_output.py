"""Transparency, capture, printing, metrics, samples."""
import json
import os
import resource
import shutil
import signal
import subprocess

from run_harness import COMMAND, FAKE_NVML, PYTHON, Skip, end_of, need, test, wait_until


@test
def exit_status_passes(p):
    for status in (0, 1, 7, 125, 255):
        r = p.run("sh", "-c", f"exit {status}")
        assert r.returncode == status, r
        assert end_of(r.stderr)["child_exit"] == status
    assert len(p.runs()) == 5


@test
def states_of_ends(p):
    assert end_of(p.run("true").stderr)["state"] == "finished"
    end = end_of(p.run("false").stderr)
    assert (end["state"], end["cause"]) == ("failed", "exit_status"), end


@test
def a_signal_is_raised_again(p):
    for name in ("SIGKILL", "SIGSEGV", "SIGTERM", "SIGUSR1"):
        number = getattr(signal, name)
        r = p.run("sh", "-c", f"kill -{number} $$")
        assert r.returncode == -number, (name, r)
        end = end_of(r.stderr)
        assert (end["state"], end["cause"], end["child_exit"]) == ("killed", "signal", name), end


@test
def end_names_the_signal(p):
    for name in ("SIGKILL", "SIGSEGV"):
        end = end_of(p.run("sh", "-c", f"kill -{name[3:]} $$").stderr)
        assert end["child_exit"] == name, end


@test
def system_metrics_come_last_and_have_no_best(p):
    p.run("sh", "-c", "sleep 0.4; echo loss 1.5; echo loss 1.25; sleep 0.4", options=(
        "--sample-interval", "0.2", "--metric", "loss=loss ([0-9.]+)"))
    for command in ("show", "metrics"):
        r = subprocess.run([COMMAND, command, "--json"], cwd=p.path, env=p.env, capture_output=True, check=True)
        rows = [json.loads(line) for line in r.stdout.splitlines()]
        rows = rows[0]["metrics"] if command == "show" else rows
        assert rows[0]["name"] == "loss" and len(rows) >= 4, rows
        assert all(m["name"].startswith("system.") and m["best"] is None for m in rows[1:]), rows


@test
def program_not_found_is_127_and_recorded(p):
    r = p.run("/nowhere/no-such-program")
    assert r.returncode == 127
    end = end_of(r.stderr)
    assert (end["state"], end["cause"]) == ("failed", "exec"), end
    assert p.events("exec_failed")[0]["error"] == "No such file or directory"
    assert p.metadata()["state"] == "failed"


@test
def program_not_executable_is_126(p):
    with open(os.path.join(p.path, "plain"), "w") as f:
        f.write("text")
    r = p.run("./plain")
    assert r.returncode == 126, r
    assert end_of(r.stderr)["cause"] == "exec"


@test
def missing_identity_is_refused_at_once(p):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    r = subprocess.run([COMMAND, "run", "--", "true"], cwd=p.path, env=p.env, capture_output=True,
                       timeout=20)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert r.returncode == 2, r
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < 1.0, used  # of the processor: what else runs here does not count
    text = r.stderr.decode()
    for word in ("config", "seed", "dataset", "tokenizer", "commit", "m31r run"):
        assert word in text, (word, text)
    assert "run_end" not in text and p.runs() == []


@test
def the_command_of_a_refusal_runs_when_pasted(p):
    """Whatever stands in the arguments: the shell that it is pasted into gives the program the same ones."""
    words = ["a b", "it's", "$HOME", "*", "--seed={seed}", "", "x\\y", "caf\u00e9", "# no"]
    with open(os.path.join(p.path, "train.yaml"), "w") as f:
        f.write("config_version: 1\nlr: 0.1\n")
    program = [PYTHON, "-c", "import json,sys; json.dump(sys.argv[1:], open('argv.json', 'w'))", "--config",
               "train.yaml", *words]
    r = subprocess.run([COMMAND, "run", "--", *program], cwd=p.path, env=p.env, capture_output=True, timeout=20)
    assert r.returncode == 2 and p.runs() == [], r
    pasted = json.loads(r.stderr)["error"]["hint"].split("\n")[0]
    assert "--config train.yaml" in pasted and pasted.startswith("m31r run "), pasted
    env = dict(p.env, PATH=os.path.dirname(COMMAND) + ":" + p.env["PATH"])
    r = subprocess.run(["sh", "-c", pasted], cwd=p.path, env=env, capture_output=True, timeout=60)
    assert r.returncode == 0 and end_of(r.stderr)["state"] == "finished", r
    with open(os.path.join(p.path, "argv.json")) as f:
        got = json.load(f)
    seed = p.metadata()["seed"]
    assert got == ["--config", "train.yaml", *[w.replace("{seed}", str(seed)) for w in words]], got
    assert p.metadata()["config_path"] == "train.yaml" and p.metadata()["kind"] == "run"


@test
def a_trial_keeps_the_config_that_an_argument_names(p):
    text = "# mine\nlr: 0.1   # tuned\nseed: 7\n"
    for words, kept in ((["--config", "c.yaml"], True), (["--config=c.yaml"], True), (["c.yaml"], True),
                        (["-x", "other.yaml", "--cfg", "c.yaml"], True), (["--config", "none.yaml"], False),
                        (["c.yaml.txt"], False), (["--config", "broken.yaml"], False)):
        q = type(p)()
        for name, content in (("c.yaml", text), ("other.yaml", "a: 1\n"), ("broken.yaml", "a: [1\n")):
            with open(os.path.join(q.path, name), "w") as f:
                f.write(content)
        r = q.run("true", *words, options=("--no-sample",))
        assert r.returncode == 0, (words, r)
        with open(os.path.join(q.run_dir(), "config_snapshot.yaml")) as f:
            snapshot = f.read()
        meta = q.metadata()
        assert (snapshot == text) == kept, (words, snapshot)
        assert not kept or (meta["config_path"], meta["sources"]["config"]) == ("c.yaml", "declared"), meta
        said = [x["detail"] for x in q.lane("") if x["msg"] == "identity_warning"]
        assert any("an argument names it" in x for x in said) == (kept or "broken" in words[-1]), (words, said)
        q.remove()


@test
def check_runs_nothing(p):
    r = subprocess.run([COMMAND, "run", "--check", "--config", "none", "--seed", "5", "--dataset", "none",
                        "--tokenizer", "none", "--commit", "none", "--", "touch", "made"],
                       cwd=p.path, env=p.env, capture_output=True, timeout=20)
    assert r.returncode == 0, r
    line = json.loads(r.stdout)
    assert (line["kind"], line["seed"]["value"], line["seed"]["source"]) == ("identity", "5", "declared"), line
    assert p.runs() == [] and not os.path.exists(os.path.join(p.path, "made"))


@test
def environment_and_seed_reach_the_program(p):
    r = p.run("sh", "-c", 'echo "$M31R_SEED $M31R_OBSERVED $0 $M31R_RUN_ID"; test -d "$M31R_RUN_DIR/checkpoints"',
              "--seed={seed}", options=("--seed", "42", "--id-file", "id"))
    assert r.returncode == 0, r
    with open(os.path.join(p.path, "id")) as f:
        run_id = f.read().strip()
    assert p.texts() == [f"42 1 --seed=42 {run_id}"], p.texts()
    assert os.path.basename(p.run_dir()) == run_id == end_of(r.stderr)["run_id"]


@test
def a_program_of_a_few_ms_records_its_libraries(p):
    """It is over before it can be looked at: what its file links is taken then."""
    need("ldd")
    program = shutil.which("true", path="/usr/bin:/bin")
    said = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    linked = {os.path.basename(os.path.realpath(word)) for word in said.split() if word.startswith("/")}
    p.run(program)
    environment = p.metadata()["environment"]
    assert [x["name"] for x in environment["programs"]] == ["true"], environment["programs"]
    assert linked and linked <= {x["name"] for x in environment["libraries"]}, environment["libraries"]


@test
def stdin_passes_untouched(p):
    data = os.urandom(300000)
    r = p.run("sha256sum", stdin=None, input=data)
    import hashlib
    assert p.texts() == [hashlib.sha256(data).hexdigest() + "  -"], r


@test
def tee_is_byte_exact(p):
    program = ("import sys,random;random.seed(1);b=random.randbytes(400000)+b'\\r50%\\r60%\\n\\xff\\xc3';"
               "sys.stdout.buffer.write(b);sys.stderr.buffer.write(b[:1000]+b'\\n')")
    bare = subprocess.run([PYTHON, "-c", program], capture_output=True)
    r = p.run(PYTHON, "-c", program, options=("--tee",))
    assert r.stdout == bare.stdout
    assert r.stderr.startswith(bare.stderr)
    assert end_of(r.stderr)["state"] == "finished"
    assert r.stderr[len(bare.stderr):].count(b"\n") == 1


@test
def pipe_output_is_json_lines(p):
    r = p.run("sh", "-c", "echo one; echo two >&2; echo '{\"a\":1}'")
    records = [json.loads(line) for line in r.stdout.decode().split("\n")[:-1]]
    messages = [x["msg"] for x in records]
    assert "run_start" in messages and "run_end" in messages, messages
    assert ("one", "two") == tuple(x["line"] for m in ("stdout", "stderr")
                                   for x in records if x["module"] == m and x["msg"] == "line")
    shown = {json.dumps(x) for x in records}
    for lane in ("stdout", "stderr", "observer", ""):
        for record in p.lane(lane):
            assert json.dumps(record) in shown, (lane, record)


@test
def lines_of_every_kind(p):
    program = r"""
import os, time
w = lambda b: os.write(1, b)
w(b"plain\r\n")
w("caf\u00e9 \u20ac".encode()[:4]); time.sleep(0.2); w("caf\u00e9 \u20ac".encode()[4:] + b"\n")
w(b"\n")
w(b"x" * 100000 + b"\n")
w(bytes(range(256)) + b"\n")
w(b"last without newline")
"""
    p.run(PYTHON, "-c", program)
    records = p.lane("stdout")
    texts = [r["line"] for r in records]
    assert texts[:3] == ["plain", "caf\u00e9 \u20ac", ""], texts[:3]
    parts = [r for r in records if "part" in r]
    assert [r["part"] for r in parts] == list(range(1, len(parts) + 1))
    assert parts[-1]["parts"] == len(parts) >= 2
    assert "".join(r["line"] for r in parts) == "x" * 100000
    assert all(len(json.dumps(r)) < 65536 for r in records)
    assert records[-1]["line"] == "last without newline" and records[-1]["unterminated"] is True
    noise = texts[3 + len(parts):-1]
    assert "".join(noise).endswith("\ufffd"), noise


@test
def progress_bars_are_thinned_and_counted(p):
    program = ("import sys,time\n"
               "for i in range(300):\n"
               "    sys.stderr.write(f'\\r{i}/300'); sys.stderr.flush(); time.sleep(0.008)\n"
               "sys.stderr.write('\\rdone\\n')\n")
    p.run(PYTHON, "-c", program)
    records = p.lane("stderr")
    assert 2 <= len(records) <= 8, records
    assert records[-1]["line"] == "done"
    assert len(records) + sum(r["overwritten"] for r in records) == 301, records


@test
def json_lines_keep_their_fields(p):
    lines = [
        '{"ts":"2020-01-01T00:00:00.000000Z","level":"CRITICAL","module":"trainer","msg":"boom","step":3}',
        '{"level":"warning","message":"m","n":12345678901234567890,"deep":{"a":[1,2]},"x":1.50,"t":true,"z":null}',
        '{"a":1,"a":2}', '[1,2]', '{"broken":']
    r = p.run("printf", "%s\\n", *lines)
    a, b, c, d, e = p.lane("stdout")
    assert (a["level"], a["module"], a["msg"], a["step"]) == ("ERROR", "trainer", "boom", 3), a
    assert (a["src_ts"], a["src_level"]) == ("2020-01-01T00:00:00.000000Z", "CRITICAL"), a
    assert (b["module"], b["msg"], b["level"], b["src_level"]) == ("stdout", "json", "WARNING", "warning"), b
    assert (b["n"], b["deep"], b["x"], b["t"], b["z"]) == ("12345678901234567890", '{"a":[1,2]}', 1.5, True, None)
    assert [x["msg"] for x in (c, d, e)] == ["line"] * 3
    assert end_of(r.stderr)["state"] == "finished", "what a program prints does not change the state"


@test
def full_unread_stdout_does_not_block(p):
    read, write = os.pipe()
    q = p.start(PYTHON, "-c", "for i in range(120000): print('line', i, 'x' * 40)", stdout=write)
    os.close(write)
    try:
        _, err = q.communicate(timeout=100)
    finally:
        os.close(read)
    assert q.returncode == 0 and end_of(err)["state"] == "finished"
    assert len(p.texts()) == 120000
    assert p.events("print_dropped")[0]["bytes"] > 0


@test
def closed_stdout_does_not_end_the_program(p):
    q = p.start("sh", "-c", "for i in 1 2 3 4 5; do echo line $i; sleep 0.1; done; echo end > made",
                stdout=subprocess.PIPE)
    q.stdout.close()
    q.wait(timeout=30)
    q.stderr.close()
    assert q.returncode == 0
    assert os.path.exists(os.path.join(p.path, "made"))
    assert len(p.texts()) == 5


@test
def capture_patterns_keeps_no_text(p):
    with open(os.path.join(p.path, "s"), "w") as f:
        f.write("echo secret prompt; echo loss: 1.5")
    r = p.run("sh", "s", options=(
        "--stage", "serve", "--metric", r"loss=loss: ([0-9.]+)"))
    assert r.returncode == 0, r
    everything = b""
    for root, _, files in os.walk(p.run_dir()):
        for f in files:
            with open(os.path.join(root, f), "rb") as stream:
                everything += stream.read() if f != "metadata.json" else b""
    assert b"secret prompt" not in everything and b"secret prompt" not in r.stdout
    assert p.points("loss") == [("", "1.5")]
    counts = [x for x in p.lane("observer", "serve") if x["msg"] == "capture_counts"]
    assert counts[0]["lines"] == 2 and p.metadata()["capture"] == "patterns"


@test
def metrics_from_text(p):
    program = ("import math\n"
               "for i in range(5): print(f'step {i*10}: loss: {2.5 - i/10} | lr {1e-3/(i+1):.2e}')\n"
               "print('step 50: loss: nan | lr 1e-5')\nprint('step 1,000: loss: -inf | lr +.5')\n")
    p.run(PYTHON, "-c", program, options=(
        "--metric", r"loss=step (?<step>[\d,]+): loss:? ([-+0-9.eEnaif]+)", "--metric", r"lr=lr ([-+0-9.eE]+)"))
    assert p.points("loss") == [("0", "2.5"), ("10", "2.4"), ("20", "2.3"), ("30", "2.2"), ("40", "2.1"),
                                ("50", "NaN"), ("1000", "-Infinity")], p.points("loss")
    assert p.points("lr")[0] == ("0", "0.001") and p.points("lr")[-1] == ("1000", "0.5"), p.points("lr")


@test
def bad_pattern_is_refused_with_its_place(p):
    r = p.run("true", options=("--metric", "loss=loss (["))
    text = r.stderr.decode()
    assert r.returncode == 2 and "character" in text and "^" in text, text
    assert p.runs() == []


@test
def unmatched_pattern_proposes_one(p):
    line = "epoch 3 | train loss = 0.4321 | 12 ms"
    p.run("echo", line, options=("--metric", r"train/loss=training loss ([0-9.]+)"))
    event = p.events("metric_pattern_unmatched")[0]
    assert event["level"] == "WARNING" and event["metric"] == "train/loss", event
    proposal = event["proposal"]
    p2 = type(p)()
    p2.run("echo", line, options=("--metric", proposal))
    assert p2.points("train/loss") == [("", "0.4321")], (proposal, p2.points("train/loss"))
    p2.remove()


@test
def samples_of_the_tree(p):
    program = ("import subprocess,sys,time\nb=bytearray(60<<20)\n"
               "q=subprocess.Popen([sys.executable,'-c','x=bytearray(60<<20)\\nimport time\\n"
               "e=time.time()+1.5\\nwhile time.time()<e: pass'])\nq.wait()\n")
    p.run(PYTHON, "-c", program, options=("--sample-interval", "0.2"))
    samples = p.events("system_sample")
    assert len(samples) >= 3, len(samples)
    assert min(s["rss_mb"] for s in samples) > 0.1, "a sample of a program that is not there yet, or no more"
    assert max(s["processes"] for s in samples) == 2
    assert max(s["rss_mb"] for s in samples) > 110, samples
    assert max(s["cpu_percent"] or 0 for s in samples) > 3, samples
    assert len(p.points("system.rss_mb")) == len(samples)
    assert all(step == "" for step, _ in p.points("system.cpu_percent"))


@test
def no_samples_when_off(p):
    p.run("sleep", "0.3", options=("--no-sample",))
    assert p.events("system_sample") == [] and p.points("system.rss_mb") == []


@test
def gpus_through_nvml(p):
    if FAKE_NVML is None or not os.path.exists(os.path.join(FAKE_NVML, "libnvidia-ml.so.1")):
        raise Skip("the stand-in for libnvidia-ml.so.1 is not built")
    p.env["LD_LIBRARY_PATH"] = FAKE_NVML
    p.run("sleep", "0.5", options=("--sample-interval", "0.2"))
    sample = p.events("system_sample")[0]
    assert (sample["gpu0_util_percent"], sample["gpu0_memory_mb"]) == (87, 3072.0), sample
    assert "gpu1_util_percent" not in sample, "a GPU that does not answer is left out"
    assert p.points("system.gpu0.memory_mb")[0] == ("", "3072.0")


@test
def a_program_reads_the_memory_of_gpus(p):
    if FAKE_NVML is None or not os.path.exists(os.path.join(FAKE_NVML, "libnvidia-ml.so.1")):
        raise Skip("the stand-in for libnvidia-ml.so.1 is not built")
    joiner = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_joiner")
    p.run(joiner, "memory")
    p.env["LD_LIBRARY_PATH"] = FAKE_NVML
    p.run(joiner, "memory")
    records = []
    for run in sorted(p.runs()):
        with open(os.path.join(run, "train.log"), encoding="utf-8") as f:
            records += map(json.loads, f)
    seen = [x for x in records if x["msg"] == "memory"]
    steps = [x for x in records if x["msg"] == "step_complete"]
    assert {x.get("gpu_memory_mb") for x in steps} == {None, 3 * 1024} and len(steps) == 2, steps
    assert {(x["has_gpu"], x["gpu_bytes"]) for x in seen} == {(False, 0), (True, 3 << 30)}, seen
    assert all(x["rss_bytes"] > 1 << 20 for x in seen)


@test
def project_file_gives_metrics_and_capture(p):
    with open(os.path.join(p.path, "m31r.yaml"), "w") as f:
        f.write("config_version: 1\nmetrics:\n  - 'loss=loss ([0-9.]+)'\ncapture: patterns\n")
    p.run("echo", "loss 4.5")
    assert p.points("loss") == [("", "4.5")]
    assert p.metadata()["capture"] == "patterns" and p.lane("stdout") == []


@test
def leftover_children_are_not_waited_for_long_nor_killed(p):
    gate = os.path.join(p.path, "gate")
    os.mkfifo(gate)
    r = p.run("sh", "-c", "(read x < gate; echo late; echo late > made) & echo early")  # not waited for: it ends
    assert r.returncode == 0 and p.texts() == ["early"]
    assert p.events("output_left_open"), "said"
    with open(gate, "w") as f:
        f.write("go\n")
    wait_until(lambda: os.path.exists(os.path.join(p.path, "made")), "the child's print did not kill it")


@test
def cause_hints_need_a_failure(p):
    p.run("sh", "-c", "echo 'RuntimeError: CUDA out of memory. Tried to allocate' >&2; exit 1")
    meta = p.metadata()
    assert (meta["state"], meta["cause"]) == ("failed", "cuda_oom") and "likely" in meta["cause_evidence"]
    end = end_of(p.run("sh", "-c", "echo 'CUDA out of memory'; exit 0").stderr)
    assert (end["state"], end["cause"]) == ("finished", None), end
    assert end_of(p.run("sh", "-c", "echo 'x: No space left on device'; exit 1").stderr)["cause"] == "disk"


@test
def two_hundred_thousand_lines_all_kept(p):
    p.run(PYTHON, "-c", "import sys\nfor i in range(200000): sys.stdout.write(f'line {i}\\n')",
          options=("--no-sample",), timeout=120)
    assert p.texts() == [f"line {i}" for i in range(200000)]


@test
def large_dataset_is_pending_then_known(p):
    os.mkdir(os.path.join(p.path, "data"))
    for i in range(60):
        with open(os.path.join(p.path, "data", f"{i}.bin"), "wb") as f:
            f.write(os.urandom(1 << 20))
    r = p.run("sh", "-c", "cp $M31R_RUN_DIR/metadata.json early.json; sleep 1", options=("--dataset", "data"))
    assert r.returncode == 0, r
    with open(os.path.join(p.path, "early.json")) as f:
        early = json.load(f)["digests"]["dataset"]["state"]
    late = p.metadata()
    assert early == "pending" and late["digests"]["dataset"]["state"] == "known", (early, late["digests"])
    assert late["digests"]["dataset"]["files"] == 60 and len(late["dataset_sha256"]) == 64


@test
def a_dirty_work_tree_keeps_its_diff(p):
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
    with open(os.path.join(p.path, "train.c"), "w") as f:
        f.write("int lr = 1;\n")
    for args in (["init", "-q"], ["add", "train.c"], ["commit", "-q", "-m", "one"]):
        subprocess.run(git + args, cwd=p.path, env=p.env, check=True, capture_output=True)
    with open(os.path.join(p.path, "train.c"), "w") as f:
        f.write("int lr = 2;\n")
    with open(os.path.join(p.path, "new.py"), "w") as f:
        f.write("print(1)\n")
    p.run("true")
    code = p.metadata()["code"]
    assert code["dirty"] is True and len(code["diff"]["sha256"]) == 64, code
    with open(os.path.join(p.run_dir(), code["diff"]["file"])) as f:
        assert "+int lr = 2;" in f.read()
    assert [u["path"] for u in code["untracked"]] == ["new.py"], code["untracked"]


@test
def identity_warnings_can_be_read(p):
    p.run("true")
    warnings = [r["detail"] for r in p.lane("") if r["msg"] == "identity_warning"]
    assert any("no seed" in w for w in warnings), warnings
