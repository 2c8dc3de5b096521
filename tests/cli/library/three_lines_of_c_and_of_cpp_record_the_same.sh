printf 'config_version: 1\nlr: 0.1\n' > train.yaml
for language in c cpp; do
    m31r run --config train.yaml --seed 1 --dataset none --tokenizer none --commit none \
        -- "$M31R_BIN_DIR/tests/three_lines_$language" >seen 2>&1 || echo "exit $?"
    m31r logs @ --module trainer --fields msg,step,loss,lr,name,ok,secret
    m31r metrics @ loss --json | grep -o '"unit":"[a-z]*","better":"[a-z]*","count":[0-9]*'
    m31r show @ --text | grep '^loss' | tr -s ' '
done
