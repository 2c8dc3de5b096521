# Too few runs; then two slow ones at the end, which are suspect and fail nothing.
make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make 1000x7
m31r trend tokens_per_sec --gate --text > shown; echo "exit $?"; tail -1 shown
m31r trend tokens_per_sec --gate --strict > /dev/null; echo "strict: exit $?"
python3 $make --start 7 1000x20
python3 $make --start 27 800x2
m31r trend tokens_per_sec --gate --text | tail -2
m31r trend tokens_per_sec --gate --junit gate.xml --markdown gate.md > /dev/null; echo "exit $?"
cat gate.xml gate.md
