# logs/shell.log is read with what was rotated away from it; a segment named itself is read alone.
mkdir logs && cd logs
r() { printf '{"ts":"2026-11-23T10:26:5%s.000000Z","level":"INFO","module":"a","msg":"m","step":%s}\n' "$1" "$1"; }
{ r 1; r 2; } > shell.000001.20261123T102652Z.log
r 3 > shell.000002.20261123T102653Z.log
r 4 > shell.log
zstd -q --rm shell.000001.20261123T102652Z.log
cd ..
m31r logs logs/shell.log --fields step --json
m31r logs logs/shell.000001.20261123T102652Z.log.zst --count-by level --json
cd logs && m31r logs shell.log --around :3 -n 1 --fields step --json
