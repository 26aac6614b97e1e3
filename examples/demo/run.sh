#!/usr/bin/env bash
# run.sh BUILD_DIR: the tour of `make demo`: the embedded database, then the server and psql on the same directory.
set -euo pipefail
build=$1
directory=$(mktemp -d /tmp/pando-demo.XXXXXX)
server=
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$directory"
}
trap finish EXIT

echo "== 1. Embedded: the database inside a program =="
"$build/examples/pando_demo" "$directory/data"

echo
echo "== 2. The same directory behind a server, through psql =="
port=$((20000 + RANDOM % 20000))
"$build/pando" start --dir "$directory/data" --listen "127.0.0.1:$port" >"$directory/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  psql -h 127.0.0.1 -p "$port" -U postgres -Atc 'SELECT 1' >/dev/null 2>&1 && break
  kill -0 "$server" 2>/dev/null || { cat "$directory/server.log"; exit 1; }
  sleep 0.1
done
PAGER=cat psql -h 127.0.0.1 -p "$port" -U postgres -v ON_ERROR_STOP=1 <<'SQL'
SELECT version();
\dt
SELECT c.city, count(DISTINCT o.product) AS products, round(avg(p.price), 2) AS average_price
FROM orders o JOIN customers c ON c.id = o.customer JOIN products p ON p.id = o.product
GROUP BY c.city ORDER BY c.city LIMIT 4;
EXPLAIN ANALYZE SELECT * FROM orders WHERE id = 4711;
SQL
echo "done; everything is removed again"
