#!/bin/sh
# Measures everything that bench/results and the README show, about 8 hours: sh bench/record.sh [NAME...]
# On a quiet machine, from a clean checkout. With names (rivals, lanes, ...) only these. Results go to the folder
# RECORD_TO, bench/results unless it is set; a measurement that fails is left out, and the exit code says so.
cd "$(dirname "$0")/.." || exit 1
day=$(date +%F)
to=${RECORD_TO:-bench/results}
wanted=" $* "
failed=0

record() {
  name=$1
  shift
  case "$wanted" in '  ' | *" $name "*) ;; *) return ;; esac
  printf '%s %s\n' "$(date +%T)" "$name" >&2
  npm run -s bench -- "$@" --output "$to/$day-$name.json" || failed=1
}

for workload in s1 s3 rivals kinds rate network recover soak; do
  record "$workload" "$workload"
done
for store in sqlite postgres redis; do
  record "idle-$store" idle --store "$store" --repeat 3
  record "verbs-$store" verbs --store "$store"
done
record verbs-memory verbs --store memory
record lanes lanes --repeat 5
record lanes-15ms lanes --parts cpu --jobs 600 --iterations 9600000
record work-benchmark-workloads work benchmark-workloads --jobs 40 --work-seconds 0.3 --repeat 5
record work-benchmark-subprocess work benchmark-subprocess --jobs 24 --work-seconds 0.3 --repeat 3
exit $failed
