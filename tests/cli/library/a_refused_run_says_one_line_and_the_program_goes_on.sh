"$M31R_BIN_DIR/tests/three_lines_c" with odd things && "$M31R_BIN_DIR/tests/three_lines_cpp"
ls
