#!/usr/bin/env python3
"""measure.py - what a clean record costs the privacy rules, in CPU time and in instructions.

usage: measure.py M31R PROGRAMS [--rounds N]
Builds programs/clean_record.c against the library beside M31R. CPU time is the median of N rounds (5) over
all records in turns; instructions are callgrind's, and the same on a machine under load.
"""
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
LIBRARIES = ("-lcrypto", "-ljansson", "-lfyaml", "-lz", "-lzstd", "-lm", "-lpthread", "-ldl", "-lunwind", "-ldw", "-lelf")
RECORDS = 4


def build(library_dir, program, source):
    base = ["cc", "-O3", "-std=gnu17", "-D_GNU_SOURCE", f"-I{SOURCE}/src", f"-I{SOURCE}/include", "-o", program,
            source, f"{library_dir}/libm31r.a"]
    last = None
    for wanted in (LIBRARIES, LIBRARIES[:-3]):
        last = subprocess.run(base + list(wanted), capture_output=True, text=True)
        if last.returncode == 0:
            return
    sys.exit(last.stderr)


def instructions(program, record):
    """Of one record: the difference of two runs, so that the start is not counted."""
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        for rounds in (1000, 2000):
            done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program,
                                   str(record), str(rounds)], capture_output=True, text=True)
            counts.append(int(re.search(r"Collected : (\d+)", done.stderr).group(1)))
    return (counts[1] - counts[0]) / 1000


def rule_instructions(program, n_records):
    """In all functions of src/rules, of a run whose records hold numbers only."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, "flat", str(n_records)],
                       cwd=folder, capture_output=True, check=True)
        table = subprocess.run(["callgrind_annotate", "--threshold=100", f"{folder}/out"], capture_output=True, text=True,
                               check=True).stdout
    rows = re.findall(r"^ *([\d,]+) \([^)]*\) +\S*?:(?:m31ri_privacy_(?:clean|is_clean|scrub|judge)|m31ri_places|m31ri_search|m31ri_key)\w*",
                      table, re.M)
    return sum(int(n.replace(",", "")) for n in rows)


def measure_numbers(library_dir, folder):
    """What a record of numbers costs the rules: the same program, the same run, more records."""
    program = os.path.join(folder, "number_records")
    build(library_dir, program, f"{SOURCE}/bench/emit/programs/m31r.c")
    few, many = (rule_instructions(program, n) for n in (1000, 11000))
    print(json.dumps({"case": "record of numbers only", "instructions": (many - few) / 10000}), flush=True)


def main():
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 5
    program = os.path.join(sys.argv[2], "clean_record")
    library_dir = os.path.dirname(os.path.abspath(sys.argv[1]))
    build(library_dir, program, f"{HERE}/programs/clean_record.c")
    seen = {record: [] for record in range(RECORDS)}
    for _ in range(rounds):
        for record in range(RECORDS):
            seen[record].append(json.loads(subprocess.run([program, str(record), "300000"], capture_output=True,
                                                          text=True).stdout))
    for record, rows in seen.items():
        line = {"case": f"clean record {record}", "bytes": rows[0]["bytes"],
                "ns": round(statistics.median(r["ns"] for r in rows), 1),
                "made_us": round(statistics.median(r["made_us"] for r in rows), 1)}
        if shutil.which("valgrind"):
            line["instructions"] = round(instructions(program, record))
        print(json.dumps(line), flush=True)
    if shutil.which("valgrind"):
        measure_numbers(library_dir, sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
