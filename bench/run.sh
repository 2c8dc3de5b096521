#!/bin/sh
# Measures on this machine: builds the release command and the programs under bench/, then runs each folder's measure.py.
# usage: bench/run.sh [--rounds N]      results go to stdout, one JSON line a case
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=${M31R_BENCH_BUILD:-$root/build/bench}
cmake -S "$root" -B "$out" -G Ninja -DCMAKE_BUILD_TYPE=Release -DM31R_TESTS=OFF -DM31R_EXAMPLES=OFF >/dev/null
cmake --build "$out" >&2
mkdir -p "$out/programs"
for source in "$root"/bench/*/*.c; do
    cc -O2 -o "$out/programs/$(basename "$source" .c)" "$source"
done
for measure in "$root"/bench/*/measure.py; do
    python3 "$measure" "$out/m31r" "$out/programs" "$@"
done
