# A table for people: counts, then rows; times differ between machines only where a run has no end.
cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
cp -r experiments/20261123T140658Z-fc62b753 experiments/20261122T100000Z-0a0b0c0d
sed -i 's/20261123T140658Z-fc62b753/20261122T100000Z-0a0b0c0d/; s/"fixture"/"older"/; s/"state": "finished"/"state": "failed"/; s/"timestamp": "2026-11-23/"timestamp": "2026-11-22/; s/"end": "2026-11-23/"end": "2026-11-22/' experiments/20261122T100000Z-0a0b0c0d/metadata.json
m31r runs --text
