#!/usr/bin/env python3
"""m31r run from outside: what a program, its user and its record see. Standard library only.

usage: test_run.py M31R [FAKE_NVML_DIR [NAME...]]   (NAME: only tests whose name holds it)
"""
import sys

sys.dont_write_bytecode = True

import run_cases_anomalies  # noqa: E402,F401
import run_cases_canary  # noqa: E402,F401
import run_cases_crash  # noqa: E402,F401
import run_cases_death  # noqa: E402,F401
import run_cases_disk  # noqa: E402,F401
import run_cases_drain  # noqa: E402,F401
import run_cases_join  # noqa: E402,F401
import run_cases_later  # noqa: E402,F401
import run_cases_output  # noqa: E402,F401
import run_cases_ranks  # noqa: E402,F401
import run_cases_real  # noqa: E402,F401
import run_cases_recover  # noqa: E402,F401
import run_cases_remote  # noqa: E402,F401
import run_cases_terminal  # noqa: E402,F401
import run_cases_trend  # noqa: E402,F401
import run_harness  # noqa: E402

if __name__ == "__main__":
    run_harness.main()
