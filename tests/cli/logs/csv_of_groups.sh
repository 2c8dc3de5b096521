run="$M31R_SOURCE_DIR/tests/data/v1/20261123T140658Z-fc62b753"
m31r logs "$run" --csv --count-by module,level
m31r logs "$run" --csv --stats loss --by module
printf '{"a":"x,\\"y"}\n{"a":[1,"b,c"],"b":null}\n{"a":""}\n' | m31r logs - --csv --count-by a,b
