#!/usr/bin/env python3
"""Self-test of tests/cli/run: with a made-up m31r, each kind of expectation holds and fails."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAKE = '#!/bin/sh\necho "fake $*"\n'

# name, files of the case, whether it must pass
ROWS = [
    ("exact", {"sh": "m31r a b", "out": "fake a b\n"}, True),
    ("exact_wrong", {"sh": "m31r a b", "out": "fake a c\n"}, False),
    ("no_final_newline", {"sh": "m31r a", "out": "fake a"}, False),
    ("nothing_expected", {"sh": "m31r a"}, True),
    ("glob", {"sh": "m31r 20261123", "out.glob": "fake [0-9]*[0-9]\n"}, True),
    ("glob_wrong", {"sh": "m31r x", "out.glob": "fake [0-9]*\n"}, False),
    ("glob_escaped", {"sh": "echo '[a]*'", "out.glob": "\\[a]\\*\n"}, True),
    ("glob_not", {"sh": "echo b", "out.glob": "[!a]\n"}, True),
    ("glob_not_wrong", {"sh": "echo a", "out.glob": "[!a]\n"}, False),
    ("glob_rest", {"sh": "echo a; echo b; echo c; echo d", "out.glob": "a\n...\nd\n"}, True),
    ("glob_rest_wrong", {"sh": "echo a; echo b", "out.glob": "a\n...\nd\n"}, False),
    ("glob_too_few", {"sh": "echo a", "out.glob": "a\nb\n"}, False),
    ("glob_too_many", {"sh": "echo a; echo b", "out.glob": "a\n"}, False),
    ("err", {"sh": "echo e >&2", "err": "e\n"}, True),
    ("err_wrong", {"sh": "echo e >&2", "err": ""}, False),
    ("err_glob_wrong", {"sh": "echo e >&2", "err.glob": "f*\n"}, False),
    ("exit", {"sh": "exit 3", "exit": "3\n"}, True),
    ("exit_wrong", {"sh": "exit 3"}, False),
    ("signal", {"sh": "kill -9 $$", "exit": "137\n"}, True),
    ("folders", {"sh": 'touch x; ls -A; cd "$HOME" && ls -A && test "$XDG_CACHE_HOME" -ef .cache\n'
                       'echo "$TZ $LC_ALL"; test -d "$M31R_SOURCE_DIR"; cat',
                 "out": "x\n.cache\nUTC C\n"}, True),
    ("leftovers", {"sh": "sleep 300 & mkdir -p a/b; touch a/b/c; chmod 0 a/b a"}, True),
    ("skipped", {"sh": "exit 77"}, None),
]


def write_case(folder, name, files):
    for ending, text in files.items():
        with open(os.path.join(folder, f"{name}.{ending}"), "w", encoding="utf-8") as stream:
            stream.write(text)


def make_tree(where):
    cases, build = os.path.join(where, "tests", "cli"), os.path.join(where, "build")
    os.makedirs(os.path.join(cases, "fake"))
    os.makedirs(build)
    shutil.copy(os.path.join(ROOT, "tests", "cli", "run"), cases)
    with open(os.path.join(build, "m31r"), "w", encoding="utf-8") as stream:
        stream.write(FAKE)
    os.chmod(os.path.join(build, "m31r"), 0o755)
    for name, files, _ in ROWS:
        write_case(os.path.join(cases, "fake"), name, files)
    return os.path.join(cases, "run")


def run(runner, *arguments):
    done = subprocess.run([sys.executable, runner, *arguments], capture_output=True, text=True,
                          env={**os.environ, "HTTP_SECRET": "x"})
    return done.returncode, done.stdout + done.stderr


def problems(runner):
    """What the runner does wrong, one sentence each."""
    code, output = run(runner)
    failing = set(re.findall(r"^FAIL fake/(\w+)", output, re.M))
    for name, _, good in ROWS:
        if (name in failing) != (good is False):
            yield f"{name}: should {'fail' if good is False else 'pass'}: {output}"
    bad, good = sum(r[2] is False for r in ROWS), sum(r[2] is True for r in ROWS)
    if code != 1 or f"\n{good} passed, {bad} failed, 1 skipped\n" not in output:
        yield f"count or exit status wrong ({code}): {output[-200:]}"
    if run(runner, "fake/exact")[0] != 0 or run(runner, "fake/exact_wrong")[0] != 1:
        yield "one named case does not give its own exit status"
    if run(runner, "fake/gone")[0] == 0 or run(runner, "--bin", "/nowhere")[0] == 0:
        yield "a case or command that does not exist passes"
    run(runner, "--update")
    code, output = run(runner)
    if code != 0:
        yield f"cases fail after --update: {output}"
    with open(os.path.join(os.path.dirname(runner), "fake", "glob.out.glob")) as stream:
        if stream.read() != "fake [0-9]*[0-9]\n":
            yield "--update rewrote a pattern that matched"


def main():
    with tempfile.TemporaryDirectory(prefix="m31r-cli-run-") as where:
        found = list(problems(make_tree(where)))
    for problem in found:
        print(f"FAIL {problem}")
    print(f"{len(ROWS) + 4 - len(found)} passed, {len(found)} failed")
    return 1 if found else 0


sys.exit(main())
