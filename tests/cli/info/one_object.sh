m31r info | python3 -c 'import json,sys
o = json.loads(sys.stdin.read()); print(o["v"], o["kind"], sorted(o["limit"]), sorted(o["version"]))'
