printf '{"n":"12"}\n{"n":3}\n' | m31r logs - -w 'n>1' --json
