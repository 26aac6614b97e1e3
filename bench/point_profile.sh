#!/usr/bin/env bash
# point_profile.sh BUILD_DIR [STATEMENTS]: where the instructions of one statement go, in the server alone.
#
# Runs the server under valgrind's callgrind with one pgbench client and prints, for each load of the point path, the
# instructions per transaction and the functions that take most of them, inclusive and exclusive. Counts do not depend
# on what else the machine does. The kernel's share is not in them. A recorded run: bench/point_profile.txt.
set -euo pipefail
build=$(realpath "$1")
count=${2:-2000}
work=$(mktemp -d /tmp/pando-profile.XXXXXX)
port=$((20000 + RANDOM % 10000))
server=
finish() {
  if [ -n "$server" ]; then kill -KILL "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT
export PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres PGDATABASE=postgres

valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$work/out" \
  "$build/pando" start --dir "$work/db" --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 300); do psql -Atc 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
pgbench -i -q -s 1 >/dev/null 2>&1
psql -Atc 'SELECT sum(abalance) FROM pgbench_accounts' >/dev/null

profile() {
  local name=$1; shift
  # Every row is read once before, so that what is counted is the warm path.
  pgbench -n -t 300 "$@" >/dev/null 2>&1
  callgrind_control -i on "$server" >/dev/null
  pgbench -n -t "$count" "$@" >/dev/null 2>&1
  callgrind_control -i off "$server" >/dev/null
  callgrind_control -d "$server" >/dev/null
  sleep 1
  local dump
  dump=$(ls -t "$work"/out.* | head -1)
  echo "== $name: $(awk -v n="$count" '/^totals:/ {t = $2} /^summary:/ {s = $2} END {print int((t > s ? t : s) / n)}' "$dump") instructions each"
  for kind in yes no; do
    echo "-- $([ $kind = yes ] && echo inclusive || echo exclusive)"
    callgrind_annotate --inclusive=$kind --threshold=100 "$dump" 2>/dev/null |
      awk -v n="$count" '/^ *[0-9,]+ \(/ {
        instructions = $1; gsub(",", "", instructions);
        if (instructions / n < 20) exit;
        text = $0; sub(/^ *[0-9,]+ \([^)]*\) */, "", text); sub(/^[^:]*:/, "", text);
        sub(/ \[.*$/, "", text); gsub(/std::__cxx11::|std::__1::/, "", text);
        printf "%9d  %s\n", instructions / n, substr(text, 1, 130) }' | grep -v PROGRAM | head -"${LINES_SHOWN:-45}"
  done
}
profile "point read, prepared" -S -M prepared
profile "point read, simple" -S -M simple
profile "TPC-B-like transaction, prepared" -M prepared
