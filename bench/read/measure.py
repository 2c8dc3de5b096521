#!/usr/bin/env python3
"""Measures `m31r logs` and `m31r metrics` beside the programs that people use for the same.

usage: measure.py M31R PROGRAMS [--rounds N] [--mib N] [--points N]
One query after another; the programs of a query take turns, so that a busy machine slows all of
them. Whole processes over a file in the page cache. A figure is the median of N rounds (5): seconds
of the clock, and of the processor (user and system), GB/s of these, and the ratio to m31r with one
thread. Programs that are not here are left out. DuckDB and Polars are those of the Python that
M31R_BENCH_PYTHON names, or of this one.
"""
import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

DUCKDB = ("import duckdb,sys;c=duckdb.connect();c.execute('set threads=1');"
          "print(c.execute(sys.argv[1].replace('FILE',sys.argv[2])).fetchall()[:3])")
POLARS = ("import os,sys;os.environ['POLARS_MAX_THREADS']='1';import polars as p;v=p.col('value');"
          "print(p.scan_csv(sys.argv[1],schema_overrides={'ts':p.String}).group_by('name').agg("
          "v.count().alias('n'),v.last().alias('l'),v.min().alias('a'),v.max().alias('b'),"
          "v.mean().alias('m')).collect())")
JSON = "read_json('FILE',format='newline_delimited',columns={%s})"
CSV = ("select name,count(*),last(value),min(value),max(value),avg(value) from "
       "read_csv('FILE',header=true,columns={'name':'varchar','step':'bigint','value':'double',"
       "'ts':'varchar','segment':'int'}) group by name")
# The smallest and the largest of 500 stretches of each metric.
THIN = ("with p as (select *,row_number() over (partition by name) n from "
        "read_csv('FILE',header=true,columns={'name':'varchar','step':'bigint','value':'double',"
        "'ts':'varchar','segment':'int'})),c as (select name,count(*) k from p group by name) "
        "select name,n*500//(k+1) s,min(value),arg_min(step,value),max(value),arg_max(step,value) "
        "from p join c using(name) group by all order by all")


def has_module(python, name):
    return subprocess.run([python, "-c", f"import {name}"], stderr=subprocess.DEVNULL).returncode == 0


class Bench:
    def __init__(self, m31r, programs, rounds, python):
        self.m31r, self.programs, self.rounds, self.python = m31r, programs, rounds, python
        self.output = os.devnull
        self.has_duckdb = has_module(python, "duckdb")
        self.has_polars = has_module(python, "polars")

    def peer(self, name, *command):
        return [(name, list(command))] if shutil.which(command[0]) else []

    def duckdb(self, query, path):
        return [("duckdb", [self.python, "-c", DUCKDB, query, path])] if self.has_duckdb else []

    def simdjson(self, query, path):
        return self.peer("simdjson", os.path.join(self.programs, "simdjson"), query, path)

    def time_once(self, command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        with open(self.output, "wb") as out:  # not /dev/null, for which grep stops at the first hit
            done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE)
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode != 0:
            raise SystemExit(f"{command}: {done.returncode} {done.stderr.decode()[:500]}")
        return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    def measure(self, query, size, commands):
        times = {name: [] for name, _ in commands}
        for _ in range(self.rounds):
            for name, command in commands:
                times[name].append(self.time_once(command))
        base = statistics.median(cpu for _, cpu in times["m31r"])
        for name, _ in commands:
            wall = statistics.median(w for w, _ in times[name])
            cpu = statistics.median(c for _, c in times[name])
            print(json.dumps({"bench": "read", "query": query, "program": name,
                              "wall_s": round(wall, 3), "cpu_s": round(cpu, 3),
                              "gb_per_s": round(size / wall / 1e9, 2),
                              "gb_per_cpu_s": round(size / cpu / 1e9, 2),
                              "cpu_to_m31r": round(cpu / base, 2)}), flush=True)

    def logs(self, path, *options):
        plain = [self.m31r, "logs", path, "--json", "--no-index"]
        return [("m31r", [*plain, "--threads", "1", *options]),
                ("m31r, 2 threads", [*plain, "--threads", "2", *options])]

    def with_index(self, path, *options):
        command = [self.m31r, "logs", path, "--json", *options]
        self.time_once(command)  # makes it
        return [("m31r, index", command)]


