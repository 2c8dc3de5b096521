# Another machine, another config, an end that was none, no such metric: each is counted.
make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make --cpu 'Other CPU' 500x3
python3 $make --start 10 --width 128 700x4
python3 $make --start 20 --state failed 10x2
python3 $make --start 30 1000x12
m31r trend tokens_per_sec --text
m31r trend tokens_per_sec --by config.model.width --text | grep stage
m31r trend tokens_per_sec --by config.model.width -w 'config.model.width==128' | grep -o '"group":"[^"]*"'
m31r trend no_such_metric
