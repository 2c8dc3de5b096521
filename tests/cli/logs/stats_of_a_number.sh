run="$M31R_SOURCE_DIR/tests/data/v1/20261123T140658Z-fc62b753"
m31r logs "$run" --stats loss --by module --text
m31r logs "$run" --stats loss
seq 1 1000 | sed 's/.*/{"ms":&,"route":"r"}/' | m31r logs - --stats ms --by route --text
