for i in 100 101 99 100 102 98 100 101 99 100 115 116 114 115 117 115 150; do echo $i; done > steps.txt
m31r trend --series steps.txt --preset perf --text
seq 1 9 | m31r trend --series - --text
