#!/bin/sh
# Measures on this machine: builds the release command and the programs under bench/, then runs each folder's measure.py.
# usage: bench/run.sh [FOLDER] [--rounds N]...      results go to stdout, one JSON line a case; FOLDER: only bench/FOLDER
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=${M31R_BENCH_BUILD:-$root/build/bench}
only='*'
case ${1:-} in
'' | -*) ;;
*)
    only=$1
    shift
    [ -f "$root/bench/$only/measure.py" ] || {
        echo "there is no bench/$only" >&2
        exit 1
    }
    ;;
esac
cmake -S "$root" -B "$out" -G Ninja -DCMAKE_BUILD_TYPE=Release -DM31R_TESTS=OFF -DM31R_EXAMPLES=OFF >/dev/null
cmake --build "$out" >&2
mkdir -p "$out/programs"
# shellcheck disable=SC2231 # the pattern is one
for source in "$root"/bench/$only/*.c; do
    [ -f "$source" ] || continue
    cc -O2 -o "$out/programs/$(basename "$source" .c)" "$source" -lm
done
# A peer in C++ whose library is not here is left out.
# shellcheck disable=SC2231
for source in "$root"/bench/$only/*.cpp; do
    [ -f "$source" ] || continue
    name=$(basename "$source" .cpp)
    c++ -std=c++17 -O3 -o "$out/programs/$name" "$source" "-l$name" 2>"$out/$name.log" ||
        echo "bench: $name is not measured; see $out/$name.log" >&2
done
# shellcheck disable=SC2231
for measure in "$root"/bench/$only/measure.py; do
    python3 "$measure" "$out/m31r" "$out/programs" "$@"
done
