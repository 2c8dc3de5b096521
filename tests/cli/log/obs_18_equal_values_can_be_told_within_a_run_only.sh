# the observer (captured output) and processes that join (m31r log) have the run's key; the config is the same text in each run
printf 'config_version: 1\nobservability:\n  privacy_hash: true\npassword: hunter2x9\n' >c.yaml
key_of() { printf "/dev/shm/m31r-$(id -u)/%s.%x.%x.key" "$(basename "$1")" $(stat -c '%d %i' "$1"); }
hashes() { grep -hoE '\[redacted:[a-z_]+:[0-9a-f]{8}\]' "$1"/*.log | sed 's/.*:\(.*\)]/\1/' | sort; }
run() {
  m31r run --config c.yaml --seed 1 --dataset none --tokenizer none --commit none -- sh -c '
    stat -c "mode %a" /dev/shm/m31r-$(id -u)/$(basename "$M31R_RUN_DIR").*.key | uniq
    echo "login with password=hunter2x9"
    m31r log INFO demo login token=hunter2x9
    m31r log INFO demo login token=hunter2x8' >/dev/null 2>&1
}
run
run
for dir in experiments/2*; do
  hashes "$dir" | uniq -c | awk '{print $1 " equal"}' | sort
  hashes "$dir" | uniq >>all
  grep 'password:' "$dir/config_snapshot.yaml"
  grep -o '"hash": *true' "$dir/metadata.json"
  cat "$dir"/*.log | grep -oE '"(value_hashes_enabled|mode 600)"'
  test ! -e "$(key_of "$dir")" && echo "no key is left"
done
sort all | uniq -d
m31r verify --privacy @ | grep -c '"kind":"leak"'
# killed: its heir, or who recovers it, takes the key away
m31r run --config c.yaml --seed 1 --dataset none --tokenizer none --commit none -- sh -c 'kill -9 $PPID; kill -9 $$' >/dev/null 2>&1
for i in $(seq 100); do
  left=$(for dir in experiments/2*; do ls "$(key_of "$dir")" 2>/dev/null; done)
  [ -n "$left" ] || break
  m31r recover --all --yes >/dev/null 2>&1
  sleep 0.1
done
echo "left: $left"
