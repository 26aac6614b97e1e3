#!/usr/bin/env bash
# run.sh BUILD_DIR PATH...: sqllogictest files (or all below a folder) on a fresh server. The last line counts records.
#
# CLUSTER=1 takes a cluster of three nodes, whose leaseholders do all the work that they can; PORT is where it may use ports from.
#
# Records on which PostgreSQL 15 itself differs from the corpus are listed in postgresql_differences.txt as file:line; a
# failure there is expected, any other fails the run.
set -euo pipefail
build=$(realpath "$1"); shift
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d /tmp/pando-slt.XXXXXX)
port=${PORT:-$((20000 + RANDOM % 20000))}
if [ -n "${CLUSTER:-}" ]; then
  python3 "$here/../cluster/serve.py" "$build/pando" "$work/data" "$port" >"$work/log" 2>&1 &
  port=$((port + 10))
  export PGOPTIONS="-c min_parallel_table_scan_size=0"
else
  "$build/pando" start --dir "$work/data" --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
fi
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 300); do
  psql -h 127.0.0.1 -p "$port" -U postgres -Atc 'SELECT 1' >/dev/null 2>&1 && break
  sleep 0.1
done
mapfile -t files < <(find "$@" -name '*.test' | sort)
"$build/test/slt/pando_slt" --connect "host=127.0.0.1 port=$port user=postgres" --failures "$work/failures" \
  "${files[@]}" >"$work/output" || true
tail -n 1 "$work/output"
# Compare by the last folders of the name: the corpus may lie anywhere.
sed 's|.*/slt/||' "$work/failures" | sort >"$work/failed"
grep -v '^#' "$here/postgresql_differences.txt" | sort >"$work/allowed"
comm -23 "$work/failed" "$work/allowed" >"$work/unexpected"
expected=$(($(wc -l <"$work/failed") - $(wc -l <"$work/unexpected")))
echo "$expected of the failed records fail on PostgreSQL 15 too; $(wc -l <"$work/unexpected") do not"
if [ -s "$work/unexpected" ]; then
  head -n 20 "$work/unexpected"
  exit 1
fi
