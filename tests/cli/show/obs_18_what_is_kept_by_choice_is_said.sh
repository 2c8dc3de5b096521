printf 'config_version: 1\nobservability:\n  log_prompts: true\n' >c.yaml
m31r run --config c.yaml --seed 1 --dataset none --tokenizer none --commit none -- \
  m31r log INFO demo asked prompt='write to my lawyer' api_key=hunter2x9 >/dev/null 2>&1
cat experiments/2*/*.log | grep -o '"level":"WARNING".*"prompt_logging_enabled"\|"prompt":.*'
grep -o '"log_prompts": *true' experiments/2*/metadata.json
m31r show @ --text | grep 'prompts'
m31r verify --privacy @ --text | grep 'by choice'
m31r verify --privacy @ --json | grep -o '"log_prompts":true'
m31r verify @ --text | grep -o 'prompts are kept by opt-in'
