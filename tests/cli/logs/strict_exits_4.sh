printf '{"a":1}\nprint\n' | m31r logs - --strict
