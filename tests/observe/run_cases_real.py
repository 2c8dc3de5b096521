"""Real programs that know nothing of us, on Rust text; real output replayed."""
import glob
import os
import shutil

from run_harness import PYTHON, SHARED, Skip, end_of, test

RUST = "/usr/src/rustc-1.63.0/library"


def corpus(p, n_bytes):
    here = os.path.dirname(os.path.abspath(__file__))
    own = os.path.join(here, "..", "..", "examples", "corpus")
    root = RUST if os.path.isdir(RUST) else own
    text = []
    size = 0
    for path in sorted(glob.glob(os.path.join(root, "**", "*.rs"), recursive=True)):
        with open(path, encoding="utf-8", errors="replace") as f:
            text += [line.strip() for line in f if line.strip()]
        size = sum(map(len, text[-2000:])) + size
        if size > n_bytes:
            break
    if not text:
        raise Skip("no Rust text: neither rust-src nor examples/corpus")
    out = os.path.join(p.path, "corpus.txt")
    with open(out, "w", encoding="utf-8") as f:
        f.write("\n".join(text)[:n_bytes] + "\n")
    return out, text


def need(name):
    if shutil.which(name) is None:
        raise Skip(f"{name} is not installed")


@test
def real_spm_train(p):
    need("spm_train")
    path, _ = corpus(p, 400000)
    r = p.run("spm_train", f"--input={path}", "--model_prefix=m", "--vocab_size=400", "--num_threads=2",
              options=("--stage", "tokenizer", "--metric",
                       r"em.objective=EM sub_iter=(?<step>\d+) size=\d+ obj=([-0-9.e+]+)"), timeout=120)
    assert r.returncode == 0, r.stderr[-2000:]
    assert os.path.exists(os.path.join(p.path, "m.model"))
    points = p.points("em.objective")
    assert len(points) >= 2 and all(float(v) > 0 for _, v in points), points
    assert any("trainer_interface" in r["line"] for r in p.lane("stderr", "tokenizer"))


@test
def real_fasttext(p):
    need("fasttext")
    _, text = corpus(p, 300000)
    path = os.path.join(p.path, "labelled.txt")
    with open(path, "w", encoding="utf-8") as f:
        for line in text[:20000]:
            label = "code" if line.endswith((";", "{", "}")) else "other"
            f.write(f"__label__{label} {line}\n")
    r = p.run("fasttext", "supervised", "-input", path, "-output", "m", "-epoch", "40", "-thread", "2", options=(
        "--metric", r"loss=avg.loss: *([-0-9.naif]+)", "--metric", r"lr=lr: *([0-9.]+)"), timeout=120)
    assert r.returncode == 0, r.stderr[-2000:]
    points = [float(v) for _, v in p.points("loss")]
    assert points and points[-1] < 1.0, points
    bars = [r for r in p.lane("stderr") if r.get("overwritten", 0) > 0] + p.lane("stdout")
    assert bars, "fasttext draws a progress bar"


@test
def real_xgboost(p):
    need("xgboost")
    _, text = corpus(p, 200000)
    with open(os.path.join(p.path, "train.svm"), "w", encoding="utf-8") as f:
        for line in text[:4000]:
            label = 1 if line.endswith(";") else 0
            f.write(f"{label} 1:{len(line)} 2:{line.count('(')} 3:{line.count('=')} 4:{line.count(' ')}\n")
    with open(os.path.join(p.path, "x.conf"), "w") as f:
        f.write('booster=gbtree\nobjective=binary:logistic\nnum_round=15\ndata="train.svm?format=libsvm"\n'
                'eval[train]="train.svm?format=libsvm"\neval_metric=logloss\nmodel_out="x.model"\n')
    r = p.run("xgboost", "x.conf", options=(
        "--metric", r"train.logloss=\[(?<step>\d+)\]\s+train-logloss:([0-9.]+)"), timeout=120)
    assert r.returncode == 0, r.stderr[-2000:]
    points = p.points("train.logloss")
    assert [s for s, _ in points] == [str(i) for i in range(15)], points
    assert float(points[-1][1]) < float(points[0][1]), "its loss falls"


def replay(p, files, *options):
    if not files:
        raise Skip(f"no {SHARED}/data/real_logs")
    r = p.run("cat", *files, options=options, timeout=120)
    assert r.returncode == 0 and end_of(r.stderr)["state"] == "finished", r.stderr[-1000:]


@test
def replay_of_llm_c(p):
    files = sorted(glob.glob(os.path.join(SHARED, "data/real_logs/produced_here/llm.c/*")))
    replay(p, files, "--metric", r"loss=(?:step|train) .*?loss:? ([0-9.]+)")
    lines = 0
    for path in files:
        with open(path, "rb") as f:
            lines += f.read().count(b"\n")
    assert p.metadata()["state"] == "finished"
    kept = p.lane("stdout")
    assert len(kept) + sum(r.get("overwritten", 0) for r in kept) >= lines, (len(kept), lines)
    assert len(p.points("loss")) > 5, p.points("loss")


@test
def replay_of_everything_produced_here(p):
    files = sorted(f for f in glob.glob(os.path.join(SHARED, "data/real_logs/produced_here/*/*"))
                   if os.path.isfile(f))
    replay(p, files, "--no-sample")
    assert len(p.lane("stdout")) > 1000
