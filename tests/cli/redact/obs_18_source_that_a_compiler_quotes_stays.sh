# as rustc tells a place in a file; nothing else lets text through, and a secret in the source does not pass
quoted='{"text":"let x = the lawyer;","highlight_start":5,"highlight_end":6}'
printf '{"spans":[{"byte_start":3,"text":[%s]}]}\n' "$quoted" >a.log
cp a.log same.log
printf '{"spans":[{"text":[%s]}]}\n' "$quoted" >>a.log
printf '{"byte_start":3,"prompt":[%s]}\n' "$quoted" >>a.log
printf '{"byte_start":3,"text":[{"text":"write to the lawyer","highlight_start":5}]}\n' >>a.log
printf '{"byte_start":3,"text":[{"text":"write to the lawyer","highlight_start":5,"highlight_end":6,"user":"kim"}]}\n' >>a.log
printf '{"byte_start":3,"text":[{"text":"write to the lawyer","highlight_start":"a","highlight_end":6}]}\n' >>a.log
printf '{"byte_start":3,"text":"write to the lawyer","messages":[%s]}\n' "$quoted" >>a.log
printf '{"byte_start":3,"text":[{"text":"let password = \\"hunter2x9\\";","highlight_start":5,"highlight_end":6}]}\n' >>a.log
m31r redact same.log | cmp - same.log && echo same
m31r redact a.log 2>/dev/null | tail -n +2
