#!/usr/bin/env bash
# point_profile.sh BUILD_DIR [STATEMENTS]: where the instructions of one statement go, in the server alone.
#
# Runs the server under valgrind's callgrind with one pgbench client and prints, for each load of the point path, the
# instructions per transaction and the functions that take most of them, inclusive and exclusive. Counts do not depend
# on what else the machine does. The kernel's share is not in them. A recorded run: bench/point_profile.txt.
set -euo pipefail
build=$(realpath "$1")
count=${2:-1000}
work=$(mktemp -d /tmp/pando-profile.XXXXXX)
port=$((20000 + RANDOM % 10000))
server=
finish() {
  if [ -n "$server" ]; then kill -KILL "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT
export PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres PGDATABASE=postgres

# Valgrind does not read this compiler's line tables; names are enough.
objcopy --strip-debug "$build/pando" "$work/pando"
valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$work/out" \
  "$work/pando" start --dir "$work/db" --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 100); do psql -Atc 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.2; done
pgbench -i -q -s 1 >/dev/null 2>&1
# Or it is done in the background, and counted.
psql -qc ANALYZE
psql -Atc 'SELECT sum(abalance) FROM pgbench_accounts' >/dev/null

# Few rows, so that the row cache holds them all: what is counted is the warm path. Without pgbench's own questions.
rows='\set aid random(1, 500)
\set bid 1
\set tid random(1, 10)
\set delta random(-5000, 5000)
'
select='SELECT abalance FROM pgbench_accounts WHERE aid = :aid;'
printf '%s%s\n' "$rows" "$select" >"$work/read.sql"
cat >"$work/tpcb.sql" <<END
${rows}BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
$select
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
END;
END

annotate() {
  callgrind_annotate --inclusive="$1" --threshold=100 "$2" 2>/dev/null | awk -v n="$count" -v shown="$3" '/^ *[0-9,]+ \(/ {
    instructions = $1; gsub(",", "", instructions);
    text = $0; sub(/^ *[0-9,]+ \([^)]*\) */, "", text); sub(/^[^:]*:/, "", text); sub(/ \[.*$/, "", text);
    gsub(/std::__cxx11::|, std::char_traits<char>|, std::allocator<char>/, "", text);
    if (text !~ /PROGRAM/ && lines++ < shown) printf "%9d  %s\n", instructions / n, substr(text, 1, 110) }'
}
profile() {
  local name=$1; shift
  pgbench -n -t 500 "$@" >/dev/null 2>&1
  callgrind_control -i on "$server" >/dev/null
  pgbench -n -t "$count" "$@" >/dev/null 2>&1
  callgrind_control -i off "$server" >/dev/null
  callgrind_control -d "$server" >/dev/null
  sleep 1
  local dump
  dump=$(ls -t "$work"/out.* | head -1)
  echo "== $name: $(awk -v n="$count" '/^(totals|summary):/ {if ($2 > t) t = $2} END {print int(t / n)}' "$dump") instructions each"
  echo "-- with what they call"
  annotate yes "$dump" 40
  echo "-- alone"
  annotate no "$dump" 25
}
profile "point read, prepared" -f "$work/read.sql" -M prepared
profile "point read, simple" -f "$work/read.sql" -M simple
profile "TPC-B-like transaction, prepared" -f "$work/tpcb.sql" -M prepared
