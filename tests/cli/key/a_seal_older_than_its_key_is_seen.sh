# CVE-2023-31439 in our form: an old run sealed again, with a newer key.
m31r run --try -- echo one >/dev/null 2>&1
run=$(echo experiments/2*)
m31r key new >/dev/null
chmod u+w "$run"/*
rm "$run/manifest.json" experiments/.seals.jsonl
m31r recover @ --yes >/dev/null 2>&1
m31r verify @ --seal >/dev/null
echo "sealed now, with the key: $?"
keys=$HOME/.config/m31r/keys
sed 's/ 20[0-9][0-9]-/ 2099-/' "$keys" >keys && cat keys >"$keys"
m31r verify @ --seal --text | grep -c '^  no .*later than the seal'
