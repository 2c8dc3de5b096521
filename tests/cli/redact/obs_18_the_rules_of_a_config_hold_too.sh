printf 'config_version: 1\nobservability:\n  deny_keys: [customer_ref]\n  privacy_rules:\n    - {kind: acme_token, pattern: "acme_[a-z0-9]{8,}"}\n' >c.yaml
printf '%s\n' '{"customer_ref":"c-17","n":1}' 'used acme_0k3j5h7g9 twice' >a.log
m31r redact a.log
m31r redact a.log --config c.yaml
printf 'config_version: 1\nobservability:\n  privacy_rules:\n    - {kind: x, pattern: "[a-z]{8,}"}\n' >bad.yaml
m31r redact a.log --config bad.yaml; echo "$?"
m31r redact a.log --config none.yaml; echo "$?"
