cp -r "$M31R_SOURCE_DIR/tests/data/v1" experiments
chmod -R u+w experiments
cd experiments/*
sed -i 's/"state": "finished"/"state": "killed"/; s/"signal": null/"signal": "SIGKILL"/; s/"cause": null/"cause": "kernel_oom"/' metadata.json
sed -i 's/"cause_evidence": null/"cause_evidence": "likely: oom_kill of the run'"'"'s memory cgroup rose from 0 to 1"/' metadata.json
sed -i '$s/.*/{"ts":"2026-11-23T14:26:58.223863Z","level":"ERROR","module":"m31r","msg":"run_end","state":"killed","signal":"SIGKILL","cause":"kernel_oom"}/' train.log
for i in 06 07 08 09 10 11 12 13 14 15; do
    echo "system.rss_mb,,1${i}.0,2026-11-23T14:$i:58.000000Z,0"
done >>metrics.csv
cd ../..
m31r explain @ --text | grep -v '^  train'
