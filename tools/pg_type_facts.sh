#!/usr/bin/env bash
# pg_type_facts.sh types|names: prints src/catalog/pg_type_procedures.inc or src/catalog/pg_type_procedure_names.inc from a
# running PostgreSQL 15 (PGHOST, PGPORT, PGUSER).
set -euo pipefail
echo "// Made by tools/pg_type_facts.sh from PostgreSQL 15. Do not edit."
case "$1" in
  types)
    psql -Atc "
      SELECT format('{%s, %s, %s, %s, %s, %s, %s, %s, ''%s''},', oid, typinput::oid, typoutput::oid, typreceive::oid,
                    typsend::oid, typmodin::oid, typmodout::oid, typsubscript::oid, typdelim)
      FROM pg_type WHERE oid < 10000 AND typrelid = 0 ORDER BY oid"
    ;;
  names)
    psql -Atc "
      SELECT format('{%s, \"%s\", \"%s\", %s},', oid, proname, proargtypes::text, prorettype)
      FROM pg_proc
      WHERE oid IN (SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout, typsubscript]::oid[])
                    FROM pg_type WHERE oid < 10000)
         OR proname IN ('enum_in', 'enum_out', 'enum_recv', 'enum_send', 'domain_in', 'domain_recv')
      ORDER BY oid"
    ;;
esac
