# An expression is answered by the lines as by the runs they were made of.
make=$M31R_SOURCE_DIR/tests/cli/trend/make_runs.py
python3 $make 1000x12 800x6
m31r export --history a.jsonl 2> /dev/null
for expr in 'stage=="train"' 'metrics.tokens_per_sec.mean>900' 'metrics.tokens_per_sec.mean<=900 and state=="finished"' \
    'ts<"2026-06-10" and tag missing' 'config.batch>0' 'stage=="eval"'; do
    m31r trend tokens_per_sec -w "$expr" --text > runs.txt 2> runs.err
    echo "$?: $expr: $(tail -n 1 runs.txt)"
    m31r trend tokens_per_sec -w "$expr" --history a.jsonl --text > lines.txt 2> lines.err
    cmp runs.txt lines.txt
done
