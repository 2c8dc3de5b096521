m31r run --config nope.yaml --seed 1 --dataset none --tokenizer none --commit none -- echo started
