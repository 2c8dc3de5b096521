m31r run --try -- echo one >/dev/null 2>&1
m31r key show 2>/dev/null
echo "no key: $?"
m31r key new >key.json || exit 9
stat -c %a "$HOME/.config/m31r/key"
m31r key new 2>/dev/null
echo "a second one: $?"
m31r run --try -- echo two >/dev/null 2>&1
KEY=$(sed 's/.*"public_key":"\([0-9a-f]*\)".*/\1/' key.json)
m31r verify @ --seal --key "$KEY" --text | grep -E 'signed' | sed 's/: by .*/: by it/'
m31r verify @-1 --seal --key "$KEY" >/dev/null
echo "by nobody: $?"
m31r key new --yes >other.json
m31r verify @ --seal --key "$(sed 's/.*"public_key":"\([0-9a-f]*\)".*/\1/' other.json)" >/dev/null
echo "by another one: $?"
m31r verify @ --seal >/dev/null
echo "any: $?"
