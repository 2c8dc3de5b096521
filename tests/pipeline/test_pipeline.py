#!/usr/bin/env python3
"""Tests of examples/pipeline: the real programs, from outside.

usage: test_pipeline.py BUILD GROUP
Runs the tests whose name begins with GROUP: data, tokenizer, learn, eval, serve, whole, soak.
"""
import sys

sys.dont_write_bytecode = True
import cases_data  # noqa: E402,F401
import cases_eval  # noqa: E402,F401
import cases_learn  # noqa: E402,F401
import cases_serve  # noqa: E402,F401
import cases_soak  # noqa: E402,F401
import cases_whole  # noqa: E402,F401
import pipeline_harness  # noqa: E402

pipeline_harness.main(sys.argv[2])
