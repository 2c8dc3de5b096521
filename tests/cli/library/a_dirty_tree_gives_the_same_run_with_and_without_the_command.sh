# The library alone keeps the diff and the untracked files as `m31r run` does, and the run has the same hash.
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
git init -q .
mkdir data
echo 1 > data/x
printf 'config_version: 1\nseed: 42\nlr: 0.1\n' > train.yaml
printf 'experiments/\nlogs/\nprogram\nseen\n' > .gitignore
m31r init --dataset data --tokenizer none >seen
git add . && git -c user.name=a -c user.email=a@b commit -qm one
ln -s "$M31R_BIN_DIR/tests/three_lines_c" program
echo 2 >> data/x
echo 'print(1)' > new.py
m31r run -- ./program >seen 2>&1
./program >seen 2>&1
set -- experiments/*
echo "$# runs"
test "${1#*Z-}" = "$(basename "${2#*Z-}" -2)" && echo 'one hash'
cmp "$1/code.diff" "$2/code.diff" && grep '^[+-]' "$1/code.diff"
cmp "$1/untracked/new.py" "$2/untracked/new.py" && cat "$2/untracked/new.py"
for run; do
    grep -o '"changes_sha256": *"[0-9a-f]*"' "$run/metadata.json"
done | uniq | wc -l
git clone -q . copy && cd copy && git apply "../$2/code.diff" && git diff --numstat
