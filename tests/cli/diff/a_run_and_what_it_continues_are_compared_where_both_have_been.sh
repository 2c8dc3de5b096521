# The second run repeats steps 3 and 4 of the first; what comes before and after is no difference.
attempt() {
    m31r run --config none --seed 1 --dataset none --tokenizer none --commit none --no-sample \
        --metric 'loss=step (?<step>\d+): loss ([0-9.]+)' "$@" >seen 2>&1
}
masked() { sed 's/[0-9]*T[0-9]*Z-[0-9a-f-]*/RUN/g' | tr -s ' '; }
cat > p.sh <<'END'
for i in $1; do echo "step $i: loss $((60 / i + $2))"; m31r log INFO m seen step=$i value=$((i + $2)); done
END
attempt -- sh p.sh '1 2 3 4' 0
attempt --resume @ -- sh p.sh '3 4 5 6' 0
m31r diff @-1 @ --text | masked | grep -E 'equal|overlap|metrics.csv|shell'
echo "exit $?"
attempt --resume @ -- sh p.sh '6 7' 1
m31r diff @-1 @ --json | grep -o '"verdict":"[a-z]*"\|"overlap":{[^}]*}'
m31r diff @-1 @ --text | masked | grep -E '^first'
# A run that begins behind the last step has nothing in common: not proved.
attempt --resume @ -- sh p.sh '8' 1
m31r diff @-1 @ --text | masked | grep unproved
