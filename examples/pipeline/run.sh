#!/bin/sh
# The whole pipeline: data, tokenizer, train, eval and serve over one directory of .rs files, each
# stage a run observed by `m31r run`, then `m31r verify` of all five.
#
# usage: run.sh BUILD SOURCE WORK [CONFIGS]
#   BUILD    folder of the build: m31r and examples/pipeline/
#   SOURCE   directory of .rs files
#   WORK     folder for the runs and for links to what they made; made when it is not there
#   CONFIGS  folder of the five configs (default: where this script is)
#
# Exit status: 0 when every stage ended well and every run verifies, else that of the first that
# did not.
set -eu

say() { printf '%s\n' "pipeline: $*" >&2; }

[ $# -ge 3 ] || {
    sed -n '5,9s/^# \{0,1\}//p' "$0" >&2
    exit 1
}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
build=$(CDPATH='' cd -- "$1" && pwd)
source=$(CDPATH='' cd -- "$2" && pwd)
mkdir -p "$3"
configs=$(CDPATH='' cd -- "${4:-$here}" && pwd)
cd "$3"
m31r=$build/m31r
programs=$build/examples/pipeline

# become STAGE DATASET TOKENIZER ARGUMENT...: turns this process into the stage's observer.
become() {
    stage=$1 dataset=$2 tokenizer=$3
    shift 3
    config=$configs/$stage.yaml
    seed=$(sed -n 's/^seed: *\([0-9]*\).*/\1/p' "$config")
    exec "$m31r" run --stage "$stage" --config "$config" --seed "$seed" --dataset "$dataset" \
        --tokenizer "$tokenizer" --id-file "$stage.id" -- \
        "$programs/$stage" --config "$config" "$@" >"$stage.out" 2>"$stage.err"
}

# observe STAGE ...: the same to its end; the run's directory is then in $run.
observe() {
    say "$1"
    (become "$@") || ended "$1" $?
    run=experiments/$(cat "$1.id")
}

# ended STAGE STATUS
ended() {
    say "$1 failed with status $2; its last lines:"
    tail -n 3 "$1.out" "$1.err" >&2
    exit "$2"
}

# The same name for the newest one, so that records of two equal runs are equal.
link() { ln -sfn "$1" "$2"; }

# Twenty requests, one after the other, when the server is there; it ends after them.
ask() {
    tries=0
    until [ -s port ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] && kill -0 "$1" 2>/dev/null || return 1
        sleep 0.1
    done
    printf '%s' '{"prompt": "pub fn main() {", "max_tokens": 32}' >body.json
    ab -q -n 20 -c 1 -p body.json -T application/json \
        "http://127.0.0.1:$(cat port)/generate" >ab.out 2>&1
}

observe data "$source" none --source "$source"
link "$run/shards" shards
observe tokenizer shards none --shards shards
link "$run/tokenizer/tokenizer.json" tokenizer.json
observe train shards tokenizer.json --shards shards --tokenizer tokenizer.json
for checkpoint in "$run"/checkpoints/*.bin; do :; done
link "$checkpoint" model.bin
observe eval "$here/tasks" tokenizer.json --tasks "$here/tasks" \
    --checkpoint model.bin --tokenizer tokenizer.json

say serve
rm -f port
(become serve none tokenizer.json --checkpoint model.bin --tokenizer tokenizer.json \
    --port-file port --requests 20) &
server=$!
ask "$server" || {
    kill -TERM "$server" 2>/dev/null || true
    say "the server was asked and did not answer; see ab.out"
}
wait "$server" || ended serve $?

status=0
for stage in data tokenizer train eval serve; do
    "$m31r" verify "$(cat "$stage.id")" --text | head -n 1 || status=4
done
"$m31r" runs --text
exit "$status"
