"""What every test from outside shares: the list of tests, the reasons to skip, and the runner.

A test is a function that takes a place (a working directory with what runs left in it), marked
with @test. Standard library only.
"""
import concurrent.futures
import shutil
import sys
import time
import traceback

SLOW = 60.0  # seconds that a step may take on a busy machine under sanitizers
ALL_SKIPPED = 77  # exit status: nothing could run here

tests = []


class Skip(Exception):
    """The test cannot run on this machine; its text says why."""


def test(function):
    tests.append(function)
    return function


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise Skip(f"{program} is not installed")


def wait_until(condition, what, seconds=SLOW):
    """The first true value of `condition`."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


def name_of(function):
    """module.name, without what the modules' names begin with: death.keeper_killed."""
    return function.__module__.replace("run_", "").replace("cases_", "") + "." + function.__name__


def run_one(function, make_place):
    """"ran", "skipped" or "failed", and what is to be printed. The place of a test that failed is kept."""
    began = time.monotonic()
    place = make_place()
    try:
        function(place)
        said = "ran", f"ok      {time.monotonic() - began:6.2f} s  {name_of(function)}"
    except Skip as reason:
        said = "skipped", f"skipped           {name_of(function)}: {reason}"
    except Exception:
        took = time.monotonic() - began
        return "failed", f"FAILED  {took:6.2f} s  {name_of(function)}\n{traceback.format_exc()}kept: {place.path}"
    place.remove()
    return said


def run_all(make_place, is_wanted, at_once=1):
    """Runs the wanted tests, each in a place of its own, `at_once` side by side: those that mostly wait."""
    counts = {"ran": 0, "failed": 0, "skipped": 0}
    wanted = [f for f in tests if is_wanted(f)]
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        if at_once > 1:
            waiting = [pool.submit(run_one, f, make_place) for f in wanted]
            all_done = (w.result() for w in concurrent.futures.as_completed(waiting))
        else:
            all_done = (run_one(f, make_place) for f in wanted)
        for result, text in all_done:
            counts[result] += 1
            print(text, flush=True)
    print(f"{counts['ran']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    assert wanted, "no such test"
    sys.exit(1 if counts["failed"] else ALL_SKIPPED if counts["ran"] == 0 else 0)
