printf '{"a":1}\nprint\n[1]\n{"b":2}' | m31r logs -
