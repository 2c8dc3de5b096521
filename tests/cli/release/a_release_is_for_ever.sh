cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments && chmod -R u+w experiments
m31r release @ v1.0 --text
m31r release @ v1.0 --text
m31r runs --text | sed -n 2,3p | cut -c1-60
m31r runs -w 'release=="v1.0"' --cols id,release --text | sed -n 3p
m31r release v1.0 v2.0 --text
