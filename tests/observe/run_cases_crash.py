"""Programs that die of a fatal signal: what they leave in the record, and to others."""
import glob
import json
import os
import resource
import shutil
import subprocess

from run_harness import COMMAND, PYTHON, Skip, end_of, need, test

HERE = os.path.join(os.path.dirname(COMMAND), "tests")
CRASHER = os.path.join(HERE, "m31r_crasher")
PLUGIN = os.path.join(HERE, "m31r_plugin.so")
# A sanitizer's handlers would take the signal: here the program is to die as one without does.
NO_HANDLERS = ("handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0:"
               "use_sigaltstack=0:disable_coredump=0:detect_leaks=0:detect_stack_use_after_return=0")


def crash(p, how, *more, program=None, **options):
    p.env["ASAN_OPTIONS"] = NO_HANDLERS
    return p.run(*(program or [CRASHER]), how, *more, **options)


def crash_record(p):
    found = [r for r in p.lane("") if r["msg"] == "crash"]
    assert len(found) == 1, [r["msg"] for r in p.lane("")]
    return found[0]


def frames(record):
    return record["stack"].split("\n")


def expect_end(p, done, signal):
    end = end_of(done.stderr)
    assert (end["state"], end["cause"], end["child_exit"]) == ("killed", "signal", signal), end
    order = [r["msg"] for r in p.lane("")]
    assert order.index("before") < order.index("crash"), order


@test
def a_fault_leaves_signal_place_and_step(p):
    done = crash(p, "null")
    expect_end(p, done, "SIGSEGV")
    r = crash_record(p)
    assert (r["level"], r["module"], r["step"]) == ("CRITICAL", "m31r", 17), r
    assert (r["signal"], r["code"], r["address"]) == ("SIGSEGV", "SEGV_MAPERR", "0x0"), r
    assert frames(r)[0].startswith("write_to_null at ") and "crasher.c:" in frames(r)[0], r["stack"]
    assert any(f.startswith("main at ") for f in frames(r)), r["stack"]
    text = subprocess.run([COMMAND, "explain", "@"], cwd=p.path, env=p.env, capture_output=True, text=True).stdout
    assert "SIGSEGV" in text and "write_to_null at " in text and "crasher.c:" in text, text
    assert "the stack: none is recorded" not in text, text


@test
def every_kind_of_fault_is_told_apart(p):
    for how, signal, code, function in (("divide", "SIGFPE", "FPE_INTDIV", "divide"),
                                        ("illegal", "SIGILL", "ILL_ILLOPN", "die"),
                                        ("abort", "SIGABRT", "SI_TKILL", None),
                                        ("raise", "SIGSEGV", "SI_TKILL", None)):
        shutil.rmtree(os.path.join(p.path, "experiments"), ignore_errors=True)
        done = crash(p, how)
        expect_end(p, done, signal)
        r = crash_record(p)
        assert (r["signal"], r["code"]) == (signal, code), r
        assert "address" not in r, r
        assert function is None or frames(r)[0].startswith(function + " at "), r["stack"]
        assert any(f.startswith("die at ") for f in frames(r)), r["stack"]


@test
def a_call_of_nothing_names_the_caller(p):
    done = crash(p, "call_null")
    expect_end(p, done, "SIGSEGV")
    lines = frames(crash_record(p))
    assert lines[0] == "?" and lines[1].startswith("call_null at "), lines


@test
def running_out_of_stack_is_told(p):
    done = crash(p, "overflow")
    expect_end(p, done, "SIGSEGV")
    lines = frames(crash_record(p))
    assert len(lines) == 64 and all(f.startswith("overflow at ") for f in lines[1:]), lines[:3]


@test
def a_thread_that_crashes_is_named(p):
    done = crash(p, "thread")
    expect_end(p, done, "SIGSEGV")
    r = crash_record(p)
    assert "crash_in_thread at " in r["stack"] and "step" not in r, r


@test
def a_crash_while_another_thread_emits_loses_nothing(p):
    done = crash(p, "emitting")
    expect_end(p, done, "SIGSEGV")
    numbers = [r["i"] for r in p.lane("") if r["msg"] == "still_emitting"]
    assert len(numbers) > 100 and numbers == list(range(len(numbers))), len(numbers)
    crash_record(p)
    assert p.metadata()["lost"]["records"] == 0, p.metadata()["lost"]


@test
def the_programs_own_handler_runs_too(p):
    done = crash(p, "handler")
    assert p.texts("stderr") == ["own handler"], p.texts("stderr")
    expect_end(p, done, "SIGSEGV")
    assert "write_to_null at " in crash_record(p)["stack"]


@test
def a_fault_that_the_program_survives_is_no_crash(p):
    done = crash(p, "survive")
    assert end_of(done.stderr)["child_exit"] == "SIGKILL", done.stderr
    assert [r["msg"] for r in p.lane("") if r["msg"] in ("crash", "survived")] == ["survived"]


@test
def a_child_that_crashes_is_not_the_programs_crash(p):
    done = crash(p, "child")
    end = end_of(done.stderr)
    assert (end["state"], end["child_exit"]) == ("finished", 0), end
    assert [r for r in p.lane("") if r["msg"] == "crash"] == []
    lanes = glob.glob(os.path.join(p.run_dir(), "train.*.log"))
    texts = "".join(open(f, encoding="utf-8").read() for f in lanes)
    assert texts.count('"msg":"crash"') == 1 and "write_to_null at " in texts, lanes


@test
def it_can_be_turned_off(p):
    with open(os.path.join(p.path, "c.yaml"), "w") as f:
        f.write("config_version: 1\nobservability:\n  crash_handler: false\n")
    done = crash(p, "null", options=("--config", "c.yaml"))
    assert end_of(done.stderr)["child_exit"] == "SIGSEGV", done.stderr
    assert [r for r in p.lane("") if r["msg"] == "crash"] == []


