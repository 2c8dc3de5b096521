command -v bash >/dev/null || exit 77
m31r completion bash > c.sh
bash -c '. ./c.sh
COMP_WORDS=(m31r ver) COMP_CWORD=1; _m31r; echo "${COMPREPLY[@]}"
COMP_WORDS=(m31r logs --fo) COMP_CWORD=2; _m31r; echo "${COMPREPLY[@]}"'
