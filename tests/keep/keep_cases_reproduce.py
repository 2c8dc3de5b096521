"""m31r reproduce: the same bits again, or what is different, by name."""
import json
import os
import re
import shutil
import subprocess
import sys

from keep_harness import EXAMPLE, Run, Skip, make_model, make_shards, make_tokenizer, need, test


def assert_same(again, status=0):
    assert again.status == status and again.last["reproduced"], again.said


def scratch_is_gone(place, folder="project"):
    assert not os.path.exists(place.file(folder + "/experiments/.reproduce"))
    assert place.git("worktree", "list", folder=folder).count("\n") == 1


@test
def reproduce_a_run_is_equal_names_its_origin_and_leaves_nothing(place):
    place.project()
    run = place.observe(OMP_NUM_THREADS="2")
    again = place.reproduce(run.id)
    assert_same(again)
    new = Run(os.path.join(os.path.dirname(run.path), again.last["new_run_id"]))
    assert new.metadata["reproduces"] == run.id
    assert new.metadata["identity_sha256"] == run.metadata["identity_sha256"]
    assert new.metadata["environment"]["settings"]["OMP_NUM_THREADS"] == "2"
    assert again.result("code") == "same" and again.result("dataset") == "same"
    assert place.git("status", "--short") == ""
    scratch_is_gone(place)


@test
def reproduce_a_dry_run_changes_nothing(place):
    place.project()
    run = place.observe()
    again = place.reproduce(run.id, "--dry-run")
    assert again.status == 0 and again.last is None, again.said
    assert len([n for n in os.listdir(os.path.dirname(run.path)) if n[0] == "2"]) == 1
    scratch_is_gone(place)


@test
def reproduce_the_pipelines_training_bit_for_bit(place):
    make_shards(place, held_out_percent=20)
    make_tokenizer(place)
    run = make_model(place, steps=6)
    again = place.reproduce(run.id, "--link", "shards", folder=".")
    assert_same(again)
    new = Run(os.path.join(os.path.dirname(run.path), again.last["new_run_id"]))
    for step in (4,):
        name = f"checkpoints/step_{step:06d}.bin"
        with open(run.file(name), "rb") as a, open(new.file(name), "rb") as b:
            assert a.read() == b.read(), name
    # One changed byte in one shard is named, with the file.
    shard = [a["path"] for a in run.metadata["artifacts"] if a["role"] == "input"
             and "shard" in a["path"]][0]
    os.chmod(place.file(shard), 0o644)
    with open(place.file(shard), "r+b") as f:
        f.seek(40)
        byte = f.read(1)
        f.seek(40)
        f.write(bytes([byte[0] ^ 1]))
    again = place.reproduce(run.id, "--link", "shards", folder=".")
    assert again.status == 4 and again.last is None, again.said
    assert again.result("input " + shard) == "refused", again.said


@test
def reproduce_one_changed_byte_of_data_is_named_and_parts(place):
    place.project()
    run = place.observe()
    place.write("project/data/shard_000", "fn main() {;\n;")
    again = place.reproduce(run.id)
    assert again.status == 4 and again.last is None, again.said
    assert again.result("dataset") == "refused", again.said
    again = place.reproduce(run.id, "--anyway")
    assert again.status == 4 and not again.last["reproduced"], again.said
    assert again.result("dataset") == "differs" and again.last["parts_at_step"] == 1, again.said


@test
def reproduce_one_changed_constant_of_the_source_is_named_and_parts(place):
    place.project()
    run = place.observe()
    with open(place.file("project/train.py")) as f:
        text = f.read()
    place.write("project/train.py", text.replace("100.0", "100.5"))
    again = place.reproduce(run.id, "--here")
    assert again.status == 4 and not again.last["reproduced"], again.said
    assert again.result("changes") == "differs" and again.result("program train.py") == "differs"
    assert ("code", "diff train.py") in again.differs, again.said
    assert_same(place.reproduce(run.id))  # the commit is still what it was


COMPILE = ("cc -c -O0 -w -D_GNU_SOURCE -DTRAIN_NO_M31R -DTRAIN_OWN_CORPUS='\"\"' "
           "$(pkg-config --cflags openblas)")
LINK = "cc *.o -o train $(pkg-config --libs openblas) -lm -lpthread"
SMALL = {"steps": 6, "width": 32, "layers": 1, "heads": 2, "hidden": 64, "context": 32,
         "warmup_steps": 2, "checkpoint_every": 100}


