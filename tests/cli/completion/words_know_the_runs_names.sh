# Field names from the records, metric names from the points, run fields from the index.
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
w() { echo "-- $*"; m31r completion words -- "$@" | tr '\n' ' '; echo; }
w ver
w logs --level W
w logs -w 'level>=ERROR and lo'
w logs @ -w los
w logs --fields step,lo
w logs --stats tok
w logs @ --count-by mod
w logs --lane m
w logs -w loss '>' 3 and ste
w metrics @ lo
w metrics -w va
w runs -w config.train.
w runs --sort -metrics.loss.m
w runs --cols id,sta
w show 2026
w show fix
w completion
w nothing x
