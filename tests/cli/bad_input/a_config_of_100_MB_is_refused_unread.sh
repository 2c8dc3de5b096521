truncate -s 105000000 big.yaml
m31r run --config big.yaml --seed 1 --dataset none --tokenizer none --commit none -- echo started
