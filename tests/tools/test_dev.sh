#!/bin/sh
# Self-test of ./dev with made-up system commands: what it does about missing packages, what the
# demo
# runs, and how tests are counted. Nothing is installed.
set -u

source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bin=$scratch/bin
passed=0 failed=0

# begin: an empty tree with ./dev, and a PATH that holds only what every system has.
begin() {
    rm -rf "$bin" "$scratch/tree" "$scratch/calls"
    mkdir -p "$bin" "$scratch/tree"
    cp "$source_dir/dev" "$scratch/tree/"
    : >"$scratch/calls"
    for tool in sh dirname cat grep sed head tail mktemp rm mkdir env awk; do
        ln -s "$(command -v "$tool")" "$bin/$tool"
    done
    fake id 'echo 0'
    fake true "exit 0"
}

fake_at() { printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod +x "$1"; }

fake() { fake_at "$bin/$1" "$2"; }

fake_apt() {
    fake apt-get "echo \"apt-get \$*\" >>$scratch/calls; ${1:-exit 0}"
    fake apt-cache "echo '  Candidate: ${2:-1.0}'"
}

fake_everything() {
    for tool in cc c++ cmake ninja pkg-config git python3 zstd valgrind spm_train fasttext \
        xgboost; do
        fake "$tool" 'exit 0'
    done
}

# expect NAME STATUS WORDS [COMMAND]: runs ./dev COMMAND (build) and compares its status and a part
# of what it says.
expect() {
    output=$(PATH=$bin "$scratch/tree/dev" "${4:-build}" 2>&1 </dev/null)
    status=$?
    case $status/$output in
    $2/*"$3"*) passed=$((passed + 1)) ;;
    *)
        failed=$((failed + 1))
        printf 'FAIL %s: status %s, expected %s; should say "%s", says:\n%s\n' \
            "$1" "$status" "$2" "$3" "$output"
        ;;
    esac
}

# expect_calls NAME PATTERN: compares the calls of apt-get, each ended by a semicolon.
expect_calls() {
    calls=$(sed 's/$/;/' "$scratch/calls" | tr -d '\n')
    # shellcheck disable=SC2254 # the pattern is meant as one
    case $calls in
    $2) passed=$((passed + 1)) ;;
    *)
        failed=$((failed + 1))
        printf 'FAIL %s: calls are "%s"\n' "$1" "$calls"
        ;;
    esac
}

begin
expect "no apt" 3 "there is no apt-get here"
expect "no apt names the command" 3 "install --no-install-recommends gcc g++"

begin
fake_apt
fake id 'echo 1000'
expect "not root" 3 "you are not root and there is no sudo"
fake sudo 'exit 1'
expect "sudo wants a password" 3 "sudo asks for a password"
expect_calls "nothing is called without the right" ""
fake sudo 'shift; exec "$@"'
expect "sudo works" 1 "installing with apt, for the build"
expect_calls "sudo calls apt" "*install --no-install-recommends gcc *;"

begin
fake_apt
expect "known packages" 1 "installing with apt, for the build"
expect_calls "no update when packages are known" "apt-get -q -y*install*libpcre2-dev*;"

begin
fake_apt "exit 0" "(none)"
expect "unknown packages" 1 "the package lists do not know gcc"
expect_calls "update first when they are not" "*update;*install*;"

begin
fake_apt "echo E: broken mirror; exit 100"
expect "apt fails" 3 "E: broken mirror"
expect_calls "a failed install is tried again after an update" "*install*;*update;"

begin
fake_apt
fake_everything
expect "everything is there" 0 "building release"
expect_calls "apt is not called when everything is there" ""

begin
fake_everything
expect "demo without a program" 1 "nothing to show" demo
mkdir -p "$scratch/tree/build/examples/train"
fake_at "$scratch/tree/build/m31r" 'echo "m31r $*"'
fake_at "$scratch/tree/build/examples/train/train" ''
expect "demo runs the program" 0 "--seed 42 --dataset" demo
expect "demo passes the seed on" 0 "build/examples/train/train --config" demo
expect "demo shows the run" 0 "
m31r show @ --text
" demo
fake_at "$scratch/tree/build/m31r" 'exit 3'
expect "demo fails when its program does" 1 "the demo's program failed" demo

# expect_count NAME STATUS WORDS CTEST_OUTPUT: what ./dev test makes of CTest's closing lines.
expect_count() {
    begin
    fake_everything
    fake ctest "cat <<'TEXT'
$4
TEXT"
    expect "$1" "$2" "
$3" test
}

expect_count "all pass" 0 "12 passed, 0 failed" "100% tests passed, 0 tests failed out of 12"
expect_count "some fail" 1 "10 passed, 2 failed" "83% tests passed, 2 tests failed out of 12"
expect_count "one fails" 1 "11 passed, 1 failed" "92% tests passed, 1 tests failed out of 12"
expect_count "skipped ones are said" 0 "11 passed, 0 failed, 1 skipped" \
    " 1/12 Test  #1: cli_run ....***Skipped   0.01 sec
100% tests passed, 0 tests failed out of 12"
expect_count "no test is a failure" 1 "0 passed, 0 failed" "No tests were found!!!"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
