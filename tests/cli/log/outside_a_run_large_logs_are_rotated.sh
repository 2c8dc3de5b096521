# logs/shell.log of 64 MiB is a segment from the next record on.
mkdir logs && truncate -s 67108863 logs/shell.log && echo >> logs/shell.log
m31r log INFO cron nightly && m31r log INFO cron nightly
ls logs | sed 's/[0-9]\{8\}T[0-9]\{6\}Z/UTC/'
grep -c nightly logs/shell.log
