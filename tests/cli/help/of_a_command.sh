m31r help verify
m31r verify --help | diff - /dev/null >/dev/null || echo "the same with --help"
