#!/usr/bin/env bash
# run.sh BUILD_DIR: bulk load and analytic queries on Pando and PostgreSQL 15 in one run, as ratios. See README.md.
set -euo pipefail
build=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
ROWS=${ROWS:-5000000}
SCALE=${SCALE:-0.1}
RUNS=${RUNS:-3}
ONLY=${ONLY:-.}
pg_bin=/usr/lib/postgresql/15/bin
work=$(mktemp -d "${TMPDIR:-/tmp}/pando-analytics.XXXXXX")
chmod 755 "$work"
pg_port=${PG_PORT:-$((20000 + RANDOM % 10000))}
pando_port=${PANDO_PORT:-$((30001 + RANDOM % 10000))}
pando_pid=
as_postgres() { if [ "$(id -u)" -eq 0 ]; then su postgres -c "$*"; else bash -c "$*"; fi; }
finish() {
  as_postgres "$pg_bin/pg_ctl -D $work/pg/data -m immediate stop" >/dev/null 2>&1 || true
  if [ -n "$pando_pid" ]; then kill "$pando_pid" 2>/dev/null || true; wait "$pando_pid" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT
mkdir "$work/pg"
if [ "$(id -u)" -eq 0 ]; then chown postgres "$work/pg"; fi
as_postgres "$pg_bin/initdb -D $work/pg/data -A trust -U postgres -E UTF8 --locale=C.UTF-8" >/dev/null
as_postgres "$pg_bin/pg_ctl -D $work/pg/data -l $work/pg/log -w -o '-p $pg_port -k $work/pg -c listen_addresses=127.0.0.1' start" >/dev/null
"$build/pando" start --dir "$work/pando" --listen "127.0.0.1:$pando_port" >"$work/pando.log" 2>&1 &
pando_pid=$!
on() {
  local port=$pg_port
  if [ "$1" = pando ]; then port=$pando_port; fi
  shift
  PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres PGDATABASE=postgres "$@"
}
for _ in $(seq 100); do on pando psql -Atc 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done
now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN {print b - a}'; }
report() {
  awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN {ratio = (a > 0) ? b / a : 0; printf "%-36s %10.3f %10.3f %8.2fx\n", n, a, b, ratio}'
}
printf '%-36s %10s %10s %9s\n' "load" "Pando s" "PG s" "ratio"
# load NAME TABLE FILE: into both.
load() {
  local name=$1 table=$2 file=$3 seconds=()
  for server in pando postgres; do
    local start; start=$(now)
    on "$server" psql -q -c "\\copy $table FROM '$file' WITH (FORMAT csv)"
    seconds+=("$(since "$start")")
  done
  report "$name" "${seconds[@]}"
}
both() { on pando psql -q "$@"; on postgres psql -q "$@"; }
# The median of RUNS runs.
time_query() {
  local times=()
  for _ in $(seq "$RUNS"); do
    local start; start=$(now)
    on "$1" psql -qAt -c "$2" >"$work/answer.$1" 2>&1
    times+=("$(since "$start")")
  done
  printf '%s\n' "${times[@]}" | sort -n | sed -n "$(((RUNS + 1) / 2))p"
}
queries() {
  local name='' line
  while IFS= read -r line; do
    if [[ $line == --* ]]; then name=${line#-- }; continue; fi
    if ! echo "$name" | grep -qE "$ONLY"; then continue; fi
    local pando postgres
    pando=$(time_query pando "$line")
    postgres=$(time_query postgres "$line")
    report "$name" "$pando" "$postgres"
    if ! diff -q <(sort "$work/answer.pando") <(sort "$work/answer.postgres") >/dev/null; then
      echo "  answers differ: $(head -c 200 "$work/answer.pando") / $(head -c 200 "$work/answer.postgres")"
    fi
  done <"$1"
}

awk -v n=1000000 'BEGIN {for (i = 1; i <= n; ++i) print i "," i % 1000 ",some text of row " i}' >"$work/copied.csv"
both -c 'CREATE TABLE copied (id int PRIMARY KEY, a int, b text)' -c 'CREATE TABLE child (id int PRIMARY KEY, a int REFERENCES copied, b text)'
load "COPY 1,000,000 rows, primary key" copied "$work/copied.csv"
awk -v n=200000 'BEGIN {for (i = 1; i <= n; ++i) print i "," (i * 7919) % 1000000 + 1 ",child " i}' >"$work/child.csv"
load "COPY 200,000 rows, foreign key" child "$work/child.csv"
both -c 'CREATE TABLE facts (a int PRIMARY KEY, b int NOT NULL, c int NOT NULL, t text NOT NULL)' -c 'CREATE TABLE dims (id int PRIMARY KEY, kind int, name text)'
awk -v n="$ROWS" 'BEGIN {for (i = 1; i <= n; ++i) printf "%d,%d,%d,name %d\n", i, (i * 7919) % n, (i * 31) % 1000, i % 2000}' >"$work/facts.csv"
awk 'BEGIN {for (i = 0; i < 1000; ++i) print i "," i % 10 ",dim " i}' >"$work/dims.csv"
load "COPY $ROWS rows, primary key" facts "$work/facts.csv"
load "COPY 1,000 rows" dims "$work/dims.csv"
for server in pando postgres; do
  start=$(now); on "$server" psql -q -c 'CREATE INDEX facts_c ON facts (c)' -c 'CREATE INDEX facts_t ON facts (t)'
  eval "index_$server=$(since "$start")"
done
report "CREATE INDEX, two" "$index_pando" "$index_postgres"
on postgres psql -q -c 'VACUUM ANALYZE'
on pando psql -q -c 'ANALYZE'
queries "$here/queries.sql"
if [ "$SCALE" != 0 ]; then
  "$here/tpch_data.py" "$SCALE" "$work"
  both -f "$here/tpch_schema.sql"
  for table in region nation supplier customer part partsupp orders lineitem; do
    for server in pando postgres; do on "$server" psql -q -c "\\copy $table FROM '$work/$table.csv' WITH (FORMAT csv)"; done
  done
  on postgres psql -q -c 'VACUUM ANALYZE'
  on pando psql -q -c 'ANALYZE'
  queries "$here/tpch.sql"
fi
