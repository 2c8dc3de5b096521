m31r run --try --id-file id -- sh -c 'echo first; while [ ! -e seen ]; do sleep 0.05; done; echo last' \
    >/dev/null 2>&1 &
while [ ! -e id ]; do sleep 0.05; done
m31r logs "$(cat id)" --follow --module stdout | while read -r record; do
    echo "$record" | grep -o '"line":"[a-z]*"'
    : >seen
done
wait
