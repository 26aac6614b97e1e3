#!/usr/bin/env python3
"""Fills the expected output of this folder's .txt files from a real PostgreSQL 15.

usage: regenerate.py 'host=127.0.0.1 port=5432 user=postgres' [file...]

Commands, one input per line ('' is the empty string, NULL is NULL):
  text type=T [datestyle=ISO order=MDY intervalstyle=postgres timezone=UTC float=1 bytea=hex]
      the value's text form, or the error
  binary type=T [timezone=UTC]    the binary form in hexadecimal
  call f=NAME                     a function; arguments between " | "
"""
import re
import sys
import psycopg2

# What each function of `call` is in SQL.
CALLS = {
    'numeric_add': '%s::numeric + %s::numeric', 'numeric_subtract': '%s::numeric - %s::numeric',
    'numeric_multiply': '%s::numeric * %s::numeric', 'numeric_divide': '%s::numeric / %s::numeric',
    'numeric_modulo': '%s::numeric %% %s::numeric', 'numeric_div': 'div(%s::numeric, %s::numeric)',
    'numeric_power': 'power(%s::numeric, %s::numeric)', 'numeric_exp': 'exp(%s::numeric)',
    'numeric_ln': 'ln(%s::numeric)', 'numeric_log': 'log(%s::numeric, %s::numeric)',
    'numeric_log10': 'log(%s::numeric)', 'numeric_sqrt': 'sqrt(%s::numeric)',
    'numeric_round': 'round(%s::numeric, %s::int)', 'numeric_trunc': 'trunc(%s::numeric, %s::int)',
    'numeric_ceil': 'ceil(%s::numeric)', 'numeric_floor': 'floor(%s::numeric)',
    'numeric_sign': 'sign(%s::numeric)', 'numeric_abs': 'abs(%s::numeric)',
    'numeric_gcd': 'gcd(%s::numeric, %s::numeric)', 'numeric_lcm': 'lcm(%s::numeric, %s::numeric)',
    'numeric_factorial': 'factorial(%s::bigint)', 'numeric_scale': 'scale(%s::numeric)',
    'numeric_min_scale': 'min_scale(%s::numeric)', 'numeric_trim_scale': 'trim_scale(%s::numeric)',
    'numeric_width_bucket': 'width_bucket(%s::numeric, %s::numeric, %s::numeric, %s::int)',
    'numeric_to_int4': '%s::numeric::int4', 'numeric_to_int8': '%s::numeric::int8',
    'numeric_to_int2': '%s::numeric::int2', 'numeric_to_float8': '%s::numeric::float8',
    'numeric_to_float4': '%s::numeric::float4', 'numeric_of_float8': '%s::float8::numeric',
    'numeric_of_float4': '%s::float4::numeric',
    'numeric_compare': "(CASE WHEN %s::numeric < %s::numeric THEN '<' ELSE '>=' END)",
    'variance': "(SELECT variance(x) FROM unnest(%s::numeric[]) x)",
    'stddev_pop': "(SELECT stddev_pop(x) FROM unnest(%s::numeric[]) x)",
    'sum': "(SELECT sum(x) FROM unnest(%s::numeric[]) x)", 'avg': "(SELECT avg(x) FROM unnest(%s::numeric[]) x)",
    'timestamp_plus': '%s::timestamp + %s::interval', 'timestamptz_plus': '%s::timestamptz + %s::interval',
    'timestamp_minus': '%s::timestamp - %s::timestamp', 'age': 'age(%s::timestamp, %s::timestamp)',
    'age_tz': 'age(%s::timestamptz, %s::timestamptz)',
    'date_bin': 'date_bin(%s::interval, %s::timestamp, %s::timestamp)',
    'timestamptz_at_zone': '%s::timestamptz AT TIME ZONE %s', 'timestamp_at_zone': '%s::timestamp AT TIME ZONE %s',
    'timetz_at_zone': '%s::timetz AT TIME ZONE %s',
    'timestamp_to_tz': '%s::timestamp::timestamptz', 'date_to_tz': '%s::date::timestamptz',
    'make_date': 'make_date(%s::int, %s::int, %s::int)', 'make_time': 'make_time(%s::int, %s::int, %s::float8)',
    'make_timestamptz': 'make_timestamptz(%s::int, %s::int, %s::int, %s::int, %s::int, %s::float8, %s)',
    'make_interval': 'make_interval(%s::int, %s::int, %s::int, %s::int, %s::int, %s::int, %s::float8)',
    'to_timestamp_seconds': 'to_timestamp(%s::float8)',
    'interval_plus': '%s::interval + %s::interval', 'interval_multiply': '%s::interval * %s::float8',
    'interval_divide': '%s::interval / %s::float8', 'justify_hours': 'justify_hours(%s::interval)',
    'justify_days': 'justify_days(%s::interval)', 'justify_interval': 'justify_interval(%s::interval)',
    'interval_less': '%s::interval < %s::interval',
    'extract_date': "extract({0} from %s::date)", 'extract_time': "extract({0} from %s::time)",
    'extract_timetz': "extract({0} from %s::timetz)", 'extract_timestamp': "extract({0} from %s::timestamp)",
    'extract_timestamptz': "extract({0} from %s::timestamptz)", 'extract_interval': "extract({0} from %s::interval)",
    'part_timestamp': 'date_part(%s, %s::timestamp)', 'part_interval': 'date_part(%s, %s::interval)',
    'part_time': 'date_part(%s, %s::time)', 'part_timestamptz': 'date_part(%s, %s::timestamptz)',
    'part_timetz': 'date_part(%s, %s::timetz)',
    'trunc_timestamp': 'date_trunc(%s, %s::timestamp)', 'trunc_timestamptz': 'date_trunc(%s, %s::timestamptz)',
    'trunc_interval': 'date_trunc(%s, %s::interval)',
    'to_char_timestamp': 'to_char(%s::timestamp, %s)', 'to_char_timestamptz': 'to_char(%s::timestamptz, %s)',
    'to_char_interval': 'to_char(%s::interval, %s)', 'to_char_numeric': 'to_char(%s::numeric, %s)',
    'to_char_int4': 'to_char(%s::int4, %s)', 'to_char_int8': 'to_char(%s::int8, %s)',
    'to_char_float8': 'to_char(%s::float8, %s)', 'to_char_float4': 'to_char(%s::float4, %s)',
    'to_date': 'to_date(%s, %s)', 'to_timestamp': 'to_timestamp(%s, %s)', 'to_number': 'to_number(%s, %s)',
    'jsonb_contains': '%s::jsonb @> %s::jsonb', 'jsonb_exists': '%s::jsonb ? %s',
    'jsonb_concat': '%s::jsonb || %s::jsonb', 'jsonb_delete': '%s::jsonb - %s::text',
    'jsonb_delete_index': '%s::jsonb - %s::int', 'jsonb_delete_path': '%s::jsonb #- %s::text[]',
    'jsonb_set': 'jsonb_set(%s::jsonb, %s::text[], %s::jsonb, %s::bool)',
    'jsonb_insert': 'jsonb_insert(%s::jsonb, %s::text[], %s::jsonb, %s::bool)',
    'jsonb_strip_nulls': 'jsonb_strip_nulls(%s::jsonb)', 'jsonb_pretty': "replace(jsonb_pretty(%s::jsonb), chr(10), '\\n')",
    'jsonb_compare': '%s::jsonb < %s::jsonb', 'jsonb_get': '%s::jsonb -> %s::text',
    'jsonb_path': '%s::jsonb #> %s::text[]', 'jsonb_path_text': '%s::jsonb #>> %s::text[]',
    'json_get': '%s::json -> %s::text', 'json_get_text': '%s::json ->> %s::text', 'json_index': '%s::json -> %s::int',
    'json_path': '%s::json #> %s::text[]', 'json_strip_nulls': 'json_strip_nulls(%s::json)',
    'array_slice': "(%s::int[])[%s::int:%s::int]", 'array_cat': 'array_cat(%s::int[], %s::int[])',
    'array_append': 'array_append(%s::int[], %s::int)', 'array_prepend': 'array_prepend(%s::int, %s::int[])',
    'array_remove': 'array_remove(%s::int[], %s::int)', 'array_replace': 'array_replace(%s::int[], %s::int, %s::int)',
    'array_less': '%s::int[] < %s::int[]', 'array_contains': '%s::int[] @> %s::int[]',
    'array_overlap': '%s::int[] && %s::int[]',
    'path_query': "(SELECT string_agg(x::text, ' ; ') FROM jsonb_path_query(%s::jsonb, %s::jsonpath, '{{\"x\": 2, \"s\": \"abc\"}}') x)",
    'path_exists': "jsonb_path_exists(%s::jsonb, %s::jsonpath, '{{\"x\": 2}}')",
    'path_match': "jsonb_path_match(%s::jsonb, %s::jsonpath, '{{\"x\": 2}}')",
    'path_query_silent': "(SELECT string_agg(x::text, ' ; ') FROM jsonb_path_query(%s::jsonb, %s::jsonpath, '{{\"x\": 2}}', true) x)",
}
SEND = {'int4': 'int4send'}


