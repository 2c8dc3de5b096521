# Their own shells judge the scripts where they are installed.
m31r completion zsh > c.zsh && m31r completion fish > c.fish
grep -c 'm31r completion words' c.zsh c.fish
if command -v zsh >/dev/null; then zsh -n c.zsh; else echo "no zsh here: not judged" >&2; fi
if command -v fish >/dev/null; then fish -n c.fish; else echo "no fish here: not judged" >&2; fi
