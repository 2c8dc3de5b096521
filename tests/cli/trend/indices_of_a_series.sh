# The first value of each new level, whatever stands between: missing values keep their index.
seq 1 60 | awk '{ x = $1 <= 30 ? 100 : 120; x += $1 % 3; print $1 == 12 ? "nan" : $1 == 13 ? "" : x }' > series.txt
m31r trend --series series.txt --preset perf --indices
m31r trend --series - --preset generic --indices < series.txt
m31r trend --series - --preset perf --indices < /dev/null
