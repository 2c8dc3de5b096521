cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cd experiments/*
i=6
while [ "$i" -lt 99 ]; do
    value="2.$((i % 3))"
    [ "$i" -eq 85 ] && value=9.5
    [ "$i" -eq 98 ] && value=NaN
    echo "loss,$i,$value,2026-11-23T14:07:00.000000Z,0"
    i=$((i + 1))
done >>metrics.csv
echo 'no record' >>train.worker.log
printf '{"ts":"2026-' >>train.worker.log
rm checkpoints/step_5.pt
cd ../..
m31r explain @ --text | grep -v '^  train'
