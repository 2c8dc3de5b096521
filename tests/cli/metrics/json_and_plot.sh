run="$M31R_SOURCE_DIR/tests/data/v1/20261123T140658Z-fc62b753"
m31r metrics "$run" loss
m31r metrics "$run" loss --plot