def settings(cursor, args):
    cursor.execute("SET datestyle = '%s, %s'" % (args.get('datestyle', 'ISO'), args.get('order', 'MDY')))
    cursor.execute("SET intervalstyle = '%s'" % args.get('intervalstyle', 'postgres'))
    cursor.execute("SET timezone = '%s'" % args.get('timezone', 'UTC'))
    cursor.execute("SET extra_float_digits = %s" % args.get('float', '1'))
    cursor.execute("SET bytea_output = '%s'" % args.get('bytea', 'hex'))


def run(cursor, sql, params):
    try:
        cursor.execute(sql, params)
        value = cursor.fetchone()[0]
        return 'NULL' if value is None else value or "''"
    except psycopg2.Error as error:
        diag = error.diag
        line = 'ERROR %s: %s' % (diag.sqlstate, diag.message_primary)
        if diag.message_detail:
            line += ' DETAIL: ' + diag.message_detail.replace('\n', '\\n')
        if diag.message_hint:
            line += ' HINT: ' + diag.message_hint
        if diag.context and 'JSON data' in diag.context:
            line += ' CONTEXT: ' + diag.context
        return line


def argument(text):
    return None if text == 'NULL' else ('' if text == "''" else text)


def evaluate(cursor, name, args, line):
    if name == 'text':
        # An explicit cast would cut text; input functions refuse.
        limited = re.match(r'(varchar|char)\((\d+)\)(\[\])?$', args['type'])
        if limited:
            base, modifier = limited.group(1), int(limited.group(2)) + 4
            if limited.group(3):
                element = 1043 if base == 'varchar' else 1042
                return run(cursor, "SELECT format('%%%%s', array_in(%%s, %d, %d))" % (element, modifier), [argument(line)])
            function = 'varcharin' if base == 'varchar' else 'bpcharin'
            return run(cursor, "SELECT '<' || replace(format('%%%%s', %s(%%s, 0, %d)), ' ', '_') || '>'" % (function, modifier),
                       [argument(line)])
        return run(cursor, "SELECT format('%%%%s', %%s::%s)" % args['type'], [argument(line)])
    if name == 'binary':
        base = re.sub(r'\(.*', '', args['type'])
        array = base.endswith('[]')
        send = 'array' if array else base
        send = {'varchar': 'varchar', 'jsonb': 'jsonb', 'json': 'json', 'numeric': 'numeric', 'int2': 'int2', 'time': 'time',
                'timetz': 'timetz', 'uuid': 'uuid'}.get(send, send)
        suffix = '_send' if send in ('numeric', 'array', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'uuid',
                                     'json', 'jsonb') else 'send'
        return run(cursor, "SELECT encode(%s%s(%%s::%s), 'hex')" % (send, suffix, args['type']), [argument(line)])
    parts = [argument(part) for part in line.split(' | ')]
    expression = CALLS[args['f']].replace('{{', '{').replace('}}', '}') if '{{' in CALLS[args['f']] else CALLS[args['f']]
    if '{0}' in expression:
        expression = expression.replace('{0}', parts.pop(0))
    return run(cursor, 'SELECT (%s)::text' % expression, parts)


def regenerate(path, cursor):
    lines = open(path, encoding='utf-8').read().split('\n')
    out, i = [], 0
    while i < len(lines):
        line = lines[i]
        out.append(line)
        i += 1
        if not line or line.startswith('#'):
            continue
        name, *words = line.split()
        args = dict(word.split('=', 1) for word in words)
        inputs = []
        while i < len(lines) and lines[i] and lines[i] != '----':
            inputs.append(lines[i])
            i += 1
        while i < len(lines) and lines[i]:
            i += 1
        settings(cursor, args)
        print(path, name, args, file=sys.stderr) if '-v' in sys.argv else None
        out += inputs + ['----'] + [evaluate(cursor, name, args, text) for text in inputs]
    open(path, 'w', encoding='utf-8').write('\n'.join(out))


def main():
    connection = psycopg2.connect(sys.argv[1])
    connection.autocommit = True
    cursor = connection.cursor()
    for path in sys.argv[2:]:
        regenerate(path, cursor)


main()
