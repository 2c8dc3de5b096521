#!/usr/bin/env python3
"""What a clean record costs the privacy rules, in instructions: the same on a machine under load.

usage: test_cost.py CLEAN_RECORD
Counted by callgrind inside of m31ri_privacy_clean() alone. A bound is a tenth above what was counted when it was
set, with GCC 12 and AVX2: it holds the cost, it is not a wish. The rules must be made in less than a millisecond.
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile

BOUNDS = {0: 1370, 1: 1600, 2: 2040, 3: 1750}  # instructions a record (bench/rules: 132 to 146 bytes of strings)
ROUNDS = 500


def instructions(program, record):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=m31ri_privacy_clean",
                               f"--callgrind-out-file={folder}/out", program, str(record), str(ROUNDS)],
                              capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["found"] == 0, done.stdout
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1)) / ROUNDS


def main():
    program = sys.argv[1]
    made = min(json.loads(subprocess.check_output([program, "0", "1"]))["made_us"] for _ in range(5))
    print(f"rules made: {made} us")
    bad = made >= 1000
    flags = open("/proc/cpuinfo", encoding="utf-8").read()
    if not shutil.which("valgrind") or " avx2 " not in flags or " bmi2 " not in flags:
        print("instructions: not counted (no valgrind here, or a processor without AVX2)")
        return 1 if bad else 77
    for record, bound in BOUNDS.items():
        n = instructions(program, record)
        print(f"record {record}: {n:.0f} instructions, at most {bound}")
        bad |= not 0 < n <= bound
    return bad


if __name__ == "__main__":
    sys.exit(main())
