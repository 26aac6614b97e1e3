#!/usr/bin/env python3
"""Emits src/sql/function/pg_{proc,operator,cast,keywords}.inc from a real PostgreSQL 15, or checks that they agree with one.

usage: generate_signatures.py [--check] [psql connection options, for example -h /tmp -p 5555 -U postgres]

The facts of a signature (OID, types, strictness, volatility, defaults, names) are PostgreSQL's, never typed by hand.
What is ours is which kernel computes it: the tables of kernels name pg_proc.prosrc.
"""

import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src" / "sql" / "function"

# Types of issue width, and the pseudo-types of their signatures.
TYPES = """bool bytea char name int8 int2 int2vector int4 regproc text oid tid xid cid oidvector json pg_node_tree
float4 float8 unknown aclitem bpchar varchar date time timestamp timestamptz interval timetz numeric refcursor
regprocedure regoper regoperator regclass regtype record any anyarray void anyelement anynonarray uuid xid8 jsonb
jsonpath regnamespace regrole regcollation anycompatible anycompatiblearray anycompatiblenonarray anyenum
_bool _bytea _char _name _int2 _int4 _text _bpchar _varchar _int8 _float4 _float8 _oid _aclitem _timestamp _date _time
_timestamptz _interval _numeric _timetz _json _regclass _regtype _uuid _jsonb _record""".split()

HEADER = "// Made by tools/generate_signatures.py from PostgreSQL 15. Do not edit.\n"

PROC = """
select p.oid, p.proname,
  case when p.prokind = 'a' or l.lanname = 'sql'
       then p.proname || '(' || coalesce((select string_agg(t.typname, ',' order by a.ord)
              from unnest(p.proargtypes) with ordinality a(oid, ord) join pg_type t on t.oid = a.oid), '') || ')'
       else p.prosrc end,
  array_to_string(p.proargtypes::oid[], ' '), p.prorettype,
  case when p.provariadic <> 0 then 1 else 0 end, case when p.proisstrict then 1 else 0 end, p.provolatile,
  case when p.proretset then 's' else p.prokind end,
  p.pronargdefaults,
  coalesce(pg_get_expr(p.proargdefaults, 0), ''),
  coalesce(array_to_string(case when p.proargmodes is null then p.proargnames
     else (select array_agg(p.proargnames[i] order by i) from generate_subscripts(p.proargmodes, 1) i
           where p.proargmodes[i] in ('i', 'b', 'v')) end, ','), ''),
  coalesce((select string_agg(p.proargnames[i] || ' ' || p.proallargtypes[i], ',' order by i)
     from generate_subscripts(p.proargmodes, 1) i where p.proargmodes[i] in ('o', 'b', 't')), ''),
  case when g.aggkind is not null and g.aggkind <> 'n' then g.aggkind::text else '' end
from pg_proc p join pg_language l on l.oid = p.prolang left join pg_aggregate g on g.aggfnoid = p.oid
where p.pronamespace = 'pg_catalog'::regnamespace
  and p.prorettype in (select oid from pg_type where typname = any(:types))
  and not exists (select from unnest(p.proargtypes) a(oid)
                  where a.oid not in (select oid from pg_type where typname = any(:types)))
order by p.oid
"""

OPERATOR = """
select o.oid, o.oprname, o.oprleft, o.oprright, o.oprresult, o.oprcode::oid,
  coalesce(c.oprname, ''), coalesce(n.oprname, '')
from pg_operator o left join pg_operator c on c.oid = o.oprcom left join pg_operator n on n.oid = o.oprnegate
where (o.oprleft = 0 or o.oprleft in (select oid from pg_type where typname = any(:types)))
  and o.oprright in (select oid from pg_type where typname = any(:types))
order by o.oid
"""

CAST = """
select castsource, casttarget, castcontext, castmethod, castfunc::oid from pg_cast
where castsource in (select oid from pg_type where typname = any(:types))
  and casttarget in (select oid from pg_type where typname = any(:types))
order by castsource, casttarget
"""

SEPARATOR = "\x1f"


def query(options, sql):
    types = "array['" + "','".join(TYPES) + "']"
    command = ["psql", "-X", "-A", "-t", "-F", SEPARATOR, "-v", "ON_ERROR_STOP=1", *options, "-c",
               sql.replace(":types", types)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split(SEPARATOR) for line in out.split("\n") if line]


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def proc_rows(options):
    for row in query(options, PROC):
        (oid, name, symbol, arguments, result, variadic, strict, volatility, kind, defaults, default_text, names,
         columns, aggregate_kind) = row
        yield "{%s, %s, %s, %s, %s, %s, %s, '%s', '%s', %s, %s, %s, %s, %s},\n" % (
            oid, text(name), text(symbol), text(arguments), result, "true" if variadic == "1" else "false",
            "true" if strict == "1" else "false", volatility, kind, defaults, text(default_text), text(names),
            text(columns), text(aggregate_kind))


def operator_rows(options):
    for oid, name, left, right, result, function, commutator, negator in query(options, OPERATOR):
        yield "{%s, %s, %s, %s, %s, %s, %s, %s},\n" % (oid, text(name), left, right, result, function,
                                                      text(commutator), text(negator))


def cast_rows(options):
    for source, target, context, method, function in query(options, CAST):
        yield "{%s, %s, '%s', '%s', %s},\n" % (source, target, context, method, function)


def keyword_rows(options):
    for word, category, bare in query(options, "select word, catcode, barelabel from pg_get_keywords() order by word"):
        yield "{%s, '%s', %s},\n" % (text(word), category, "true" if bare == "t" else "false")


def main():
    options = sys.argv[1:]
    check = "--check" in options
    options = [option for option in options if option != "--check"]
    differs = False
    for name, rows in (("pg_proc", proc_rows), ("pg_operator", operator_rows), ("pg_cast", cast_rows),
                       ("pg_keywords", keyword_rows)):
        path = FOLDER / (name + ".inc")
        content = HEADER + "".join(rows(options))
        if check:
            if path.read_text() != content:
                print(f"{path} differs from the server")
                differs = True
        else:
            path.write_text(content)
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
