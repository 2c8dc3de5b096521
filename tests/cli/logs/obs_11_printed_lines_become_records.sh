# Nothing that a program prints passes bare in a pipe: every line is a record, in the log as well.
m31r run --try -- sh -c 'echo "plain text"; echo "an error" >&2' 2>/dev/null | python3 -c '
import json, sys
records = [json.loads(line) for line in sys.stdin]
print("every line is a record" if all(list(r)[:4] == ["ts", "level", "module", "msg"]
                                      for r in records) else records)'
m31r logs @ --module stdout --fields module,line
m31r logs @ --module stderr --fields module,line
