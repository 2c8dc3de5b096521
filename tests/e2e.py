"""What every test from outside shares: the list of tests, the reasons to skip, and the runner.

A test is a function that takes a place (a working directory with what runs left in it), marked
with @test. Standard library only.
"""
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


def run_all(make_place, is_wanted):
    """Runs the wanted tests, each in a place of its own; the place of one that failed is kept."""
    failed = skipped = ran = 0
    for function in tests:
        if not is_wanted(function):
            continue
        began = time.monotonic()
        place = make_place()
        try:
            function(place)
            ran += 1
            print(f"ok      {time.monotonic() - began:6.2f} s  {name_of(function)}", flush=True)
        except Skip as reason:
            skipped += 1
            print(f"skipped           {name_of(function)}: {reason}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {time.monotonic() - began:6.2f} s  {name_of(function)}")
            traceback.print_exc(file=sys.stdout)
            print(f"kept: {place.path}", flush=True)
            continue
        place.remove()
    print(f"{ran} passed, {failed} failed, {skipped} skipped")
    assert ran + failed + skipped > 0, "no such test"
    sys.exit(1 if failed else ALL_SKIPPED if ran == 0 else 0)
