cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments && chmod -R u+w experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261122T100000Z-0a0b0c0d
sed -i 's/20261123T140658Z-fc62b753/20261122T100000Z-0a0b0c0d/; s/"fixture"/"older"/' experiments/20261122T100000Z-0a0b0c0d/metadata.json
m31r tag @ sweep --text
m31r tag older sweep --text
m31r tag older baseline --text
m31r runs -w 'tag=="sweep"' --cols name,tag --text
m31r runs -w 'tag=="sweep" and tag!="baseline"' --cols name --text
m31r runs -w 'has tag and not tag~"^base"' --cols name --text
m31r show baseline --text | head -1
m31r tag sweep x --text
m31r tag baseline baseline --remove --text
m31r runs -w 'tag in ("baseline","other")' --cols name --text
