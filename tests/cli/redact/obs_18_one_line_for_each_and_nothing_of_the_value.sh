# the token is stored backwards: no scanner of a hosting site shall take it for a live one
token=$(echo '2Bdc4Ba6Y1Xw8Vu3Ts5Rq7Po9Nm2Lk4Ji6Hg_phg' | rev)
printf '%s\n' '{"ts":"2026-11-18T12:48:25.043249Z","level":"INFO","module":"m","msg":"in","db":{"password":"hunter2"},"n":1.50}' >a.log
printf '%s\n' '{"argv":["run","--api-key","abc123def456"],"prompt":"write to my lawyer","mail":"say \"hi\" to jo@mail.example.com"}' >>a.log
printf 'GET /x?t=%s done\nloss 2.31 at step 1200\n' "$token" >>a.log
printf '%s\n' '-----BEGIN RSA PRIVATEKEY-----' 'not a key' | sed 's/PRIVATEKEY/PRIVATE KEY/' >>a.log
printf -- '-----END RSA PRIVATE KEY-----\nafter, without a newline' >>a.log
m31r redact a.log >b.log
cat b.log; echo
wc -l <a.log; wc -l <b.log
grep -c "$token" b.log
m31r redact - <b.log | cmp - b.log && echo "clean stays as it is"
m31r redact - --keep-prompts <a.log 2>/dev/null | sed -n 2p
