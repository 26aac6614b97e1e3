#!/usr/bin/env bash
# pg_catalog_facts.sh: prints src/catalog/pg_catalog_relations.inc from a running PostgreSQL 15 (PGHOST, PGPORT, PGUSER):
# one line a system relation: name|oid|relkind|row type|columns, each column name:type oid:not null.
set -euo pipefail
echo '// Names, OIDs and columns of the system relations of PostgreSQL 15. Written by tools/pg_catalog_facts.sh.'
echo 'R"('
psql -Atc "
  SELECT c.relname || '|' || c.oid || '|' || c.relkind::text || '|' || c.reltype || '|' ||
         string_agg(a.attname || ':' || a.atttypid::oid || ':' || (CASE WHEN a.attnotnull THEN 1 ELSE 0 END), ',' ORDER BY a.attnum)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE c.relnamespace = 11 AND c.relkind IN ('r', 'v') AND a.attnum > 0
  GROUP BY c.relname, c.oid, c.relkind, c.reltype ORDER BY c.relname"
echo ')"'
