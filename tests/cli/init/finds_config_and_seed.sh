printf 'config_version: 1\ntrain:\n  seed: 42\n  lr: 0.1\n' > train.yaml
m31r init --dataset rust-src@2026.10 --tokenizer none --text && cat m31r.yaml
