#!/usr/bin/env python3
"""Self-test of tools/check_*: a good tree passes, and each bad change to it fails at its line.

A check that cannot fail is worthless, so every rule has a row: the check, the file that is changed,
its new text, and the line and words that the check must print.
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

HEADER = """/* run.h: a thing.
 * What it is not.
 */
#ifndef M31R_RUN_H
#define M31R_RUN_H
#include <stddef.h>
#include "m31r/error.h"
#ifdef __cplusplus
extern "C" {
#endif
typedef struct m31r_run m31r_run;
typedef m31r_err (*m31r_run_visit)(m31r_run *run, void *user);

struct m31r_run_hooks {
    m31r_err (*begin)(m31r_run *run);
    void (*end)(m31r_run *run);
};

/* Opens it.
 *
 * Returns: M31R_OK.
 * Errors:  M31R_E_IO.
 * Owns:    the run is the caller's, freed by m31r_run_close().
 * Thread:  any.
 */
M31R_API m31r_err m31r_run_open(const char *path, m31r_run **out_run, m31r_error *e);

/* Two of a kind.
 * Returns: a count.
 * Thread:  any.
 */
M31R_API size_t m31r_run_n_points(const m31r_run *run);
M31R_API int m31r_error_exit(const m31r_error *e);
M31R_API size_t m31r_run_n_records(const m31r_run *run);

/* Ends it. Thread: labels stand at the start of a line.
 * Thread: one at a time. */
M31R_PRINTF(1, 2) M31R_API void m31r_run_close(m31r_run *run, ...);

/* Two inline ones.
 * Returns: a number.
 * Thread:  any.
 */
static inline int m31r_run_one(void)
{
    return 1;
}

static inline int m31r_run_two(void)
{
    return 2;
}

static inline int m31ri_hidden(int a, int b, int c, int d, int e, int f) { return a + f; }
#ifdef __cplusplus
}
#endif
#endif
"""

GOOD = {
    "include/m31r/error.h": "/* error.h: codes.\n * One line more.\n */\ntypedef int m31r_err;\n",
    "include/m31r/run.h": HEADER,
    "src/base/README.md": "# base\nBytes and files.\nMay include libc.\n",
    "src/store/README.md": "# store\nThe run directory.\nMay include base.\n",
    "src/read/README.md": "# read\nReads.\nMay include base and format.\n",
    "src/show/README.md": "# show\nTables.\nMay include base and analyse.\n",
    "src/base/buf.h": "#include <string.h>\n",
    "src/base/os_linux.c": "#ifdef __linux__\n#include <unistd.h>\n#endif\n",
    "src/read/scan.h": "#include <m31r/run.h>\n#include \"base/buf.h\"\n",
    "src/show/table.c": "#include <stdio.h>\nvoid t(void)\n{\n    printf(\"x\");\n}\n",
    "src/store/sink.h": "/* strcpy( in a comment and #include \"read/scan.h\" are fine */\n",
    "src/store/sink.c": '#include "sink.h"\n#include "buf.h"\n#include "m31r/run.h"\n'
                        'const char *x = "strcpy(a, b) /* ";\nint s_strcpy(int a);\n'
                        "void f(struct t *p)\n{\n    p->printf(1);\n}\n",
    "cli/main.c": '#include <m31r/run.h>\n#include "cli.h"\nint main(void)\n{\n    return 0;\n}\n',
    "cli/cli.h": "\n",
    "examples/one/one.c": '#include <m31r/run.h>\n#include "own.h"\n',
    "examples/one/own.h": "\n",
}


def function(lines, comment=""):
    return comment + "int f(int a)\n{\n" + "    a++;\n" * (lines - 2) + "}\n"


def changed(old, new):
    assert old in HEADER, old
    return HEADER.replace(old, new)


def at(text, words):
    return text[:text.index(words)].count("\n") + 1


NO_OWNS = changed(" * Owns:    the run is the caller's, freed by m31r_run_close().\n", "")
SIX = changed("m31r_run_n_points(const m31r_run *run)",
              "m31r_run_n_points(const m31r_run *run, int a,\n    int b, int (*c)(int), int d,"
              " int e)")
SINK, RUN = "src/store/sink.c", "include/m31r/run.h"

# check, changed file, its text (None removes it), line and words expected (None: must pass)
ROWS = [
    ("layers", SINK, '#include "read/scan.h"\n', (1, "src/store includes src/read/scan.h")),
    ("layers", SINK, '#include "scan.h"\n', (1, "src/store includes src/read/scan.h")),
    ("layers", SINK, '\n#include "../read/scan.h"\n', (2, "src/store includes src/read/scan.h")),
    ("layers", SINK, "#include <read/scan.h>\n", (1, "src/store includes src/read/scan.h")),
    ("layers", SINK, '#include "gone.h"\n', (1, "not a file of this tree")),
    ("layers", SINK, "#include HEADER\n", (1, "macro")),
    ("layers", SINK, '#include "../../cli/cli.h"\n', (1, "the library includes cli/cli.h")),
    ("layers", SINK, "#if defined(__linux__)\n#endif\n", (1, "platform #if on __linux__")),
    ("layers", SINK, "#if 1\n#elif _WIN32\n#endif\n", (2, "platform #if on _WIN32")),
    ("layers", "src/base/buf.c", "#ifdef __GLIBC__\n#endif\n", (1, "platform #if on __GLIBC__")),
    ("layers", "src/base/buf.h", '#include "store/sink.h"\n', (1, "src/base includes")),
    ("layers", "src/base/buf.h", "#include <string.h>\n// #include \"store/sink.h\"\n", None),
    ("layers", "src/stat/buf.h", "\n", (1, "second header named buf.h")),
    ("layers", "src/novel/a.c", "\n", (1, "not in the table")),
    ("layers", "cli/main.c", '#include "base/buf.h"\n', (1, "public headers m31r/*.h only")),
    ("layers", "cli/main.c", '#include "../src/base/buf.h"\n', (1, "public headers m31r/*.h only")),
    ("layers", "examples/two/two.c", '#include "../one/own.h"\n', (1, "public headers")),
    ("layers", RUN, '#include "base/buf.h"\n', (1, "a public header includes src/base/buf.h")),
    ("docs", RUN, NO_OWNS, (at(NO_OWNS, "M31R_API m31r_err"), "m31r_run_open() has no `Owns:`")),
    ("docs", RUN, changed(" * Errors:  M31R_E_IO.\n", ""), (25, "no `Errors:`")),
    ("docs", RUN, changed(" * Returns: M31R_OK.\n", ""), (25, "no `Returns:`")),
    ("docs", RUN, changed(" * Thread: one at a time. */", " */"), (38, "no `Thread:`")),
    ("docs", RUN, changed("*/\nM31R_API m31r_err", "*/\n\nM31R_API m31r_err"), (27, "no comment")),
    ("docs", RUN, changed("run);\nM31R_API", "run);\n\nM31R_API"), (34, "no comment block")),
    ("docs", RUN, changed("a count.\n * Thread:  any.", "a count."), (31, "no `Thread:`")),
    ("docs", RUN, changed(" * Returns: a number.\n", ""), (48, "m31r_run_two() has no `Returns:`")),
    ("docs", RUN, "/* run.h */\n", (1, "no opening comment")),
    ("docs", "src/read/README.md", None, (1, "missing or shorter")),
    ("docs", "src/read/README.md", "# read\n", (1, "missing or shorter")),
    ("size", SINK, function(70), None),
    ("size", SINK, function(71), (2, "f() has 71 lines")),
    ("size", SINK, function(71, "/* Flat switch over the kinds. */\n"), None),
    ("size", "tests/unit/a/test_a.c", function(90).replace("int f", "int main"), None),
    ("size", "tests/unit/a/test_a.c", function(90), (2, "f() has 90 lines")),
    ("size", SINK, "static const int t[] = {\n" + "    1,\n" * 100 + "};\n", None),
    ("size", SINK, "int a;\n" * 800, None),
    ("size", SINK, "int a;\n" * 801, (801, "801 lines")),
    ("size", SINK, "/* Size: one table. */\n" + "int a;\n" * 801, None),
    ("size", RUN, SIX, (at(SIX, "M31R_API size_t m31r_run_n_points"), "takes 6 parameters")),
    ("size", RUN, SIX.replace(", int e)", ")"), None),
    ("size", SINK, "/* " + "x" * 94 + " */\n", None),
    ("size", SINK, "\n/* " + "x" * 95 + " */\n", (2, "101 columns")),
    ("size", SINK, "\tint a;\n", (1, "a tab")),
    ("size", SINK, "int a; \n", (1, "space or carriage return")),
    ("size", "dev", "#!/bin/sh\n# " + "x" * 100 + "\n", (2, "102 columns")),
    ("banned", SINK, "void f(void)\n{\n    strcpy(a, b);\n}\n", (3, "strcpy: overflows")),
    ("banned", SINK, "char *(*g)(char *, const char *) = strcat;\n", (1, "strcat: overflows")),
    ("banned", SINK, "int a = atoi(b);\n", (1, "atoi: cannot report")),
    ("banned", SINK, "int a = sprintf (b, c);\n", (1, "sprintf: overflows")),
    ("banned", SINK, "void *a = strtok(b, c), *d = localtime(e);\n", (1, "localtime: ")),
    ("banned", SINK, "void *a = gmtime(b);\n", (1, "gmtime: ")),
    ("banned", SINK, "void *a = gmtime_r(b, c);\nint n = snprintf(b, 1, c);\n", None),
    ("banned", SINK, "int a = pidfd_open(b, 0);\n", (1, "pidfd_open: glibc alone")),
    ("banned", SINK, "int a = syscall(SYS_pidfd_open, b, 0);\n", None),
    ("banned", SINK, "int a = printf(b);\n", (1, "printf: the library never prints")),
    ("banned", SINK, "void f(char *, ...) __attribute__((format(printf, 1, 2)));\n", None),
    ("banned", SINK, "#include <sys/socket.h>\n", (1, "no network code")),
    ("banned", SINK, "void *a = malloc(b);\n", (1, "malloc: allocate through")),
    ("banned", "src/base/alloc.c", "void *a = malloc(b);\n", None),
    ("banned", SINK, "int a = exit(b), exit_status = 1;\n", (1, "exit: the library leaves")),
    ("banned", SINK, "struct a {\n    int exit : 1;\n};\nint x = a.abort;\n", None),
    ("banned", "src/observe/a.c", "int a = chdir(b);\n", None),
    ("banned", "cli/main.c", "int a = printf(b);\n", None),
    ("banned", "cli/main.c", "int a = atoi(b);\n", (1, "atoi: cannot report")),
    ("unused", "src/store/sink.h", "\nint m31ri_sink_n(void);\n", (2, "m31ri_sink_n() has no")),
    ("unused", "src/store/sink.h", "/* For tests. */\nint m31ri_sink_n(void);\n", None),
    ("unused", "src/store/sink.h", "int m31ri_n(void);\nint (*const f)(void) = m31ri_n;\n", None),
    ("unused", "src/store/sink.h", "/* m31ri_n() */\nint m31ri_n(void);\n", (2, "m31ri_n()")),
]


def make_tree(where, change=None, text=None):
    tree = dict(GOOD)
    if change:
        tree[change] = text
    for path, content in tree.items():
        if content is None:
            continue
        full = os.path.join(where, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as stream:
            stream.write(content)
    for folder in {os.path.dirname(p) for p, c in tree.items() if c is None}:
        os.makedirs(os.path.join(where, folder), exist_ok=True)


def run_check(check, where, *more):
    command = [sys.executable, os.path.join(ROOT, "tools", "check_" + check), where, *more]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def row_fails(row, where):
    """What is wrong with the check's answer to one row, or None."""
    check, path, text, expected = row
    make_tree(where, path, text)
    code, output = run_check(check, where)
    if expected is None:
        return None if code == 0 else f"should pass, says: {output}"
    line, words = expected
    hit = any(one.startswith(f"{path}:{line}: ") and words in one for one in output.split("\n"))
    wanted = f"should say {path}:{line}: {words}; exit {code}: {output}"
    return None if code == 1 and hit else wanted