@test
def without_an_observer_it_is_opt_in_and_recovery_tells_the_cause(p):
    p.env["ASAN_OPTIONS"] = NO_HANDLERS
    with open(os.path.join(p.path, "c.yaml"), "w") as f:
        f.write("config_version: 1\nseed: 1\nobservability:\n  crash_handler: true\n")
    with open(os.path.join(p.path, "m31r.yaml"), "w") as f:
        f.write("config_version: 1\nconfig: c.yaml\ndataset: none\ntokenizer: none\nseed: 1\n")
    subprocess.run(["git", "init", "-q", p.path], check=True, env=p.env)
    subprocess.run(["git", "-C", p.path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q",
                    "--allow-empty", "-m", "x"], check=True, env=p.env)
    done = subprocess.run([CRASHER, "null"], cwd=p.path, env=p.env, capture_output=True, timeout=60)
    assert done.returncode == -11, done
    shown = subprocess.run([COMMAND, "logs", "@", "--json"], cwd=p.path, env=p.env, capture_output=True,
                           text=True).stdout
    before = [json.loads(x) for x in shown.splitlines() if '"msg":"crash"' in x]
    assert len(before) == 1, shown
    subprocess.run([COMMAND, "recover", "@", "--yes"], cwd=p.path, env=p.env, check=True, capture_output=True)
    assert crash_record(p) == before[0]
    m = p.metadata()
    assert (m["state"], m["cause"], m["signal"]) == ("crashed", "signal", "SIGSEGV"), m


@test
def the_core_dump_is_whole(p):
    need("gdb")
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as f:
        pattern = f.read().strip()
    if pattern.startswith("|") or "/" in pattern:
        raise Skip("cores do not stay where the program ran: " + pattern)
    big = resource.RLIM_INFINITY
    done = crash(p, "null", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (big, big)))
    expect_end(p, done, "SIGSEGV")
    cores = glob.glob(os.path.join(p.path, "core*"))
    if not cores:
        raise Skip("the system made no core")
    text = subprocess.run(["gdb", "-batch", "-nx", "-ex", "bt", CRASHER, cores[0]], capture_output=True, text=True,
                          timeout=120).stdout
    where = [x for x in text.splitlines() if x.startswith("#0")]
    assert "SIGSEGV" in text and where and "write_to_null" in where[0], text


@test
def python_that_crashes_keeps_its_fault_handler(p):
    library = os.path.join(os.path.dirname(COMMAND), "libm31r.so")
    if b"libasan" in subprocess.run(["ldd", library], capture_output=True).stdout:
        raise Skip("a sanitized library cannot be loaded into Python")
    program = ("import ctypes,faulthandler,sys\n"
               "lib = ctypes.CDLL(sys.argv[1]); lib.m31r_run_here.restype = ctypes.c_void_p\n"
               "run = lib.m31r_run_here(None)\n"
               "faulthandler.enable()\n"
               "ctypes.string_at(0)\n")
    done = p.run(PYTHON, "-c", program, library)
    assert "Fatal Python error: Segmentation fault" in p.texts("stderr"), p.texts("stderr")
    assert end_of(done.stderr)["child_exit"] == "SIGSEGV", done.stderr
    assert crash_record(p)["signal"] == "SIGSEGV"


@test
def a_library_loaded_later_is_named(p):
    p.env["ASAN_OPTIONS"] = NO_HANDLERS
    done = p.run(CRASHER, "plugin", PLUGIN)
    assert end_of(done.stderr)["state"] == "finished", done.stderr
    record = [r for r in p.lane("") if r["msg"] == "from_plugin"][0]
    lines = frames(record)
    assert lines[0].startswith("report_error at "), lines
    assert lines[1].startswith("plugin_calls_back") and "(m31r_plugin.so+0x" in lines[1], lines


@test
def a_stripped_program_is_named_by_its_debug_file(p):
    need("objcopy")
    there = os.path.join(p.path, "stripped")
    shutil.copy(CRASHER, there)
    subprocess.run(["objcopy", "--only-keep-debug", there, there + ".debug"], check=True)
    subprocess.run(["strip", "-s", there], check=True)
    for with_debug in (True, False):
        shutil.rmtree(os.path.join(p.path, "experiments"), ignore_errors=True)
        if with_debug:
            subprocess.run(["objcopy", "--add-gnu-debuglink=" + there + ".debug", there], check=True)
        else:
            os.remove(there + ".debug")
        crash(p, "null", program=[there])
        lines = frames(crash_record(p))
        if with_debug:
            assert lines[0].startswith("write_to_null at ") and "crasher.c:" in lines[0], lines
        else:
            assert lines[0].startswith("stripped+0x"), lines


@test
def a_ring_whose_file_is_cut_costs_what_it_held_and_no_more(p):
    for how in ("cut", "cut_busy"):
        shutil.rmtree(os.path.join(p.path, "experiments"), ignore_errors=True)
        done = crash(p, how)
        end = end_of(done.stderr)
        assert (end["state"], end["child_exit"]) == ("finished", 0), done.stderr
        records = p.lane("")
        reasons = [r["reason"] for r in records if r["msg"] == "rings_unavailable"]
        assert len(reasons) == 1 and "cut short" in reasons[0], reasons
        numbers = [r["i"] for r in records if r["msg"] == "after_the_cut"]
        lost = sum(r["count"] for r in records if r["msg"] == "records_lost")
        assert numbers == sorted(set(numbers)) and numbers[-1] == 999, numbers[-3:]
        assert len(numbers) + lost == 1000, (len(numbers), lost)
        assert p.metadata()["lost"]["records"] == lost, (p.metadata()["lost"], lost)