def measure_logs(b, path):
    size = os.path.getsize(path)
    error = ['"level":"ERROR"', '"level":"CRITICAL"']
    b.measure("count", size, b.logs(path, "--count") + b.peer("wc -l", "wc", "-l", path) +
              b.peer("rg", "rg", "-c", "", path) + b.simdjson("count", path) +
              b.duckdb("select count(*) from " + JSON % "'ts':'varchar'", path))
    b.measure("level>=ERROR, whole records", size, b.logs(path, "--level", "ERROR") +
              b.with_index(path, "--level", "ERROR") +
              b.peer("rg", "rg", "-N", "-F", "-e", error[0], "-e", error[1], path) +
              b.peer("grep -F", "grep", "-F", "-e", error[0], "-e", error[1], path) +
              b.peer("mawk", "mawk", "/\"level\":\"(ERROR|CRITICAL)\"/", path) +
              b.simdjson("error", path) +
              b.duckdb("select * from " + JSON % "'ts':'varchar','level':'varchar','module':'varchar',"
                       "'msg':'varchar'" + " where level in ('ERROR','CRITICAL')", path))
    b.measure("module and step range, two fields", size,
              b.logs(path, "--module", "trainer", "--step", "100000..200000", "--fields", "step,loss") +
              b.simdjson("step", path) +
              b.duckdb("select step,loss from " + JSON % "'module':'varchar','step':'bigint','loss':'double'"
                       + " where module='trainer' and step between 100000 and 200000", path))
    b.measure("a step range", size, b.logs(path, "--step", "100000..100100") +
              b.with_index(path, "--step", "100000..100100"))
    b.measure("count by module, level", size, b.logs(path, "--count-by", "module,level") +
              b.simdjson("module_level", path) +
              b.duckdb("select module,level,count(*) from " + JSON % "'module':'varchar','level':'varchar'"
                       + " group by all", path))
    b.measure("avg p50 p99 of latency_ms", size, b.logs(path, "--stats", "latency_ms") +
              b.simdjson("latency", path) +
              b.duckdb("select avg(latency_ms),quantile_disc(latency_ms,0.5),quantile_disc(latency_ms,"
                       "0.99) from " + JSON % "'latency_ms':'double'", path))
    b.measure("free text", size, b.logs(path, "-w", 'msg contains "unreadable"') +
              b.peer("rg", "rg", "-N", "-F", "unreadable", path) +
              b.peer("grep -F", "grep", "-F", "unreadable", path))
    compressed = path + ".zst"
    subprocess.run(["zstd", "-q", "-3", "-f", path, "-o", compressed], check=True)
    b.measure("level>=ERROR, the same in zstd", size,
              [("m31r", [b.m31r, "logs", compressed, "--json", "--level", "ERROR"])] +
              b.peer("rg -z", "rg", "-z", "-N", "-F", "-e", error[0], "-e", error[1], compressed))


def measure_points(b, run):
    path = os.path.join(run, "metrics.csv")
    polars = [("polars", [b.python, "-c", POLARS, path])] if b.has_polars else []
    b.measure("metrics.csv: count last min max mean by name", os.path.getsize(path),
              [("m31r", [b.m31r, "metrics", run])] + b.duckdb(CSV, path) + polars)
    b.measure("metrics.csv: every metric down to 1,000 points, extremes kept", os.path.getsize(path),
              [("m31r", [b.m31r, "metrics", run, "--points", "1000"])] + b.duckdb(THIN, path))


def say_versions(b):
    versions = {"m31r": subprocess.run([b.m31r, "--version"], capture_output=True, text=True).stdout.strip()}
    for name in ("rg", "jq", "mawk", "grep", "wc"):
        if shutil.which(name):
            flag = "-W version" if name == "mawk" else "--version"
            done = subprocess.run([name, *flag.split(" ", 1)], capture_output=True, text=True)
            versions[name] = done.stdout.split("\n")[0]
    for name in ("duckdb", "polars"):
        if has_module(b.python, name):
            versions[name] = subprocess.run([b.python, "-c", f"import {name};print({name}.__version__)"],
                                            capture_output=True, text=True).stdout.strip()
    print(json.dumps({"bench": "read", "versions": versions, "load": os.getloadavg()[0],
                      "processors": os.cpu_count()}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("m31r")
    parser.add_argument("programs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--points", type=int, default=20000000)
    o = parser.parse_args()
    b = Bench(o.m31r, o.programs, o.rounds, os.environ.get("M31R_BENCH_PYTHON", sys.executable))
    say_versions(b)
    with tempfile.TemporaryDirectory(dir=os.environ.get("M31R_BENCH_SCRATCH")) as scratch:
        records = os.path.join(o.programs, "records")
        b.output = os.path.join(scratch, "output")
        os.environ["XDG_CACHE_HOME"] = os.path.join(scratch, "cache")
        path = os.path.join(scratch, "train.log")
        with open(path, "wb") as f:
            subprocess.run([records, "logs", str(o.mib << 20)], stdout=f, check=True)
        measure_logs(b, path)
        os.unlink(path)
        run = os.path.join(scratch, "run")
        os.mkdir(run)
        with open(os.path.join(run, "metadata.json"), "w") as f:
            f.write('{"format_version":1}')
        with open(os.path.join(run, "metrics.csv"), "wb") as f:
            subprocess.run([records, "points", str(o.points)], stdout=f, check=True)
        measure_points(b, run)


main()
