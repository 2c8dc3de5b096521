# Equal trainings on a busy machine, whose steps differ by factors: a ratio of means calls one in seven slower, the gate none (of 1,056 with M31R_SOAK);
# and what is three times as slow is not missed.
python3 "$M31R_SOURCE_DIR/tests/cli/compare/equal_steps.py" m31r ${M31R_SOAK:+16} | python3 -c 'import json, sys
equal, _, _, slower = (json.loads(line.split(": ", 1)[1]) for line in sys.stdin)
print("equal:", equal["failed"], "failed; by means more than one in ten:", equal["by means"] > equal["all"] / 10)
print("slower:", "nine in ten failed:", slower["failed"] >= 0.9 * slower["all"], slower["passed"], "passed")'
