#!/usr/bin/env python3
"""Runs kept, repeated and removed: the real command, from outside.

usage: test_keep.py BUILD GROUP
Runs the tests whose name begins with GROUP: reproduce, remove, redact, kill, lineage.
"""
import sys

sys.dont_write_bytecode = True
import keep_cases_kill  # noqa: E402,F401
import keep_cases_lineage  # noqa: E402,F401
import keep_cases_redact  # noqa: E402,F401
import keep_cases_remove  # noqa: E402,F401
import keep_cases_reproduce  # noqa: E402,F401
import keep_harness  # noqa: E402

keep_harness.main(sys.argv[2])