def library_fails(where, source, expected):
    """Builds a shared library from one line of C and has its symbols checked."""
    make_tree(where)
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return "no C compiler on PATH"
    library = os.path.join(where, "lib.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", library],
                   input=source, text=True, check=True)
    code, output = run_check("banned", where, "--library=" + library)
    good = code == 0 if expected is None else code == 1 and expected in output
    return None if good else f"library from `{source}`: exit {code}: {output}"


def in_scratch(case):
    with tempfile.TemporaryDirectory(prefix="m31r-checks-") as where:
        return case(where)


def main():
    cases = [("good tree, " + check, lambda w, c=check: row_fails((c, None, None, None), w))
             for check in ("layers", "docs", "size", "banned")]
    cases += [(f"{row[0]}, {row[1]}, row {number}", lambda w, r=row: row_fails(r, w))
              for number, row in enumerate(ROWS)]
    cases += [
        ("library with a socket", lambda w: library_fails(
            w, "int socket(int, int, int); int f(void) { return socket(1, 2, 3); }\n",
            "needs the symbol socket")),
        ("library without one", lambda w: library_fails(w, "int f(void) { return 1; }\n", None)),
        ("no library", lambda w: None if run_check("banned", w, "--library=" + w + "/x.so")[0] == 1
            else "a missing library passes"),
    ]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (name, _), wrong in zip(cases, pool.map(lambda c: in_scratch(c[1]), cases)):
            if wrong:
                failed += 1
                print(f"FAIL {name}: {wrong}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
