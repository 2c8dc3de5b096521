printf '1\ntwo\n' > steps.txt
m31r trend --series steps.txt