def make_training(place):
    """The training program of the examples in a repository that ignores what it builds; its losses
    are printed in full."""
    need("cc")
    sources = os.path.join(EXAMPLE, "..", "train")
    place.project()
    for name in os.listdir(sources):
        if name.endswith((".c", ".h")) and not name.startswith("test_"):
            with open(os.path.join(sources, name)) as f:
                place.write("project/" + name, f.read().replace('" %a\\n"', '" loss=%.17g\\n"'))
    with open(os.path.join(sources, "train.yaml")) as f:
        text = f.read()
    for key, value in SMALL.items():
        text = re.sub(rf"(?m)^{key}: .*", f"{key}: {value}", text)
    place.write("project/train.yaml", text)
    place.write("project/.gitignore", "experiments/\nlogs/\ndata/\nbuild/\n")
    place.write("project/data/a.rs", "fn main() { loop { step(); } }\n" * 50)
    place.write("project/data/b.rs", "fn step() -> bool { true }\n" * 50)
    place.commit()
    os.mkdir(place.file("project/build"))
    compile_training(place, "*.c")


def compile_training(place, what):
    include = os.path.join(EXAMPLE, "..", "..", "include")
    command = f"{COMPILE} -I{include} ../{what} && {LINK}"
    done = subprocess.run(command, shell=True, cwd=place.file("project/build"), capture_output=True,
                          text=True)
    if done.returncode != 0 and "openblas" in done.stderr:
        raise Skip("no OpenBLAS to compile with")
    assert done.returncode == 0, done.stderr


@test
def reproduce_one_changed_constant_of_the_training_in_c_is_named_with_its_line(place):
    make_training(place)
    run = place.observe("build/train", "--config", "train.yaml", "--corpus", "data", "--out", "build",
                        "--losses", "/dev/stdout", options=("--metric", r"loss=^(?<step>\d+) loss=(.+)$"))
    assert_same(place.reproduce(run.id))
    with open(place.file("project/adamw.c")) as f:
        text = f.read()
    assert text.count("height * 0.5 ") == 1
    place.write("project/adamw.c", text.replace("height * 0.5 ", "height * 0.51 "))
    number = text[:text.index("height * 0.5 ")].count("\n") + 1
    compile_training(place, "adamw.c")
    for is_committed in (False, True):
        if is_committed:
            place.commit()
        again = place.reproduce(run.id)
        assert again.status == 4 and again.last is None, again.said
        assert again.result("program build/train") == "refused", again.said
        assert again.result("source adamw.c") == "differs", again.said
        assert again.findings["source adamw.c"]["text"].startswith(f"line {number}: "), again.said
        assert "height * 0.5 *" in again.findings["source adamw.c"]["text"], again.said
        assert "height * 0.51 *" in again.findings["source adamw.c"]["text"], again.said
        assert [w for w in again.findings if w.startswith("source")] == ["source adamw.c"], again.said
    again = place.reproduce(run.id, "--anyway")
    assert again.status == 4 and not again.last["reproduced"], again.said
    assert again.result("source adamw.c") == "differs" and again.last["parts_at_step"] > 1, again.said
    # Made anew from what was committed, with the compiler's same output, it is the same again.
    place.git("checkout", "-q", "HEAD~1", "--", "adamw.c")
    compile_training(place, "adamw.c")
    assert_same(place.reproduce(run.id))


@test
def reproduce_names_the_source_of_a_dirty_run_by_what_differs_from_it(place):
    need("cc")
    place.project()
    program = '#include <stdio.h>\n#include "rate.h"\nint main(void) { printf("loss=%d\\n", RATE); }\n'
    build = "mkdir -p build && cc -w p.c -o build/p"

    def make(rate, more=""):
        place.write("project/p.c", program + more)
        place.write("project/rate.h", f"#define RATE {rate}\n")
        subprocess.run(build, shell=True, cwd=place.file("project"), check=True)

    place.write("project/.gitignore", "experiments/\nlogs/\ndata/\nbuild/\n")
    place.write("project/p.c", program)
    place.commit()
    make(2, "/* one */\n")  # p.c is changed, rate.h untracked
    run = place.observe("build/p")
    make(3, "/* one */\n")
    again = place.reproduce(run.id, "--here")
    assert [w for w in again.findings if w.startswith("source")] == ["source rate.h"], again.said
    make(2, "/* two */\nint two;\n")
    again = place.reproduce(run.id)
    assert [w for w in again.findings if w.startswith("source")] == ["source p.c"], again.said
    text = again.findings["source p.c"]["text"]
    assert text == 'line 4: "/* one */" then, "/* two */" here', text
    # The source is what it was: another compiler, or other flags, made another program.
    make(2, "/* one */\n")
    subprocess.run(build.replace("-w", "-w -g"), shell=True, cwd=place.file("project"), check=True)
    again = place.reproduce(run.id)
    assert again.result("program build/p") == "refused" and again.result("source") == "same", again.said


