#!/usr/bin/env bash
# run_all.sh BUILD_DIR: every load of the speed table on Pando and on a real peer in the same run, as ratios.
#
# PostgreSQL 15 runs with its default durability (fsync on) on a fresh cluster, beside Pando; both servers listen on
# loopback. The pgbench loads take turns for ROUNDS rounds (default 3) of SECONDS_EACH (default 7), and medians are
# reported. SCALE (default 50) and ONLY (a regular expression of load names) may be set in the environment too.
set -euo pipefail
build=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
SCALE=${SCALE:-50}
SECONDS_EACH=${SECONDS_EACH:-7}
ROUNDS=${ROUNDS:-3}
ONLY=${ONLY:-.}
pg_bin=/usr/lib/postgresql/15/bin

work=$(mktemp -d /tmp/pando-bench.XXXXXX)
chmod 755 "$work"
pg_port=$((20000 + RANDOM % 10000))
pando_port=$((30001 + RANDOM % 10000))
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
as_postgres "$pg_bin/pg_ctl -D $work/pg/data -l $work/pg/log -w -o '-p $pg_port -k $work/pg -c listen_addresses=127.0.0.1 -c max_connections=1100' start" >/dev/null
"$build/pando" start --dir "$work/pando" --listen "127.0.0.1:$pando_port" >"$work/pando.log" 2>&1 &
pando_pid=$!
on_pg() { PGHOST=127.0.0.1 PGPORT=$pg_port PGUSER=postgres PGDATABASE=postgres "$@"; }
on_pando() { PGHOST=127.0.0.1 PGPORT=$pando_port PGUSER=postgres PGDATABASE=postgres "$@"; }
for _ in $(seq 100); do on_pando psql -Atc 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done

# report NAME UNIT PANDO PEER BETTER: BETTER is "more" or "less".
report() {
  awk -v n="$1" -v u="$2" -v a="$3" -v b="$4" -v better="$5" 'BEGIN {
    ratio = better == "more" ? (b > 0 ? a / b : 0) : (a > 0 ? b / a : 0);
    printf "%-46s %12.1f %12.1f %-8s %6.2fx\n", n, a, b, u, ratio }'
}
wanted() { echo "$1" | grep -qE "$ONLY"; }
tps() { pgbench -n -T "$SECONDS_EACH" "$@" 2>>"$work/pgbench.err" | awk '/^tps/ {print $3}'; }
seconds_of() { local start; start=$(date +%s.%N); "$@" >/dev/null; awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN {print b - a}'; }

export -f seconds_of

echo "load                                                  Pando   PostgreSQL           ratio"
on_pg pgbench -i -q -s "$SCALE" 2>/dev/null >/dev/null
on_pando pgbench -i -q -s "$SCALE" 2>/dev/null >/dev/null

median() { printf '%s\n' "$@" | sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
load() {
  local name=$1; shift
  local ours=() theirs=()
  if wanted "$name"; then
    for _ in $(seq "$ROUNDS"); do
      ours+=("$(on_pando tps "$@")")
      theirs+=("$(on_pg tps "$@")")
    done
    report "$name" tps "$(median "${ours[@]}")" "$(median "${theirs[@]}")" more
  fi
}
load "point read, prepared, 8 clients" -S -M prepared -c 8 -j 2
load "point read, prepared, 32 clients" -S -M prepared -c 32 -j 2
load "point read, simple, 8 clients" -S -M simple -c 8 -j 2
load "point read, prepared, 1000 clients" -S -M prepared -c 1000 -j 2
load "TPC-B-like, prepared, 8 clients" -M prepared -c 8 -j 2
load "TPC-B-like, prepared, 32 clients" -M prepared -c 32 -j 2

copy_rows() {
  psql -q -c 'DROP TABLE IF EXISTS copied' -c 'CREATE TABLE copied (id int PRIMARY KEY, a int, b text)' 2>/dev/null
  seconds_of psql -q -c "\\copy copied FROM '$work/rows.csv' WITH (FORMAT csv)"
}
if wanted "COPY 1,000,000 rows"; then
  seq 1000000 | awk '{print $1 "," $1 % 1000 ",some text of row " $1}' >"$work/rows.csv"
  export work; export -f copy_rows
  report "COPY 1,000,000 rows, primary key" s "$(on_pando bash -c copy_rows)" "$(on_pg bash -c copy_rows)" less
fi

median_query() {
  local times=()
  for _ in 1 2 3; do times+=("$(seconds_of psql -qAt -c "$1")"); done
  printf '%s\n' "${times[@]}" | sort -n | sed -n 2p
}
export -f median_query
query() {
  local name=$1 sql=$2
  if wanted "$name"; then
    report "$name" s "$(on_pando bash -c "median_query \"$sql\"")" "$(on_pg bash -c "median_query \"$sql\"")" less
  fi
}
on_pg psql -q -c 'VACUUM ANALYZE pgbench_accounts'
query "sum over the accounts" "SELECT sum(abalance), count(*) FROM pgbench_accounts"
query "group-by over the accounts" "SELECT bid, sum(abalance), avg(aid) FROM pgbench_accounts GROUP BY bid"

create_tables() {
  for i in $(seq 100); do echo "CREATE TABLE made_$i (id int PRIMARY KEY, a text NOT NULL, b int);"; done >"$work/create.sql"
  seconds_of psql -q -f "$work/create.sql" | awk '{print $1 * 10}'
  for i in $(seq 100); do echo "DROP TABLE made_$i;"; done | psql -q
}
export -f create_tables
if wanted "CREATE TABLE"; then
  report "CREATE TABLE" ms "$(on_pando bash -c create_tables)" "$(on_pg bash -c create_tables)" less
fi

if wanted "restart"; then
  bytes=$(du -sb "$work/pando" | cut -f1)
  kill "$pando_pid"; wait "$pando_pid" || true
  start=$(date +%s.%N)
  "$build/pando" start --dir "$work/pando" --listen "127.0.0.1:$pando_port" >>"$work/pando.log" 2>&1 &
  pando_pid=$!
  until on_pando psql -Atc 'SELECT count(*) FROM pgbench_branches' >/dev/null 2>&1; do sleep 0.02; done
  awk -v a="$start" -v b="$(date +%s.%N)" -v mib="$((bytes >> 20))" \
    'BEGIN {printf "restart to serving: %.2f s with %d MiB on disk\n", b - a, mib}'
fi

if wanted "embedded" && [ -x "$build/bench/pando_bench_embedded" ]; then
  "$build/bench/pando_bench_embedded"
fi
