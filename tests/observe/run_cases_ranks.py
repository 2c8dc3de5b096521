"""A job of several ranks: one `m31r run` for each, and ranks with the library alone. One run comes of it."""
import json
import os
import signal
import subprocess
import time

from run_harness import COMMAND, PYTHON, children_of, end_of, keeper_of, kill_observers, test, wait_until

JOINER = os.path.join(os.path.dirname(COMMAND), "tests", "m31r_joiner")
PRINTS = "import sys,time; print('rank', sys.argv[1], flush=True); time.sleep(float(sys.argv[2])); sys.exit(int(sys.argv[3]))"


def environment(p, rank, of, how="torch", job="job-1"):
    if how == "slurm":
        return dict(p.env, SLURM_PROCID=str(rank), SLURM_STEP_NUM_TASKS=str(of), SLURM_JOB_ID=job, SLURM_STEP_ID="0")
    if how == "mpi":
        return dict(p.env, OMPI_COMM_WORLD_RANK=str(rank), OMPI_COMM_WORLD_SIZE=str(of), PMIX_NAMESPACE=job)
    return dict(p.env, RANK=str(rank), WORLD_SIZE=str(of), TORCHELASTIC_RUN_ID="none", MASTER_ADDR="127.0.0.1",
                MASTER_PORT=job)


