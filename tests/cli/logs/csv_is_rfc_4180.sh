# Python's reader of CSV gets back what a reader of JSON gets, but for what a terminal could act on.
cat > odd.jsonl <<'END'
{"ts":"2026-11-23T10:26:51.123456Z","level":"INFO","module":"a","msg":"plain","step":1,"x":1.5}
{"ts":"2026-11-23T10:26:51.123457Z","level":"INFO","module":"a","msg":"comma, \"quote\" and\nline","step":2,"x":"NaN"}
{"ts":"2026-11-23T10:26:51.123458Z","level":"INFO","module":"a","msg":"","x":null}
{"ts":"2026-11-23T10:26:51.123459Z","level":"INFO","module":"a","msg":" blanks \\ \u00e9\u20ac","x":{"k":[1,"2,3"]}}
{"ts":"2026-11-23T10:26:51.123460Z","level":"INFO","module":"a","msg":"\u001b[31mred\u202e\t\r","x":true}
END
m31r logs odd.jsonl --csv --fields msg,x,step > odd.csv
od -c odd.csv | sed -n 1p
python3 - <<'END'
import csv, json
rows = list(csv.DictReader(open("odd.csv", newline="", encoding="utf-8"), strict=True))
records = [json.loads(line) for line in open("odd.jsonl", encoding="utf-8")]
for row, record in zip(rows, records):
    print(row["msg"] == record["msg"], row["x"], row["step"], ascii(row["msg"]))
END
grep -c '"",' odd.csv
m31r logs odd.jsonl --csv --tail 1 | tr -d '\r'
