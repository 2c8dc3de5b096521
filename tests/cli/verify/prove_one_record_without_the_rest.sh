m31r run --try -- sh -c 'for i in $(seq 1 2000); do echo "step $i of a line that is not all too short"; done' >/dev/null 2>&1
m31r verify @ --prove train.stdout.log:1234 >proof.json || exit 9
rm -r experiments
m31r verify --proof proof.json --text | grep -E 'holds|file|signed'
m31r verify --proof proof.json | grep -c 'step 1234 of'
sed 's/step 1234 of/step 1235 of/' proof.json >other.json
m31r verify --proof other.json 2>error.json
echo "another record: $?"
sed 's/"files":[0-9]*/"files":3/' proof.json | m31r verify --proof - 2>error.json
echo "another seal: $?"
