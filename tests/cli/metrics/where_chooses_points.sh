m31r metrics "$M31R_SOURCE_DIR/tests/data/v1/20261123T140658Z-fc62b753" -w 'name=="loss" and value>3'
