#!/usr/bin/env python3
"""Self-test of tools/check_conformance: a good page passes, and each bad change to it fails."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEST = "tests/unit/a/test_a.c"
GOOD_ROW = f"| OBS-04 | held | `{TEST}`: `test_a__holds` | `m31r show @` |"
GOOD = "# Page\n\n## Shown\n\n| id | what | tests | see it |\n|---|---|---|---|\n" + GOOD_ROW + \
    "\n\n## Not yet\n\n| id | what |\n|---|---|\n" + \
    "".join(f"| OBS-{n:02} | later |\n" for n in range(5, 30))

# what is replaced, by what, words that must be said (None: must pass)
ROWS = [
    ("", "", None),
    ("| OBS-04 | held |", "| OBS-04 | held |", None),
    ("test_a__holds", "test_a__wraps", None),
    ("test_a__holds", "test_a__gone", "has no test test_a__gone"),
    ("test_a__holds", "test_a__called", "has no test test_a__called"),
    (TEST, "tests/unit/a/test_b.c", "there is no tests/unit/a/test_b.c"),
    (f"`{TEST}`: ", "", "stands before any file"),
    (f"`{TEST}`: `test_a__holds`", "`tests/cli/show/one.sh`", None),
    (f"`{TEST}`: `test_a__holds`", "`tests/cli/show/two.sh`", "there is no tests/cli/show/two.sh"),
    (f"`{TEST}`: `test_a__holds`", "`tests/a.py`: `holds`", None),
    (f"`{TEST}`: `test_a__holds`", "`tests/a.py`: `hold`", "has no test hold"),
    (f"`{TEST}`: `test_a__holds`", f"`{TEST}`", "names no test"),
    ("`m31r show @`", "show it", "names no command"),
    ("`m31r show @`", "`m31r explain @`", "there is no command m31r explain"),
    ("| OBS-29 | later |\n", "", "OBS-29 has no row"),
    (GOOD_ROW, "", "OBS-04 has no row"),
    ("| OBS-29 |", "| OBS-92 |", "OBS-92 is no id"),
    ("| OBS-29 | later |", "| OBS-29 | later | more |", "has 3 cells"),
    ("## Not yet", "## Some day", "not below `## Shown` or `## Not yet`"),
]
FILES = {
    TEST: "static void test_a__holds(void **state)\n{\n    test_a__called(state);\n}\n"
          "static void test_a__wraps(\n    void **state)\n{\n}\n",
    "tests/cli/show/one.sh": "m31r show\n",
    "tests/a.py": "def holds():\n    pass\n",
    "cli/cmd_show.c": "\n",
}


def write(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as stream:
        stream.write(text)


def check(page):
    with tempfile.TemporaryDirectory(prefix="m31r-conformance-") as root:
        for path, text in FILES.items():
            write(root, path, text)
        if page is not None:
            write(root, "docs/conformance.md", page)
        done = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "check_conformance"),
                               root], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def main():
    cases = [(GOOD.replace(old, new, 1) if old else GOOD, words) for old, new, words in ROWS]
    cases.append((None, "missing"))
    failed = 0
    for number, (page, words) in enumerate(cases):
        status, output = check(page)
        good = status == 0 if words is None else status == 1 and words in output
        if not good:
            failed += 1
            print(f"FAIL row {number}: expected {words or 'a pass'}; exit {status}: {output}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
