# Each practice that section 28 forbids and a run can show, done to a good run: verify names it and
# exits 4. Telemetry shows in no run: the command has nothing that could open a connection.
practice() {
    rm -rf experiments
    cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
    chmod -R u+w experiments
    (cd experiments/2* && sh -c "$2")
    echo "$1"
    status=0
    m31r verify @ --text >verdict || status=$?
    sed -n 's/^2026[^ ]* */  /p' verdict
    grep '^  no ' verdict | grep -v 'OBS-13' | cut -d: -f1 || true # 13: what this old run lacks
    echo "  exit $status"
}
practice "none" ":"
practice "unstructured logs" "echo epoch 3 done >>train.log"
practice "print debugging into a log" "echo DEBUG here loss=3.2 >>train.worker.log"
practice "secret logging" "sed -i '3s/\"msg\":\"[a-z_]*\"/&,\"note\":\"password=hunter22xyz\"/' train.log"
practice "interactive-only metrics" "rm metrics.csv"
practice "metrics not saved in part" "sed -i '4,\$d' metrics.csv"
practice "missing metadata" "rm metadata.json"
practice "metadata without its seed" "sed -i 's/\"seed\"/\"seed_\"/' metadata.json"
practice "deleting failure logs" "rm train.worker.log"
practice "deleting a failure from a log" "sed -i '/\"ERROR\"/d' train.log train.worker.log"
echo "remote telemetry"
nm -D "$(command -v m31r)" | grep -wE 'socket|connect|getaddrinfo|gethostbyname|sendto|listen|accept' ||
    echo "  no way to open a connection"