def start(p, rank, of, program, how="torch", options=("--no-sample",), **more):
    return subprocess.Popen([COMMAND, "run", "--try", *options, "--", *program], cwd=p.path,
                            env=environment(p, rank, of, how), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def finish(processes):
    """(status, stdout, stderr) of each; read at once, so that none waits for another's reader."""
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(len(processes)) as pool:
        out = list(pool.map(lambda q: q.communicate(timeout=90), processes))
    return [(q.returncode, *o) for q, o in zip(processes, out)]


def prints(rank, seconds=0.5, status=0):
    return [PYTHON, "-c", PRINTS, str(rank), str(seconds), str(status)]


def rank_ends(p):
    return {x["rank"]: x for x in p.metadata()["rank_ends"]}


def expect_whole(p):
    r = subprocess.run([COMMAND, "verify", "@", "--complete", "--json"], cwd=p.path, env=p.env, capture_output=True)
    bad = [x for x in json.loads(r.stdout)["checks"] if x["holds"] is False and x["id"] != "OBS-20"]
    assert bad == [], bad


def texts(p, rank):
    return p.texts("stdout" if rank == 0 else f"stdout.rank{rank:04d}")


@test
def four_ranks_make_one_run(p):
    for how in ("torch", "slurm", "mpi"):
        q = type(p)()
        done = finish([start(q, rank, 4, prints(rank), how, ("--metric", "r=rank ([0-9]+)")) for rank in (3, 1, 2, 0)])
        assert [d[0] for d in done] == [0] * 4, done
        ends = [end_of(d[2]) for d in done]
        run_id = os.path.basename(q.run_dir())
        assert all((e["run_id"], e["state"], e["child_exit"]) == (run_id, "finished", 0) for e in ends), ends
        assert [e.get("rank") for e in ends] == [3, 1, 2, None], ends
        meta = q.metadata()
        assert (meta["state"], meta["ranks"]) == ("finished", 4), meta
        assert {r: x["state"] for r, x in rank_ends(q).items()} == {1: "finished", 2: "finished", 3: "finished"}
        assert all(x["state"] == "closed" for x in meta["lanes"]), meta["lanes"]
        for rank in range(4):
            assert texts(q, rank) == [f"rank {rank}"], (rank, texts(q, rank))
            with open(os.path.join(q.run_dir(), f"metrics.rank{rank:04d}.csv" if rank else "metrics.csv")) as f:
                assert f"\nr,,{rank}.0," in f.read(), rank
        assert [x["msg"] for x in q.lane("rank0002")] == ["rank_start", "rank_end"]
        with open(os.path.join(q.run_dir(), "metrics.json")) as f:
            assert json.load(f)["metrics"]["r"]["count"] == 4
        assert not os.path.exists(os.path.join(q.run_dir(), ".live"))
        expect_whole(q)
        q.remove()


@test
def each_rank_shows_its_own_records(p):
    done = finish([start(p, rank, 3, prints(rank)) for rank in range(3)])
    for rank, (status, out, _) in enumerate(done):
        shown = [json.loads(line) for line in out.splitlines()]
        assert status == 0 and [x["line"] for x in shown if x["msg"] == "line"] == [f"rank {rank}"], shown
    starts = [x for d in done for x in map(json.loads, d[1].splitlines()) if x["msg"] in ("run_start", "rank_start")]
    assert [x["msg"] for x in starts] == ["run_start", "rank_start", "rank_start"], starts


@test
def programs_of_ranks_join_through_the_library(p):
    done = finish([start(p, rank, 2, [JOINER, "flood", "300"]) for rank in range(2)])
    assert [d[0] for d in done] == [0, 0], done
    for lane in ("", "rank0001"):
        assert [x["i"] for x in p.lane(lane) if x["msg"] == "flood"] == list(range(300)), lane
    assert all(x["state"] == "closed" for x in p.metadata()["lanes"]), p.metadata()["lanes"]


@test
def a_killed_rank_fails_the_run(p):
    ranks = [start(p, rank, 4, prints(rank, 2 if rank == 2 else 1)) for rank in range(4)]
    wait_until(lambda: p.runs() and texts(p, 2) == ["rank 2"], "rank 2")
    program = children_of(keeper_of(ranks[2].pid))[0]
    os.kill(program, signal.SIGKILL)
    done = finish(ranks)
    assert [d[0] for d in done] == [0, 0, -signal.SIGKILL, 0], done
    meta = p.metadata()
    assert (meta["state"], meta["cause"]) == ("failed", "rank 2: signal"), (meta["state"], meta["cause"])
    end = rank_ends(p)[2]
    assert (end["state"], end["signal"], end["exit_status"]) == ("killed", "SIGKILL", None), end
    assert [x for x in p.lane("") if x["msg"] == "run_end"][0]["level"] == "ERROR"
    expect_whole(p)


@test
def a_rank_killed_with_its_observer_is_abandoned(p):
    ranks = [start(p, rank, 3, prints(rank, 3)) for rank in range(3)]
    wait_until(lambda: p.runs() and texts(p, 2) == ["rank 2"], "rank 2")
    kill_observers(ranks[2], children_of(keeper_of(ranks[2].pid))[0])
    assert ranks[2].returncode == -signal.SIGKILL
    done = finish(ranks[:2])
    assert [d[0] for d in done] == [0, 0], done
    assert end_of(done[0][2])["state"] == "finished"
    assert {r: x["state"] for r, x in rank_ends(p).items()} == {1: "finished", 2: "abandoned"}
    warnings = p.events("ranks_abandoned")
    assert [(x["count"], x["ranks"]) for x in warnings] == [(1, "2")], warnings
    states = {x["file"]: x["state"] for x in p.metadata()["lanes"]}
    assert states["train.stdout.rank0002.log"] == "abandoned" and states["train.stdout.log"] == "closed", states


@test
def an_heir_of_a_ranks_keeper_goes_on(p):
    ranks = [start(p, rank, 2, ["sh", "-c", f"for i in 1 2 3 4 5 6 7 8; do echo $i of {rank}; sleep 0.2; done; exit 3"])
             for rank in range(2)]
    wait_until(lambda: p.runs() and len(texts(p, 1)) > 1, "rank 1")
    os.kill(keeper_of(ranks[1].pid), signal.SIGKILL)
    done = finish(ranks)
    assert [d[0] for d in done] == [3, 3], done
    assert texts(p, 1) == [f"{i} of 1" for i in range(1, 9)], texts(p, 1)
    assert rank_ends(p)[1]["exit_status"] == 3
    assert [x["msg"] for x in p.lane("observer.rank0001") if x["level"] == "WARNING"] == ["observer_lost"]


@test
def a_rank_that_never_comes_is_named(p):
    done = finish([start(p, rank, 4, prints(rank, 0.1)) for rank in (0, 1, 2)])  # which has its limit
    assert [d[0] for d in done] == [0, 0, 0], done
    missing = p.events("ranks_missing")
    assert [(x["count"], x["ranks"]) for x in missing] == [(1, "3")], missing
    assert p.metadata()["state"] == "finished" and p.metadata()["ranks"] == 4


@test
def a_late_rank_is_told_and_runs_all_the_same(p):
    done = finish([start(p, 0, 2, ["false"])])
    run_id = os.path.basename(p.run_dir())
    status, out, err = finish([start(p, 1, 2, prints(1, 0, 5))])[0]
    assert done[0][0] == 1 and status == 5 and out == b"rank 1\n", (done, status, out, err)
    assert b"rank 1 is not observed" in err and run_id.encode() in err and b"has ended" in err, err
    end = end_of(err)
    assert (end["run_id"], end["state"], end["child_exit"], end["rank"]) == (None, "failed", 5, 1), end
    assert p.metadata()["ranks"] == 2 and len(p.runs()) == 1


@test
def a_rank_that_outlives_the_run_adds_nothing_to_it(p):
    """Rank 0 failed: it does not wait long, because a launcher waits for it to end the others."""
    slow = "for i in 1 2 3 4 5 6 7 8 9; do echo $i; sleep 1; done; exit 4"
    ranks = [start(p, 0, 2, ["sh", "-c", "sleep 0.5; exit 1"]), start(p, 1, 2, ["sh", "-c", slow])]
    ranks[0].wait(timeout=60)
    meta = p.metadata()
    assert (meta["state"], [x["state"] for x in meta["rank_ends"]]) == ("failed", ["abandoned"]), meta
    done = finish(ranks)
    assert [d[0] for d in done] == [1, 4], done
    assert b"rank 0 has ended the run" in done[1][2] and done[1][1].endswith(b"\n8\n9\n"), done[1]
    end = end_of(done[1][2])
    assert (end["state"], end["child_exit"], end["rank"]) == ("failed", 4, 1), end
    kept = texts(p, 1)
    assert kept == [str(i + 1) for i in range(len(kept))] and 3 < len(kept) < 9, kept
    expect_whole(p)


@test
def what_a_dead_job_left_is_not_joined(p):
    q = start(p, 0, 2, ["sleep", "60"])
    wait_until(lambda: len(children_of(keeper_of(q.pid))) == 1, "the program")
    kill_observers(q, children_of(keeper_of(q.pid))[0])
    late = start(p, 1, 2, prints(1, 0))
    time.sleep(0.5)
    done = finish([late, start(p, 0, 2, prints(0, 0.2))])
    newest = sorted(p.runs())[-1]
    assert [d[0] for d in done] == [0, 0] and len(p.runs()) == 2, done
    assert all(end_of(d[2])["run_id"] == os.path.basename(newest) for d in done), done


@test
def ranks_with_the_library_alone_make_one_run(p):
    with open(os.path.join(p.path, "m31r.yaml"), "w") as f:
        f.write("config_version: 1\nconfig: none\nseed: 1\ndataset: none\ntokenizer: none\n")
    for git in (["init", "-q"], ["add", "m31r.yaml"],
                ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "one"]):
        subprocess.run(["git", *git], cwd=p.path, env=p.env, check=True)
    ranks = [subprocess.Popen([JOINER, "flood", "200"], cwd=p.path, env=environment(p, rank, 4),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
             for rank in (2, 0, 3, 1)]
    done = finish(ranks)
    assert [d[0] for d in done] == [0] * 4 and not any(d[2] for d in done), done
    for lane in ("", "rank0001", "rank0002", "rank0003"):
        assert [x["i"] for x in p.lane(lane) if x["msg"] == "flood"] == list(range(200)), lane
    meta = p.metadata()
    assert (meta["state"], meta["ranks"]) == ("finished", 4), meta
    assert {x["state"] for x in meta["rank_ends"]} == {"closed"} and len(meta["rank_ends"]) == 3, meta["rank_ends"]
    expect_whole(p)
