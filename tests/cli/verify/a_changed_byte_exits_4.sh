cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
sed -i 's/slow_read/slow_reaD/' experiments/*/train.worker.log
m31r verify @ --text | grep -E '^2026|^  no '
m31r verify @ >verdict.json || exit $?
