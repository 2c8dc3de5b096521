mkdir d
printf '%s\n' '{"msg":"fine","step":1}' '{"msg":"in","db":{"password":"hunter2"},"mail":"\u0041 \"b\" jo@mail.example.com"}' >d/a.log
printf 'step 1\nx token=%s\n' "$(echo 2b4D6f8H1j3L5n7P | rev)" >d/b.stdout.log
printf 'a\000b' >d/c.bin
ln -s a.log d/link
m31r verify --privacy d --text; echo "exit $?"
m31r verify --privacy d/b.stdout.log --json; echo "exit $?"
m31r verify --privacy d | grep -c hunter2
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
m31r verify --privacy @ --text; echo "exit $?"
