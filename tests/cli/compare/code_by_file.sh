# Two runs of one commit with other changes: the files that differ are named, what is the same is not.
git init -q p && cd p
printf 'config_version: 1\nseed: 1\n' > train.yaml && printf 'one\n' > a.c && printf 'one\n' > b.c
printf 'experiments/\n' > .gitignore
m31r init --dataset none --tokenizer none > /dev/null && git add . && git commit -qm first
echo same >> b.c && echo x > new.txt
m31r run -- true > /dev/null 2>&1
echo two >> a.c && echo y > new.txt
m31r run -- true > /dev/null 2>&1
m31r compare @-1 @ --json | grep '"group":"code"' | grep -o '"key":"[^"]*"'
m31r compare @-1 @ --all --json | grep '"key":"diff b.c","differs":false' | wc -l
