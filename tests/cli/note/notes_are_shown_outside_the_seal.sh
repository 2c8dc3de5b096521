cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments && chmod -R u+w experiments
m31r note @ 'the spike at 300 is a bad shard; password=hunter2hunter2' --text
m31r tag @ baseline --text
m31r show @ --text | grep -E '^(note|tags)' | sed 's/20..-..-.. ..:..Z/WHEN/'
m31r show @ --json | grep -o '"notes":.*' | grep -o '"what":"[a-z]*","text":"[^"]*"'
m31r verify @ --text | head -1
