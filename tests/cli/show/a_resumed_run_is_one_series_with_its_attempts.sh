# Three attempts: the second repeats the steps it overlaps, the third has another lr and differs.
cat > program.sh <<'END'
i=$1
while [ $i -le $2 ]; do
    echo "step $i: loss $((60 / i + (i == ${3:-0})))"
    i=$((i + 1))
done
exit ${4:-0}
END
attempt() {
    m31r run --config t.yaml --seed 1 --dataset none --tokenizer none --commit none --no-sample \
        --metric 'loss=step (?<step>\d+): loss ([0-9.]+)' "$@" >seen 2>&1
}
masked() { sed 's/[0-9]*T[0-9]*Z-[0-9a-f-]*/RUN/g; s/metadata.json:[0-9]*/metadata.json:N/'; }
printf 'config_version: 1\nlr: 0.1\n' > t.yaml
attempt -- sh program.sh 1 10 0 3
first=$(echo experiments/*)
attempt --resume @ -- sh program.sh 7 14 0 3
printf 'config_version: 1\nlr: 0.05\n' > t.yaml
attempt --resume @ -- sh program.sh 12 20 13
m31r show @ --text | masked | grep -E 'attempt|^ +[23]:|overlap|changed|^loss' | tr -s ' '
m31r metrics @ --csv 2>note | cut -d, -f1-3 | sed -n '1p;7,8p;12,15p;$p'
grep -o '3 attempts[^(]*' note
m31r metrics @ --json 2>note | grep -o '"count":[0-9]*'
m31r metrics @ --alone --json | grep -o '"count":[0-9]*'
m31r explain @ --text | masked | grep -E '^(attempt|overlap|changed)'
m31r show @ --json | grep -o '"superseded":[0-9]*'
# Without the first attempt the chain begins at the second, and says so.
rm -r "$first"
m31r show @ --text | masked | grep -E 'not found|^attempts'
