# Rows count from 0. The loss alternates, spikes at row 100, is NaN at row 150; the steps take 9 % longer from row 400 on.
awk 'BEGIN {
    print "step,loss,step_ms,note"
    for (i = 0; i < 500; i++) {
        loss = i == 100 ? 9 : i == 150 ? "nan" : i % 2 ? 3.01 : 2.99
        print i "," loss "," (i < 400 ? 100 : 109) ",x"
    }
}' >run.csv
m31r anomalies --csv run.csv --rows
echo
# Ranks; the second is a tenth slower from row 100 on. Read from a pipe.
awk 'BEGIN {
    print "r0,r1,r2,r3"
    for (i = 0; i < 200; i++) print "100," (i < 100 ? 100 : 110) ",101,99"
}' | m31r anomalies --csv - --rows
