# Unknown key, wrong type, out of range in observability: exit 2, with line and column.
try() {
    printf "config_version: 1\nlr: 1\nobservability:\n  $1\n" > c.yaml
    m31r run --config c.yaml --seed 1 --dataset none --tokenizer none --commit none -- echo started 2>err
    echo "$? $(grep -o '"message.*"hint' err)"
}
try 'levle: INFO'
try 'colour: 1'
try 'level: LOUD'
try 'level: 3'
try 'stdout: "yes"'
try 'log_every: 0'
try 'log_every: 1.5'
try 'sample_interval_s: 99999'
try 'deny_keys: {a: 1}'