SUM = """#include <omp.h>
#include <stdio.h>
int main(void)
{
    float sum = 0;
    #pragma omp parallel for reduction(+ : sum)
    for (int i = 1; i < 1000000; i++) {
        sum += 1.0f / (float)i;
    }
    printf("threads %d\\nsum=%.9g\\n", omp_get_max_threads(), sum);
    return 0;
}
"""


@test
def reproduce_another_number_of_threads_is_named_and_parts(place):
    need("cc")
    place.project()
    place.write("project/sum.c", SUM)
    built = subprocess.run("cc -O1 -fopenmp sum.c -o data/sum", shell=True, cwd=place.file("project"),
                           capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    place.commit()
    run = place.observe("./data/sum", options=("--metric", "sum=sum=([0-9.]+)"), OMP_NUM_THREADS="2")
    again = place.reproduce(run.id, OMP_NUM_THREADS="4")
    assert_same(again)  # as recorded, whatever is set here
    again = place.reproduce(run.id, "--env-here", OMP_NUM_THREADS="4")
    assert again.result("environment OMP_NUM_THREADS") == "differs", again.said
    assert again.status == 4 and not again.last["reproduced"], again.said
    assert again.differs == [("environment", "OMP_NUM_THREADS")], again.said


BLAS = """#include <stdio.h>
#include <cblas.h>
int main(void)
{
    float x[64], y[64];
    for (int i = 0; i < 64; i++) {
        x[i] = y[i] = 1.0f / (float)(i + 1);
    }
    printf("threads=%d\\ndot=%.9g\\n", openblas_get_num_threads(), cblas_sdot(64, x, 1, y, 1));
    return 0;
}
"""


@test
def reproduce_another_number_of_blas_threads_is_named_with_the_library(place):
    need("cc")
    place.project()
    place.write("project/blas.c", BLAS)
    built = subprocess.run("cc blas.c -o data/blas $(pkg-config --cflags --libs openblas)", shell=True,
                           cwd=place.file("project"), capture_output=True, text=True)
    if built.returncode != 0:
        raise Skip("no OpenBLAS to compile with")
    place.commit()
    run = place.observe("./data/blas", options=("--metric", "threads=threads=([0-9]+)"),
                        OPENBLAS_NUM_THREADS="1")
    assert "openblas" in json.dumps(run.metadata["environment"]), run.metadata["environment"]
    assert_same(place.reproduce(run.id, OPENBLAS_NUM_THREADS="2"))  # as recorded
    again = place.reproduce(run.id, "--env-here", OPENBLAS_NUM_THREADS="2")
    assert again.result("environment OPENBLAS_NUM_THREADS") == "differs", again.said
    assert again.status == 4 and not again.last["reproduced"], again.said
    assert again.differs == [("environment", "OPENBLAS_NUM_THREADS")], again.said


@test
def reproduce_a_dirty_tree_with_untracked_files(place):
    place.project()
    place.write("project/train.py", open(place.file("project/train.py")).read().replace("100.0", "77"))
    place.write("project/more/helper.sh", "#!/bin/sh\necho helper\n")
    run = place.observe()
    assert run.metadata["code"]["dirty"] and run.metadata["code"]["untracked"]
    place.git("stash", "-q", "--include-untracked")  # gone from the work tree: the record has it
    again = place.reproduce(run.id)
    assert_same(again)
    assert again.result("untracked more/helper.sh") == "same"
    # What was too large to be kept is missing once it is gone.
    place.write("project/large.bin", b"\0" * 200000)
    run = place.observe()
    assert_same(place.reproduce(run.id))
    os.unlink(place.file("project/large.bin"))
    again = place.reproduce(run.id)
    assert again.status == 4 and again.result("untracked large.bin") == "refused", again.said


@test
def reproduce_a_commit_that_was_rebased_away_is_refused(place):
    place.project()
    place.write("project/train.yaml", "config_version: 1\nseed: 42\nlr: 0.25\n")
    place.commit()
    run = place.observe()
    place.git("reset", "-q", "--hard", "HEAD~1")
    assert_same(place.reproduce(run.id))  # git still has it
    place.git("reflog", "expire", "--expire=now", "--all")
    place.git("gc", "-q", "--prune=now")
    again = place.reproduce(run.id)
    assert again.status == 4 and again.result("commit") == "refused", again.said
    assert "rebased away" in again.findings["commit"]["text"], again.said


@test
def reproduce_from_a_worktree_and_a_bare_clone(place):
    project = place.project()
    place.git("worktree", "add", "-q", "--detach", place.file("second"))
    place.write("second/data/shard_000", "fn main() {}\n")
    run = place.observe(folder="second")
    assert_same(place.reproduce(run.id, folder="second"))
    assert place.git("worktree", "list").count("\n") == 2
    place.git("clone", "-q", "--bare", project, place.file("bare.git"), folder=".")
    place.write("data/shard_000", "fn main() {}\n")
    again = place.reproduce(run.path, "--repo", place.file("bare.git"), "--link", "data", folder=".")
    assert again.status == 4, again.said  # a bare clone has no data beside it
    assert again.result("commit") == "same" and again.result("dataset") == "refused", again.said
    shutil.copytree(place.file("second/data"), place.file("bare.git/data"))
    assert_same(place.reproduce(run.path, "--repo", place.file("bare.git"), folder="."))


@test
def reproduce_a_submodule_comes_from_the_work_tree(place):
    place.project("library")
    place.project()
    place.git("submodule", "add", "-q", place.file("library"), "sub")
    place.commit()
    run = place.observe(sys.executable, "-c", "print(open('sub/train.yaml').read())")
    again = place.reproduce(run.id)
    assert_same(again)
    scratch_is_gone(place)
    assert place.git("worktree", "list", folder="project/sub").count("\n") == 1
    place.git("submodule", "deinit", "-q", "-f", "sub")
    again = place.reproduce(run.id)
    assert again.status == 4 and again.result("submodule sub") == "refused", again.said


@test
def reproduce_without_git_only_here(place):
    place.project("plain")
    shutil.rmtree(place.file("plain/.git"))
    place.env["GIT_CEILING_DIRECTORIES"] = place.path
    shutil.rmtree(place.file(".git"))
    run = place.observe(folder="plain", options=("--commit", "none"))
    again = place.reproduce(run.id, folder="plain")
    assert again.status == 4 and again.result("commit") == "refused", again.said
    assert_same(place.reproduce(run.id, "--here", folder="plain"))


@test
def reproduce_what_was_redacted_is_asked_for_and_checked(place):
    place.project()
    secret = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"
    config = f"config_version: 1\nseed: 42\nlr: 0.5\napi_key: {secret}\n"
    place.write("project/train.yaml", config)
    place.commit()
    program = (sys.executable, "train.py", "--token", secret)
    run = place.observe(*program)
    place.write("project/train.yaml", config.replace(secret, "other"))
    again = place.reproduce(run.id)
    assert again.status == 4, again.said
    assert again.result("config") == "refused" and again.result("command") == "refused", again.said
    place.write("original.yaml", config)
    again = place.reproduce(run.id, "--config", place.file("original.yaml"), "--", *program)
    assert_same(again)
    again = place.reproduce(run.id, "--config", place.file("original.yaml"), "--", *program[:-1], "x")
    assert again.status == 4 and again.result("command") == "refused", again.said
    assert secret not in again.said.replace(" ".join(program), "")


@test
def reproduce_a_program_that_was_built_is_checked_or_built_again(place):
    need("cc")
    place.project()
    place.write("project/.gitignore", "experiments/\nlogs/\ndata/\nbuild/\n")
    place.write("project/p.c", '#include <stdio.h>\nint main(void) { puts("loss=1.5"); return 0; }\n')
    build = "mkdir -p build && cc p.c -o build/p"
    subprocess.run(build, shell=True, cwd=place.file("project"), check=True)
    place.commit()
    run = place.observe("build/p", options=("--metric", "loss=loss=([0-9.]+)"))
    assert_same(place.reproduce(run.id))
    place.write("project/p.c", '#include <stdio.h>\nint main(void) { puts("loss=2.5"); return 0; }\n')
    subprocess.run(build, shell=True, cwd=place.file("project"), check=True)
    again = place.reproduce(run.id)
    assert again.status == 4 and again.result("program build/p") == "refused", again.said
    assert_same(place.reproduce(run.id, "--build", build))
    again = place.reproduce(run.id, "--here")
    assert again.status == 4 and not again.last["reproduced"], again.said


@test
def reproduce_refuses_a_record_that_was_changed(place):
    place.project()
    run = place.observe()
    os.chmod(run.file("config_snapshot.yaml"), 0o644)
    with open(run.file("config_snapshot.yaml"), "a") as f:
        f.write("lr2: 1\n")
    again = place.reproduce(run.id)
    assert again.status == 4 and again.result("config") == "refused", again.said
    # Paths in a forged record lead nowhere outside.
    os.chmod(run.file("metadata.json"), 0o644)
    metadata = run.metadata
    metadata["code"]["untracked"] = [{"path": "../../escape", "sha256": "0" * 64, "bytes": 1,
                                      "kept": True}]
    os.makedirs(run.file("untracked"), exist_ok=True)
    with open(run.file("metadata.json"), "w") as f:
        json.dump(metadata, f)
    place.reproduce(run.id, "--anyway")
    assert not os.path.exists(place.file("project/experiments/escape"))
    assert not os.path.exists(place.file("project/escape"))
