m31r key new >/dev/null
chmod 644 "$HOME/.config/m31r/key"
m31r run --try -- echo one >/dev/null 2>&1
m31r verify @ --seal --text | grep signed
m31r key show 2>error.json
echo $?
m31r logs @ --level WARNING --lane observer --text | grep -c key_unusable
