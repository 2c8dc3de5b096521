# A tag, a release or a part of an id says which level is compared with.
make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make 1000x15 700x15 880x15
m31r tag 20260605 good > /dev/null && m31r release 20260620 v2 > /dev/null
m31r trend tokens_per_sec --gate --baseline good --text | tail -1
m31r trend tokens_per_sec --gate --baseline v2 --text | tail -1
m31r trend tokens_per_sec --gate --baseline 20260710 --text | tail -1
m31r trend tokens_per_sec --gate --baseline nothing
