git init -q && printf 'config_version: 1\nseed: 42\n' > train.yaml && printf 'experiments/\nlogs/\n' > .gitignore
m31r init --dataset none --tokenizer none > /dev/null && git add . && git commit -qm x
unset OPENBLAS_NUM_THREADS PYTHONHASHSEED
OMP_NUM_THREADS=2 m31r run -- sleep 0.3 > /dev/null 2>&1
OMP_NUM_THREADS=4 PYTHONHASHSEED=0 m31r run -- sleep 0.3 > /dev/null 2>&1
m31r compare @-1 @ --text | grep -E '^environment|_NUM_|HASHSEED|library|cpu' | sed 's/  */ /g'
m31r compare @-1 @ --all --text | grep -c 'library libc '
m31r compare @-1 @ --all --text | grep -c 'program sleep '
