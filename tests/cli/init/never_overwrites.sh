echo mine > m31r.yaml
m31r init; status=$?
cat m31r.yaml
exit $status
