# Three ranks, each with its own `m31r run`: the last rank fails first, the others after it.
export WORLD_SIZE=3 MASTER_ADDR=127.0.0.1 MASTER_PORT=$$
for rank in 0 1 2; do
    RANK=$rank m31r run --try --no-sample -- \
        sh -c "sleep $((3 - rank)); exit $((rank + 1))" >"seen.$rank" 2>&1 &
done
wait
m31r explain @ --text | sed 's/20[^ ]*Z/TIME/; s/[0-9]\.[0-9]* s/N s/; s/metadata.json:[0-9]*/metadata.json:N/' | grep -E '^(ended|cause|root|followed)'
