#!/usr/bin/env python3
"""Runs what the pages say: README.md, docs/*.md and examples/*/README.md.

usage: tests/docs/run_docs.py [--bin DIR] [--cc-flags FLAGS] [--keep] [PAGE...]

Fenced blocks, by the words behind the fence:
  sh               is run by sh -e; each block of a page goes on in the folder where the last ended
  sh status=N      the same, and its last command ends with status N
  sh no-run        is counted and listed, with the rest of that line as the reason
  sh needs=NAME    is run where the command NAME is; python:NAME a module of Python. Else it is listed
  c                is compiled, not run; a fragment without main() is put into a function
  c file=NAME      the same, and is kept as NAME in that folder, for the blocks that follow
Other blocks (text, console, ...) are for the eye. A page has a scratch folder of its own; HOME and
XDG_CACHE_HOME are in it; m31r of --bin (default: build/debug, else build) is first on PATH, and
`cc FILE -lm31r` finds headers and library. A block has 120 seconds. The last line printed is
`N passed, N failed`.
"""
import argparse
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMEOUT_S = 120
FENCE = re.compile(r"^(```+)[ \t]*(.*?)[ \t]*$")
FRAGMENT = """#include "m31r/m31r.h"
void fragment(m31r_run *run, m31r_log *log, long step, double loss, double lr);
void fragment(m31r_run *run, m31r_log *log, long step, double loss, double lr)
{
    (void)run, (void)log, (void)step, (void)loss, (void)lr;
#line %d "%s"
%s}
"""


class Block:
    """A fenced block: where its text starts, the words behind the fence, the text."""

    def __init__(self, line, words, text):
        self.line, self.text = line, text
        self.kind, _, self.rest = words.partition(" ")

    def option(self, name):
        found = re.search(rf"\b{name}=(\S+)", self.rest)
        return found.group(1) if found else None


def blocks(text):
    fence, start, words, body = None, 0, "", []
    for number, line in enumerate(text.split("\n"), 1):
        match = FENCE.match(line)
        if fence is None and match:
            fence, start, words, body = match.group(1), number + 1, match.group(2), []
        elif fence is not None and line.strip() == fence:
            yield Block(start, words, "".join(one + "\n" for one in body))
            fence = None
        elif fence is not None:
            body.append(line)
    if fence is not None:
        yield Block(start, "unclosed", "")


