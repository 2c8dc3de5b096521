printf 'lr: 0.1\n' > c.yaml
m31r run --config c.yaml --seed 1 --dataset none --tokenizer none --commit none -- true >seen 2>&1
grep -o '"msg":"identity_warning","detail":"[^"]*' seen
m31r logs @ --level WARNING --fields msg,detail
