printf 'config_version: 1\nobservability:\n  deny_keys: [customer_ref]\n  privacy_rules:\n    - {kind: acme_token, pattern: "acme_[a-z0-9]{8,}"}\n' >c.yaml
printf '%s\n' '{"msg":"in","customer_ref":"c-17","n":1}' 'used acme_0k3j5h7g9 once' >a.log
m31r verify --privacy a.log --text; echo "exit $?"
m31r verify --privacy a.log --config c.yaml --text; echo "exit $?"
m31r verify --privacy a.log --config none.yaml; echo "exit $?"
# the config that a project names holds without being asked for; a broken one is said
printf 'config_version: 1\nconfig: c.yaml\n' >m31r.yaml
m31r verify --privacy a.log --text; echo "exit $?"
m31r redact a.log
m31r rm 20260101T000000Z-00000000 --reason 'used acme_0k3j5h7g9' 2>&1; echo "exit $?"
printf 'config: [\n' >m31r.yaml
m31r verify --privacy a.log >/dev/null 2>&1; echo "exit $?"
# in a run its own config holds, for one of its files too
rm m31r.yaml
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
cp -r experiments/2*Z-* mine
printf '%s\n' '{"customer_ref":"c-17"}' >mine/extra.log
m31r verify --privacy mine/extra.log --text; echo "exit $?"
cp c.yaml mine/config_snapshot.yaml
m31r verify --privacy mine/extra.log --text; echo "exit $?"
