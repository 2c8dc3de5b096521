run="$M31R_SOURCE_DIR/tests/data/v1/20261123T140658Z-fc62b753"
m31r logs "$run" --count-by module,level --text
m31r logs "$run" --count-by module,level
printf '{"a":"x\\u0079"}\n{"a":"xy"}\n{"a":[1,"b,c"],"b":null}\n{"b":1.0}\n' | m31r logs - --count-by a,b
