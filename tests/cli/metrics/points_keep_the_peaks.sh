# A peak, a hole and the ends of 1,000 points are among the ten that are kept.
mkdir -p run && echo '{"format_version":1}' >run/metadata.json
awk 'BEGIN { print "name,step,value,ts,segment"
    for (i = 0; i < 1000; i++) {
        v = i == 333 ? "NaN" : i == 700 ? "99.5" : i == 701 ? "-7.0" : sprintf("%d.5", i % 3)
        printf "loss,%d,%s,2026-11-23T14:06:%02d.%06dZ,0\n", i, v, i / 20, i
    } }' >run/metrics.csv
m31r metrics ./run --points 10
m31r metrics ./run --points 3