def write(path, text):
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def environment(scratch, options):
    """A clean environment: m31r and a cc that knows the flags of this build come first."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("M31R_", "GIT_")) and k not in ("RANK", "SLURM_PROCID")}
    tools = os.path.join(scratch, "bin")
    home = os.path.join(scratch, "home")
    os.mkdir(tools)
    os.mkdir(home)
    compiler = shutil.which("cc") or "cc"
    write(os.path.join(tools, "cc"), f'#!/bin/sh\nexec {compiler} "$@" {options.cc_flags}\n')
    os.chmod(os.path.join(tools, "cc"), 0o755)
    os.symlink(os.path.join(options.bin, "m31r"), os.path.join(tools, "m31r"))
    venv = os.path.join(SOURCE, "build", "venv", "bin")  # for modules of Python, when it is there
    env.update(PATH=":".join([tools, venv, env["PATH"]]), M31R_SOURCE_DIR=SOURCE, HOME=home, XDG_CACHE_HOME=home, LC_ALL="C.UTF-8",
               TZ="UTC", CPATH=os.path.join(SOURCE, "include"), LIBRARY_PATH=options.bin,
               LD_LIBRARY_PATH=options.bin, ASAN_OPTIONS="detect_leaks=0",
               GIT_CONFIG_GLOBAL=os.path.join(home, "gitconfig"), GIT_CONFIG_NOSYSTEM="1")
    write(os.path.join(home, "gitconfig"), "[user]\nname = M31R\nemail = m31r@localhost\n")
    return env


def finish(command, folder, env):
    """Status and output of a command; what it leaves behind is ended."""
    process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace",
                               start_new_session=True)
    try:
        output = process.communicate(timeout=TIMEOUT_S)[0]
    except subprocess.TimeoutExpired:
        output = f"not done after {TIMEOUT_S} s\n"
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    return process.returncode, output


def is_missing(needs, env):
    """What a block needs and this machine does not have, or None."""
    kind, _, module = needs.partition(":")
    if kind == "python":
        command = ["python3", "-c", f"import {module}"]
        there = subprocess.run(command, env=env, stderr=subprocess.DEVNULL).returncode == 0
    else:
        there = shutil.which(needs, path=env["PATH"])
    return None if there else f"{module or needs} is not installed"


class Page:
    """One page being run: where it is, and how it went so far."""

    def __init__(self, path, scratch, options):
        self.name = os.path.relpath(path, SOURCE)
        self.folder = os.path.join(scratch, "work")
        self.scratch = scratch
        self.env = environment(scratch, options)
        os.mkdir(self.folder)

    def run_sh(self, block):
        """The folder a block ends in is where the next one starts."""
        where = os.path.join(self.scratch, "where")
        script = os.path.join(self.scratch, "block.sh")
        write(script, f"trap 'pwd >\"{where}\"' EXIT\nset -e\n" + block.text)
        status, output = finish(["sh", script], self.folder, self.env)
        if os.path.exists(where):
            with open(where, encoding="utf-8") as stream:
                self.folder = stream.read().strip()
        want = int(block.option("status") or 0)
        return None if status == want else f"exit status {status}, not {want}\n{output}"

    def run_c(self, block):
        text = block.text
        if not re.search(r"\bmain\(", text):
            text = FRAGMENT % (block.line, self.name, text)
        path = os.path.join(self.folder, block.option("file") or "fragment.c")
        write(path, text)
        command = ["cc", "-std=c17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", path]
        status, output = finish(command, self.folder, self.env)
        return None if status == 0 else output

    def run(self, block):
        if block.kind == "unclosed":
            return "the block has no end"
        return self.run_sh(block) if block.kind == "sh" else self.run_c(block)


def run_page(path, options, counts):
    scratch = tempfile.mkdtemp(prefix="m31r-docs-")
    page = Page(path, scratch, options)
    with open(path, encoding="utf-8") as stream:
        found = list(blocks(stream.read()))
    for block in found:
        if block.kind not in ("sh", "c", "unclosed"):
            continue
        needs = block.option("needs")
        missing = is_missing(needs, page.env) if needs else None
        if block.rest.startswith("no-run") or missing:
            counts["not run"] += 1
            why = missing or block.rest.partition(" ")[2] or "no reason given"
            print(f"not run  {page.name}:{block.line}: {why}")
            continue
        wrong = page.run(block)
        counts["failed" if wrong else "passed"] += 1
        if wrong:
            print(f"FAIL     {page.name}:{block.line}: {wrong.rstrip()}")
    if not options.keep:
        shutil.rmtree(scratch, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(add_help=True)
    parser.add_argument("--bin")
    parser.add_argument("--cc-flags", default="")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("pages", nargs="*")
    options = parser.parse_args()
    places = [options.bin] if options.bin else [SOURCE + "/build/debug", SOURCE + "/build"]
    options.bin = next((os.path.abspath(p) for p in places if os.path.exists(p + "/m31r")), None)
    if options.bin is None:
        print("no m31r in " + " or ".join(places), file=sys.stderr)
        return 1
    patterns = ("README.md", "docs/*.md", "examples/*/README.md")
    pages = [os.path.abspath(p) for p in options.pages] or sorted(
        p for pattern in patterns for p in glob.glob(os.path.join(SOURCE, pattern)))
    counts = {"passed": 0, "failed": 0, "not run": 0}
    for path in pages:
        run_page(path, options, counts)
    print(f"{counts['not run']} blocks not run, as their pages say")
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    return 1 if counts["failed"] else 0


sys.exit(main())
