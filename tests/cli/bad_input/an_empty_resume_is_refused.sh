m31r run --config none --seed 1 --dataset none --tokenizer none --commit none --resume "$UNSET" -- echo started
