#!/usr/bin/env python3
"""Asks a real PostgreSQL 15 for the answers of calls with interesting arguments; writes src/sql/function/testdata.

usage: generate_function_cases.py [psql connection options]

Files are named after the type of the first argument. A line "f OID NAME(TYPES)->TYPE" starts the calls of one
signature, with OIDs of the actual types; each following line is a call: the arguments' text forms, tab-separated, and
the answer, "=TEXT", "\\N" for NULL, or "!SQLSTATE MESSAGE". Tabs, newlines and backslashes are escaped. For aggregates
("a") an argument is a column of values separated by \\x1e; the answer of a set-returning function ("s") is its rows,
separated the same way, with \\x1d between columns.
"""

import itertools
import pathlib
import random
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src" / "sql" / "function"
ZONE = "Europe/Paris"
NULL = None
CASES_MAX = 14
RECORD, UNIT = "\x1e", "\x1d"

VALUES = {
    "bool": ["true", "false"],
    "bytea": ["", "\\x00ff41", "\\x616263", "\\xc3a9", "\\x616162636161"],
    "char": ["a", "Z", ""],
    "name": ["", "abc", "Table", "select", "a.b"],
    "int2": ["0", "1", "-1", "7", "-32768", "32767", "300"],
    "int4": ["0", "1", "-1", "2", "7", "-2147483648", "2147483647", "12345"],
    "int8": ["0", "1", "-1", "10", "-9223372036854775808", "9223372036854775807", "4294967296"],
    "text": ["", "abc", "Hello World", "h\u00e9llo", "a%b_c", "  x  ", "abcabc", "O'Re\\illy", "\u65e5\u672c\u8a9e", "aXbXc"],
    "oid": ["0", "1", "25", "4294967295"],
    "xid": ["0", "3"],
    "cid": ["0", "3"],
    "xid8": ["0", "4294967299"],
    "tid": ["(0,1)", "(3,4)"],
    "json": ['{"a": 1, "b": [1, 2, {"c": null}]}', "[1, \"x\", null, true]", '"str"', "null", "3.50", '{"a":"b","a":2}', "[]", "{}"],
    "jsonb": ['{"a": 1, "b": [1, 2, {"c": null}]}', "[1, \"x\", null, true]", '"str"', "null", "3.50", '{"a":"b"}', "[]", "{}", "true"],
    "jsonpath": ["$", "$.a", "$.b[*]", "strict $.zzz", "$.b[*] ? (@ > 1)", "$.b.size()", "$.a + 1", "$[*].type()", "$.a == 1"],
    "float4": ["0", "1.5", "-2.25", "NaN", "Infinity", "3.4e38", "1e-40", "0.1"],
    "float8": ["0", "1.5", "-2.25", "NaN", "Infinity", "-Infinity", "1e308", "1e-310", "0.1", "0.5", "45", "1", "-1"],
    "bpchar": ["abc  ", "abc", "", "x"],
    "varchar": ["", "abc", "hello world"],
    "date": ["2000-01-01", "2024-02-29", "1999-12-31", "infinity", "0044-03-15 BC", "2021-07-04"],
    "time": ["00:00:00", "12:34:56.789012", "23:59:59.999999", "24:00:00"],
    "timetz": ["00:00:00+00", "12:34:56.789+02", "23:59:59-08"],
    "timestamp": ["2000-01-01 00:00:00", "2024-02-29 12:34:56.789012", "1999-12-31 23:59:59.999999", "infinity", "0044-03-15 08:00:00 BC", "2021-07-04 16:00:00"],
    "timestamptz": ["2000-01-01 00:00:00+00", "2024-02-29 12:34:56.789012+00", "-infinity", "2021-07-04 16:00:00+00", "2021-10-31 00:30:00+00"],
    "interval": ["00:00:00", "1 day", "1 year 2 mons 3 days 04:05:06.789", "-1 mons +25:00:00", "35 days", "-00:00:01.5"],
    "numeric": ["0", "1", "-1.50", "NaN", "Infinity", "123456789.123456789", "1e30", "0.0001", "2", "-7"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "void": [""],
    "_int4": ["{}", "{1,2,3}", "{{1,2},{3,4}}", "[3:4]={5,NULL}", "{2}", "{3,1,2,1}"],
    "_text": ["{}", "{a,b,c}", "{a,NULL,\"x y\"}", "{0}", "{b,1}", "{a,1,b,2}", "{{a,1},{b,2}}"],
    "_float8": ["{0.5}", "{0,0.25,1}", "{NULL,0.1}"],
    "_numeric": ["{1,2.50}", "{}"],
    "_int2": ["{1,2}"], "_int8": ["{1,2}"], "_bool": ["{t,f}"], "_date": ["{2000-01-01}"], "_oid": ["{1,2}"], "_name": ["{a}"],
    "oidvector": ["1 2", "1 3", ""],
}
# Where the values of a type say little: by function symbol (or name) and argument.
FIELDS = ["epoch", "year", "month", "day", "dow", "isoyear", "week", "hour", "minute", "second", "milliseconds", "microseconds",
          "century", "millennium", "decade", "quarter", "doy", "isodow", "julian", "timezone", "timezone_hour", "foo"]
TRUNCS = ["year", "month", "week", "day", "hour", "minute", "second", "quarter", "decade", "century", "millennium", "milliseconds", "foo", "epoch"]
ZONES = ["UTC", "America/New_York", "EST", "+03", "Nowhere/City", "Asia/Kolkata"]
REGEXES = ["b", "^a", "c$", "[a-c]+", "(b)(c)", "x|y", "a*", "\\w+", "(", "a{2,1}", "[[:upper:]]", ".*?b", "\\d", "l+", "(?i)HELLO", "[^a]"]
FLAGS = ["", "i", "g", "n", "z"]
SPECIAL = [
    (r"^(extract_|date_part|.*_part$)", 0, FIELDS),
    (r"^(timestamp_trunc|timestamptz_trunc|interval_trunc|timestamptz_trunc_zone)$", 0, TRUNCS),
    (r"^(timestamp_zone|timestamptz_zone|timetz_zone)$", 0, ZONES),
    (r"^timestamptz_trunc_zone$", 2, ZONES), (r"^make_timestamptz_at_timezone$", 6, ZONES),
    (r"^(timestamp|timestamptz)_to_char$", 1, ["YYYY-MM-DD HH24:MI:SS", "Day DD Month YYYY", "FMDy, FMDDth FMMon YY", "HH12:MI:SS.MS AM", "J Q WW IW ID D DDD", "YYYY BC CC", "TZ OF", "US SSSS \"txt\"", ""]),
    (r"^interval_to_char$", 1, ["YYYY-MM-DD HH24:MI:SS", "HH24 DD", "MI:SS.US"]),
    (r"^(numeric|int4|int8|float4|float8)_to_char$", 1, ["999", "9,999.99", "FM999.00", "000099", "S999", "999PR", "RN", "9.99EEEE", "L999", "MI999", "99V9", "999th", "$9.9", ""]),
    (r"^(to_date|to_timestamp)$", 0, ["2024-02-29", "29 Feb 2024", "20240229 123456", "05/06/07", "foo", "2024-13-01"]),
    (r"^(to_date|to_timestamp)$", 1, ["YYYY-MM-DD", "DD Mon YYYY", "YYYYMMDD HH24MISS", "MM/DD/YY"]),
    (r"^numeric_to_number$", 0, ["1,234.5", "-12", "12-", "<5>", "foo", " 7 "]),
    (r"^numeric_to_number$", 1, ["9,999.9", "S99", "99MI", "9PR", "99"]),
    (r"^binary_encode$", 1, ["hex", "base64", "escape", "foo"]),
    (r"^binary_decode$", 0, ["6162", "YWJj", "a\\000b", "zz", "abc", "YWJ", "Y!=="]),
    (r"^binary_decode$", 1, ["hex", "base64", "escape", "foo"]),
    (r"regex(eq|ne)$|^textregexsubstr$|^regexp_|^textregexreplace", 1, REGEXES),
    (r"^(regexp_(match|matches|split_to_array|split_to_table|like))$", 2, FLAGS),
    (r"^textregexreplace", 2, ["x", "[\\1\\2]", "<\\&>", "\\\\"]),
    (r"^textregexreplace$", 3, FLAGS), (r"^textregexreplace_extended$", 5, FLAGS),
    (r"^textregexreplace_extended|^regexp_(instr|substr)", 3, ["1", "2", "0", "-1"]),
    (r"^textregexreplace_extended|^regexp_(instr|substr)", 4, ["0", "1", "2", "-1"]),
    (r"^regexp_(count|instr|substr)", 2, ["1", "2", "0", "9"]),
    (r"^regexp_count$", 3, FLAGS), (r"^regexp_instr", 5, FLAGS), (r"^regexp_substr", 4, FLAGS),
    (r"^regexp_instr$", 6, ["0", "1", "-1"]), (r"^regexp_substr$", 5, ["0", "1", "-1"]),
    (r"^(text|name|bpchar)?(ic)?n?like$|^texti?c?n?like$", 1, ["", "%", "a%", "%b%", "a_c", "%\\%%", "abc\\", "A%", "%lo w%", "h_llo"]),
    (r"^like_escape$", 1, ["", "#", "##", "\\"]), (r"^like_escape$", 0, ["a#%b", "a\\b", "%_"]),
    (r"^similar_", 0, ["a%", "(a|b)_", "a#%", "[a_]%", "a#\"b#\"c", "a.b^$"]), (r"^similar_(to_escape_2|escape)$", 1, ["#", "", "ab"]),
    (r"^unicode_", 1, ["NFC", "NFD", "NFKC", "NFKD", "foo"]), (r"^unistr$", 0, ["a\\0041", "\\+01F600", "\\u00e9", "\\zz", "\\d800", "a\\\\b"]),
    (r"^(text_to_array|text_to_table)", 0, ["a,b,,c", "", "abc"]), (r"^(text_to_array|text_to_table)", 1, [",", "", NULL, "b"]),
    (r"^(text_to_array|text_to_table)_null$", 2, ["", "b", NULL]),
    (r"^(repeat|lpad|rpad)", 1, ["0", "3", "-1", "10", "2147483647"]),
    (r"^(text_substr|bytea_substr|text_left|text_right|substring)", 1, ["0", "1", "3", "-2", "100"]),
    (r"^(text_substr|bytea_substr)$", 2, ["0", "2", "-1", "2147483647"]),
    (r"^split_part$", 1, ["b", "", "X", ","]), (r"^split_part$", 2, ["1", "2", "-1", "0", "-2"]),
    (r"^(textoverlay|byteaoverlay)", 2, ["1", "3", "0", "-1"]),
    (r"^chr$", 0, ["65", "233", "8364", "0", "-1", "55296", "1114112"]),
    (r"^make_date$", 0, ["2024", "-44", "0", "1999"]), (r"^make_date$", 1, ["2", "12", "13"]), (r"^make_date$", 2, ["29", "1", "31"]),
    (r"^make_time", 0, ["12", "24", "0", "25", "2024", "-1"]), (r"^make_timestamp", 1, ["2", "12"]), (r"^make_timestamp", 2, ["29", "1"]),
    (r"^make_time", 5, ["0", "59.5", "60"]), (r"^make_time$", 1, ["0", "59", "60"]), (r"^make_time$", 2, ["0", "59.999", "60", "NaN"]),
    (r"^make_timestamp", 3, ["0", "23"]), (r"^make_timestamp", 4, ["0", "59"]),
    (r"^make_interval$", None, ["0", "1", "-3", "100"]),
    (r"^(array_lower|array_upper|array_length|generate_subscripts)", 1, ["0", "1", "2"]),
    (r"^trim_array$", 1, ["0", "1", "-1", "9"]),
    (r"^array_fill", 1, ["{2}", "{2,2}", "{}", "{-1}", "{1,NULL}", "{{1}}"]), (r"^array_fill", 2, ["{5}", "{1,0}", NULL]),
    (r"^array_to_text", 1, [",", "", NULL]),
    (r"^numeric_(round|trunc)$", 1, ["0", "2", "-1", "20"]), (r"^numeric$", 1, ["-1", "327686", "655366", "131076"]),
    (r"^numeric_(power|log|exp|ln)$", None, ["0", "1", "2", "-1.50", "0.5", "10.000", "3", "NaN"]),
    (r"^numeric_fac$", 0, ["0", "5", "25", "-1"]),
    (r"^(gcd|lcm|int4gcd|int4lcm)$", None, ["0", "12", "-18", "-2147483648", "7"]),
    (r"shl$|shr$", 1, ["0", "1", "31", "33"]),
    (r"^width_bucket", 3, ["0", "5", "-1", "2147483647"]),
    (r"^(time|timestamp|timetz|timestamptz)_scale$", 1, ["0", "3", "6"]), (r"^interval_scale$", 1, ["-1", "2147418115", "589823", "469827583"]),
    (r"^(varchar|bpchar)$", 1, ["-1", "5", "7", "100"]),
    (r"^(json|jsonb)_(object_field|array_element)(_text)?$", 1, ["a", "b", "zz", "0", "-1", "5"]),
    (r"^jsonb_(exists|delete)$", 1, ["a", "b", "x", "str"]), (r"^jsonb_delete_idx$", 1, ["0", "-1", "9"]),
    (r"^jsonb?_extract_path|^jsonb_(set|insert|delete_path)", 1, ["{a}", "{b,0}", "{b,2,c}", "{}", "{zz}", "{0}", "{a,NULL}", "{b,x}"]),
    (r"^jsonb_set_lax$", 4, ["use_json_null", "delete_key", "return_target", "raise_exception", "foo"]),
    (r"^jsonb_set_lax$", 2, ["1", NULL]),
    (r"^jsonb_path_.*", 2, ["{}", "{\"x\": 1}", "1"]),
    (r"^jsonb?_object$", 0, ["{a,1,b,2}", "{{a,1},{b,NULL}}", "{a}", "{}", "{NULL,x}", "{{a,b,c}}"]),
    (r"^pg_size_bytes$", 0, ["1 kB", "1.5GB", "10", "-1 MB", "foo", "1 foo", "1e3"]),
    (r"^pg_size_pretty", 0, ["0", "10239", "10240", "123456789", "-10240", "12345678901234", "9223372036854775807"]),
    (r"^parse_ident$", 0, ["a.b", "A.\"B c\"", "1a", "a.", "", "\"x", "a b"]),
    (r"^pg_convert", 1, ["utf8", "latin1", "foo"]), (r"^pg_convert$", 2, ["utf8", "latin1", "foo"]), (r"^length_in_encoding$", 1, ["utf8", "foo"]),
    (r"^to_ascii", 1, ["latin1", "8"]),
    (r"^generate_series(_step)?_int", None, ["1", "5", "0", "2", "-2"]), (r"^generate_series(_step)?_numeric", None, ["1", "3.5", "0.5", "NaN", "-1"]),
    (r"^generate_series_timestamp", 0, ["2024-02-28 00:00:00"]), (r"^generate_series_timestamp", 1, ["2024-03-02 00:00:00"]),
    (r"^generate_series_timestamp", 2, ["1 day", "00:00:00", "-1 day", "18:00:00"]),
    (r"^text_format", 0, ["%s", "%s-%s", "%I", "%L", "%5s|", "%-5s|", "%2$s", "%%", "%", "%x"]),
    (r"^d(acos|asin|atanh|acosd|asind)$", 0, ["0", "0.5", "1", "-1", "0.1", "1.5", "NaN", "-0.5"]),
    (r"^in_range_", 2, None),
    (r"^setseed$", 0, ["2"]), (r"^PG_encoding_to_char$", 0, ["0", "6", "8", "99"]), (r"^pg_encoding_max", 0, ["6"]), (r"^PG_char_to_encoding$", 0, ["utf8", "LATIN1", "foo"]),
    (r"^format_type$", 0, ["23", "1043", "1042", "1700", "0", "1007"]), (r"^format_type$", 1, ["-1", "24", NULL]),
]
# Not asked for: they wait, write, look at the catalog or the clock, or have no fixed answer.
EXCLUDED = re.compile(
    r"^(pg_(?!size_|convert|num_n|typeof|collation_for|column_size|encoding)|has_|be_|lo_|binary_upgrade|currtid|"
    r"txid|inet_|current_|session_user|getpg|version|to_reg|text_reg|.*_is_visible|nextval|currval|setval|lastval|"
    r"now$|statement_timestamp|clock_timestamp|timeofday|drandom|gen_random|obj_desc|col_desc|shobj|row_security|"
    r"acl|make?acl|plpgsql|fmgr|bt.*image|.*_stat|brin|gin|hash|.*hash$|.*hash_extended|.*send$|.*recv$|show_|set_config|query_to|"
    r".*_subdiff$|.*_accum|.*_combine|.*_avg$|.*_inv$|amvalidate|.*validator|enum_|event_|ts_|.*sel$|"
    r"float8_(var|stddev|regr|covar|corr)|int._avg|int._sum|xml|cursor|schema_to|table_to|database_to|"
    r"age\((timestamp|timestamptz)\)|.*populate_record|.*to_record|satisfies_hash|suppress|json_agg|namecon|ri_|"
    r"mxid|int8inc|int8dec|int4inc|xid_age|pgsql_version|getdatabaseencoding|int2int4_sum|int8_sum|.*xact|windows?_|pg_nextoid|array_agg_|postgresql_fdw)")
POLYMORPHIC = {"anyelement": ["int4", "text"], "anyarray": ["_int4", "_text"], "anynonarray": ["int4"],
               "anycompatible": ["int4"], "anycompatiblearray": ["_int4"], "any": ["int4", "text"]}


def parse_rows():
    pattern = re.compile(
        r"\{(\d+), \"(.*?)\", \"(.*?)\", \"(.*?)\", (\d+), (\w+), (\w+), '(.)', '(.)', \d+, \".*\", \"(.*?)\", \"(.*?)\", \"(.*?)\"\},")
    for line in (FOLDER / "pg_proc.inc").read_text().split("\n"):
        match = pattern.match(line)
        if match:
            oid, name, symbol, arguments, result, variadic, strict, volatility, kind, _, columns, ordered = match.groups()
            yield dict(oid=int(oid), name=name, symbol=symbol, arguments=[int(a) for a in arguments.split()],
                       result=int(result), variadic=variadic == "true", strict=strict == "true", volatility=volatility,
                       kind=kind, columns=[c.rsplit(" ", 1)[0] for c in columns.split(",")] if columns else [],
                       ordered=ordered)


class Server:
    def __init__(self, options):
        self.options = options

    def run(self, script):
        return subprocess.run(["psql", "-X", "-q", "-A", "-t", *self.options], input=script, check=True,
                              capture_output=True, text=True).stdout


def quote(value, type_name):
    return ("NULL" if value is NULL else "'" + value.replace("'", "''") + "'") + f'::pg_catalog."{type_name}"'


def escape(text):
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def candidates(row, index, type_name):
    for pattern, argument, values in SPECIAL:
        if (argument is None or argument == index) and values is not None and re.search(pattern, row["symbol"]):
            return values
    return VALUES.get(type_name)


def argument_lists(row, type_names):
    lists = []
    for index, type_name in enumerate(type_names):
        values = candidates(row, index, type_name)
        if values is None:
            return []
        lists.append(list(values) if row["strict"] else list(values) + [NULL])
    generator = random.Random(row["oid"])
    everything = 1
    for values in lists:
        everything *= len(values)
    limit = max([CASES_MAX] + [len(values) for values in lists[:1]])
    if everything <= limit:
        return list(itertools.product(*lists))
    chosen = []
    seen = set()
    # Each value at least once, then at random.
    for i in range(max(len(values) for values in lists)):
        chosen.append(tuple(values[i % len(values)] if k == 0 else generator.choice(values)
                            for k, values in enumerate(lists)))
    while len(chosen) < limit + 6:
        chosen.append(tuple(generator.choice(values) for values in lists))
    return [c for c in chosen if not (c in seen or seen.add(c))][:limit + 6]


def instantiations(row, names):
    type_names = [names[a] for a in row["arguments"]]
    generic = [t for t in type_names if t in POLYMORPHIC]
    if not generic:
        return [type_names]
    count = max(len(POLYMORPHIC[t]) for t in generic)
    return [[POLYMORPHIC[t][i % len(POLYMORPHIC[t])] if t in POLYMORPHIC else t for t in type_names]
            for i in range(count)]


def call_sql(row, arguments, type_names):
    literals = [quote(value, type_name) for value, type_name in zip(arguments, type_names)]
    if row["variadic"] and type_names and type_names[-1].startswith("_"):
        literals[-1] = "VARIADIC " + literals[-1]
    call = 'pg_catalog."%s"(%s)' % (row["name"], ", ".join(literals))
    if row["kind"] == "s":
        columns = row["columns"] if len(row["columns"]) > 1 else ["r"]
        alias = ", ".join('"%s"' % c for c in columns)
        text = (" || '" + UNIT + "' || ").join('coalesce(format(\'%%s\', x."%s"), \'\\N\')' % c for c in columns)
        return "SELECT coalesce('=' || string_agg(%s, '%s'), '=') FROM %s AS x(%s)" % (text, RECORD, call, alias)
    if row["symbol"].endswith("cmp"):
        # Only the sign has a meaning.
        call = "sign(%s)::int4" % call
    return "SELECT CASE WHEN r IS NULL THEN '\\N' ELSE '=' || format('%%s', r) END FROM (SELECT %s AS r) x" % call


def aggregate_sql(row, columns, type_names):
    rows = list(zip(*columns))
    values = ", ".join("(%s, %d)" % (", ".join(quote(v, t) for v, t in zip(r, type_names)), i) for i, r in enumerate(rows))
    names = ["c%d" % i for i in range(len(type_names))]
    if row["ordered"]:
        call = 'pg_catalog."%s"(%s) WITHIN GROUP (ORDER BY %s)' % (
            row["name"], quote(columns[0][0], type_names[0]) if len(names) > 1 else "", names[-1])
    else:
        call = 'pg_catalog."%s"(%s)' % (row["name"], (", ".join(names) + " ORDER BY o") if names else "*")
    return ("SELECT CASE WHEN r IS NULL THEN '\\N' ELSE '=' || format('%%s', r) END FROM (SELECT %s AS r FROM "
            "(VALUES %s) v(%s)) x") % (call, values, ", ".join(names + ["o"]))


AGGREGATE_VALUES = dict(VALUES)
AGGREGATE_VALUES.update({
    "float8": ["1.5", "-2.25", "0.1", "1e10", "3"], "float4": ["1.5", "-2.25", "0.1", "3"],
    "date": ["2000-01-01", "2024-02-29", "1999-12-31"], "timestamp": ["2000-01-01 00:00:00", "2024-02-29 12:34:56.789012"],
    "numeric": ["1", "-1.50", "123456789.123456789", "0.0001", "2"], "_int4": ["{1,2}", "{3,4}"], "_text": ["{a,b}"],
    "interval": ["1 day", "1 year 2 mons 3 days 04:05:06.789", "35 days"],
    "int2": ["1", "-7", "300"], "int4": ["1", "-7", "300", "1"], "int8": ["1", "-7", "9223372036854775807", "300"],
})


def aggregate_columns(row, type_names):
    out = []
    generator = random.Random(row["oid"])
    for variant in range(4):
        length = [4, 6, 1, 3][variant]
        columns = []
        for index, type_name in enumerate(type_names):
            values = AGGREGATE_VALUES.get(type_name)
            if values is None:
                return []
            if row["ordered"] and index == 0 and len(type_names) > 1:
                fraction = {"float8": ["0.5", "0", "0.3", "1.5"], "_float8": ["{0.5}", "{0,0.25,1}", "{NULL,0.1}", "{2}"]}
                columns.append([fraction[type_name][variant]] * length)
                continue
            column = [generator.choice(values) for _ in range(length)]
            if variant == 1:
                column[2] = NULL
            if variant == 3 and not row["ordered"]:
                column = [NULL] * length
            columns.append(column)
        out.append(columns)
    return out


def main():
    server = Server(sys.argv[1:])
    names = {}
    for line in server.run("select oid, typname from pg_type where typnamespace = 11").split("\n"):
        if line:
            oid, name = line.split("|")
            names[int(oid)] = name
    oids = {name: oid for oid, name in names.items()}
    calls = []
    for row in parse_rows():
        if EXCLUDED.match(row["symbol"]) or EXCLUDED.match(row["name"]) or row["kind"] not in "fas":
            continue
        if row["volatility"] == "v" and row["symbol"] != "setseed":
            continue
        if row["ordered"] == "h" or any(a not in names for a in row["arguments"]):
            continue
        for type_names in instantiations(row, names):
            if any(t not in VALUES for t in type_names):
                continue
            if row["kind"] == "a":
                for columns in aggregate_columns(row, type_names):
                    texts = [RECORD.join("\\N" if v is NULL else v for v in column) for column in columns]
                    if not texts:
                        texts = [RECORD.join("x" * 3)]
                        calls.append((row, type_names, texts, aggregate_sql(row, [], []).replace(
                            "(VALUES )", "(VALUES (1), (2), (3))")))
                        break
                    calls.append((row, type_names, texts, aggregate_sql(row, columns, type_names)))
            else:
                for arguments in argument_lists(row, type_names):
                    texts = ["\\N" if v is NULL else escape(v) for v in arguments]
                    calls.append((row, type_names, texts, call_sql(row, arguments, type_names)))
    script = [f"SET timezone = '{ZONE}'; SET extra_float_digits = 1; SET client_min_messages = error;",
              """CREATE FUNCTION pg_temp.ask(query text) RETURNS text LANGUAGE plpgsql AS $f$
DECLARE answer text; BEGIN EXECUTE query INTO answer; RETURN answer;
EXCEPTION WHEN OTHERS THEN RETURN '!' || SQLSTATE || ' ' || SQLERRM; END $f$;""",
              "CREATE FUNCTION pg_temp.type_of(query text) RETURNS text LANGUAGE plpgsql AS $f$ DECLARE answer text; BEGIN "
              "EXECUTE query INTO answer; RETURN answer; EXCEPTION WHEN OTHERS THEN RETURN '!'; END $f$;"]
    for _, _, _, sql in calls:
        script.append("SELECT replace(replace(replace(pg_temp.ask($ask$%s$ask$), '\\', '\\\\'), E'\\n', '\\n'), E'\\t', '\\t');" % sql)
    answers = server.run("\n".join(script)).split("\n")[:-1]
    assert len(answers) == len(calls), (len(answers), len(calls))
    files = {}
    previous = None
    for (row, type_names, texts, _), answer in zip(calls, answers):
        kind = row["kind"]
        header = "%s %d %s(%s)->%d" % (kind, row["oid"], row["symbol"].split("(")[0],
                                      ",".join(str(oids[t]) for t in type_names), result_oid(row, type_names, names, oids))
        first = "aggregates" if kind == "a" else "sets" if kind == "s" else (type_names[0].replace("_", "array_", 1) if type_names and type_names[0].startswith("_") else (type_names or ["none"])[0])
        lines = files.setdefault(first, [])
        if header != previous:
            lines.append(header)
            previous = header
        if answer == "\\\\N":
            answer = "\\N"
        lines.append("\t".join(texts + [answer]))
    target = FOLDER / "testdata"
    target.mkdir(exist_ok=True)
    for old in target.glob("calls_*.txt"):
        old.unlink()
    for first, lines in files.items():
        (target / f"calls_{first}.txt").write_text("\n".join(lines) + "\n")
    print(len(calls), "calls in", len(files), "files")


def result_oid(row, type_names, names, oids):
    declared = names[row["result"]]
    for argument, actual in zip(row["arguments"], type_names):
        generic = names[argument]
        if declared == generic and generic in POLYMORPHIC:
            return oids[actual]
    element = next((actual for argument, actual in zip(row["arguments"], type_names)
                    if names[argument] in ("anyelement", "anycompatible", "anynonarray")), None)
    array = next((actual for argument, actual in zip(row["arguments"], type_names)
                  if names[argument] in ("anyarray", "anycompatiblearray")), None)
    if declared in ("anyarray", "anycompatiblearray") and element:
        return oids["_" + element]
    if declared in ("anyelement", "anycompatible") and array:
        return oids[array[1:]]
    return row["result"]


if __name__ == "__main__":
    main()
