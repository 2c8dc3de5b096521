# A spike at step 300, NaN from 340 on; one rank of three that becomes 10 % slower at step 200, whatever order the files are in.
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cd experiments/*
awk 'BEGIN {
    print "name,step,value,ts,segment"
    for (i = 0; i < 350; i++) {
        ts = sprintf("2026-11-23T14:%02d:%02d.000000Z", 10 + i / 60, i % 60)
        print "loss," i "," (i == 300 ? 9.5 : i >= 340 ? "NaN" : 2 + (i % 3) / 100) "," ts ",0"
        print "step_ms," i ",100," ts ",0"
    }
}' >metrics.csv
for rank in 1 2; do
    awk -v rank=$rank 'BEGIN {
        print "name,step,value,ts,segment"
        for (i = 0; i < 350; i++) {
            ts = sprintf("2026-11-23T14:%02d:%02d.500000Z", 10 + i / 60, i % 60)
            print "step_ms," i "," (rank == 2 && i >= 200 ? 110 : 101) "," ts ",0"
        }
    }' >metrics.rank000$rank.csv
done
cd ../..
m31r anomalies @ --text
m31r anomalies @ --json
