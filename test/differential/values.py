"""What the generated statements are about: types with interesting literals, tables with rows, names of functions.

Everything is plain data. Literals are SQL text without their cast; the generator decides how they are typed.
"""

INT2 = ["0", "1", "-1", "2", "7", "10", "100", "32767", "-32768"]
INT4 = ["0", "1", "-1", "2", "3", "5", "10", "42", "1000", "65536", "2147483647", "-2147483648"]
INT8 = ["0", "1", "-1", "3", "100", "4294967296", "9223372036854775807", "-9223372036854775808"]
NUMERIC = ["0", "1", "-1", "0.1", "1.5", "-2.50", "3.14159", "100", "0.0001", "99999.99", "12345678901234567890.123",
           "1e-10", "NaN", "Infinity", "-Infinity", "123456.789"]
FLOAT = ["0", "1", "-1", "0.5", "1.25", "-2.5", "1e10", "1e-5", "123.456", "NaN", "Infinity", "-Infinity", "-0"]
TEXT = ["", "a", "b", "abc", "ABC", "Hello World", "foo bar", " x ", "a,b,c", "10", "-5", "été", "日本", "a%b_c", "x''y",
        "aaa", "1.5", "true", "null", "tab\tx", "{1,2}", "2020-02-29"]
BYTEA = ["", "\\x00", "\\x616263", "\\xdeadbeef", "\\x00ff", "abc"]
DATE = ["2000-01-01", "2020-02-29", "1999-12-31", "1970-01-01", "0001-01-01", "2024-07-15", "infinity", "-infinity",
        "1582-10-15", "4713-01-01 BC", "2023-03-31"]
TIME = ["00:00:00", "12:34:56", "23:59:59.999999", "04:05:06.789", "24:00:00", "06:30"]
TIMESTAMP = ["2000-01-01 00:00:00", "2020-02-29 12:34:56.789", "1999-12-31 23:59:59.999999", "infinity", "-infinity",
             "1970-01-01 00:00:00", "2024-07-15 06:00:00", "0044-03-15 10:00:00 BC", "2023-10-31 08:15:00"]
TIMESTAMPTZ = [value if "infinity" in value or "BC" in value else value + zone
               for value, zone in zip(TIMESTAMP, ["+00", "+02", "-05:30", "", "", "+00", "", "", "+14"])]
INTERVAL = ["1 day", "1 month", "-1 year", "3 hours 4 minutes", "1 day -2 hours", "1.5 days", "0", "P1Y2M3DT4H5M6S",
            "100 years", "00:00:01.5", "-25:00:00", "2 weeks", "1 mon 30 days 24:00:00"]
UUID = ["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "ffffffff-ffff-ffff-ffff-ffffffffffff", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12}"]
JSON = ['1', '"a"', 'null', 'true', '[1,2,3]', '{"a":1,"b":[2,3],"c":{"d":null}}', '[]', '{}', '[{"a":1},{"a":2}]',
        '{"a":"x","a":"y"}', '1.50', '"\\u00e9"', '[1,"a",null,true,{"k":"v"}]']
OID = ["0", "1", "25", "16384", "4294967295"]
NAME = ["a", "abc", "pg_class", "Some Name", "été"]

LITERALS = {
    "bool": ["true", "false"], "int2": INT2, "int4": INT4, "int8": INT8, "numeric": NUMERIC, "float4": FLOAT,
    "float8": FLOAT, "text": TEXT, "varchar": TEXT, "bpchar": TEXT, "bytea": BYTEA, "date": DATE, "time": TIME,
    "timestamp": TIMESTAMP, "timestamptz": TIMESTAMPTZ, "interval": INTERVAL, "uuid": UUID, "json": JSON, "jsonb": JSON,
    "oid": OID, "name": NAME,
    "int4[]": ["{}", "{1,2,3}", "{NULL,5}", "{{1,2},{3,4}}", "[0:1]={7,8}"],
    "int8[]": ["{}", "{1,9223372036854775807}", "{4,4,NULL}"],
    "text[]": ["{}", "{a,b,c}", '{"x y",NULL,""}', "{{a},{b}}"],
    "numeric[]": ["{}", "{1.5,2.50}", "{NaN,0}"],
    "bool[]": ["{}", "{t,f,NULL}"],
    "float8[]": ["{0.5,-1.25}", "{}"],
    "date[]": ["{2020-02-29,infinity}", "{}"],
    "timestamp[]": ['{"2020-02-29 12:00:00"}'],
    "uuid[]": ["{00000000-0000-0000-0000-000000000000}"],
    "jsonb[]": ['{1,"{\\"a\\":2}"}'],
}
# Texts that no type may accept, or that only some do.
ODD = ["", " ", "abc", "1", "-1", "1.5", "1e3", "99999999999999999999", "t", "yes", "of", "2020-13-01", "2020-02-30",
       "25:00:00", "24:00:01", "now there", "{", "{1", "{1,}", "[", '{"a"}', "\\x0", "\\xzz", "nan", "-inf", "1 fortnight",
       "P1Y", "2020-01-01T00:00:00Z", "20200101", "Jan 5 2021", "12:00 PM", "0x10", "1_000", " 12 ", "+7", "2147483648",
       "32768", "1e400", "1e-400", "{{1},{2,3}}", "a0eebc99", "tomorrow", "epoch", "allballs", "2021-W05", "J2451187",
       "5 days ago", "1:2:3:4", "04:05 America/New_York", "12/31/1999", "1999.250", "--5", "5 5"]

NUMBERS = ["int2", "int4", "int8", "numeric", "float4", "float8"]
STRINGS = ["text", "varchar", "bpchar", "name"]
TIMES = ["date", "time", "timestamp", "timestamptz", "interval"]
ARRAYS = [name for name in LITERALS if name.endswith("[]")]
SCALARS = [name for name in LITERALS if not name.endswith("[]")]
# Types that have an order; json has not even equality.
ORDERED = [name for name in LITERALS if name not in ("json",)]
# Equal values of these can look different, so DISTINCT and grouping may show either.
LOOSE = {"numeric", "float4", "float8", "interval", "jsonb", "numeric[]", "float8[]", "jsonb[]", "bpchar"}

# Functions of PostgreSQL 15's documentation, sections 9.1 to 9.5, 9.7 to 9.9, 9.14, 9.16 to 9.19, 9.21, 9.23 to 9.26.
FUNCTIONS = """
abs cbrt ceil ceiling degrees div exp factorial floor gcd lcm ln log log10 min_scale mod pi power radians round scale
sign sqrt trim_scale trunc width_bucket acos acosd asin asind atan atand atan2 atan2d cos cosd cot cotd sin sind tan
tand sinh cosh tanh asinh acosh atanh
bit_length char_length character_length lower octet_length upper ascii btrim chr concat concat_ws initcap left
length lpad ltrim md5 parse_ident quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like
regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace
reverse right rpad rtrim split_part starts_with string_to_array strpos substr substring to_hex translate unistr
position overlay normalize is_normalized
bit_count get_bit get_byte set_bit set_byte sha224 sha256 sha384 sha512 encode decode convert_from convert_to
to_char to_date to_number to_timestamp
age date_bin date_part date_trunc extract isfinite justify_days justify_hours justify_interval make_date
make_interval make_time make_timestamp overlaps timezone
num_nonnulls num_nulls
to_json to_jsonb array_to_json row_to_json json_build_array jsonb_build_array json_build_object jsonb_build_object
json_object jsonb_object json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text
json_array_length jsonb_array_length json_extract_path jsonb_extract_path json_extract_path_text
jsonb_extract_path_text json_object_keys jsonb_object_keys json_strip_nulls jsonb_strip_nulls jsonb_set jsonb_set_lax
jsonb_insert jsonb_pretty json_typeof jsonb_typeof jsonb_path_exists jsonb_path_match jsonb_path_query_array
jsonb_path_query_first
array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
array_prepend array_remove array_replace array_to_string array_upper cardinality trim_array unnest
generate_series generate_subscripts
format_type pg_typeof pg_size_pretty
""".split()
AGGREGATES = """
count sum avg min max bool_and bool_or every bit_and bit_or bit_xor stddev stddev_pop stddev_samp variance var_pop
var_samp corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
regr_syy
""".split()
# Their result depends on the order of the rows.
ORDERED_AGGREGATES = "array_agg string_agg json_agg jsonb_agg".split()

# Strings for arguments that mean something special, by the function's name and argument number.
REGEXES = ["a", "b+", "[a-c]", "^a", "c$", ".", "(a)(b)", "o*", "\\d+", "\\s", "x|y", "[[:alpha:]]+", "a{2}", "(?i)abc", "("]
FIELDS = ["year", "month", "day", "hour", "minute", "second", "quarter", "week", "dow", "doy", "isodow", "isoyear",
          "epoch", "century", "decade", "millennium", "microseconds", "milliseconds", "julian", "nonsense"]
FORMATS = ["YYYY-MM-DD", "HH24:MI:SS", "Day DD Mon YYYY", "YYYYMMDD", "IYYY-IW", "Q", "J", "AM HH12", "MS US",
           "FMMonth DDth", "YY", "999", "999.99", "FM0999.00", "S999", "9,999", "RN", "9.99EEEE", "L99", "PR", "MI999", "V99",
           "TMMonth", "CC", "D ID", "SSSS"]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "+02", "Asia/Kolkata", "EST", "Nowhere/City"]
ENCODINGS = ["hex", "base64", "escape", "UTF8", "LATIN1", "none"]
PATHS = ["$", "$.a", "$[*]", "$.b[0]", "$.** ? (@ > 1)", "strict $.a", "$[1 to 2]", "$.c.d", "$.a == 1", "$.size()", "$["]

# (table, definition, columns, key columns)
TABLES = [
    ("t_num", "id int PRIMARY KEY, a int2, b int4, c int8, d numeric, e numeric(10,2), f float4, g float8, h bool, i oid",
     ["int4", "int2", "int4", "int8", "numeric", "numeric", "float4", "float8", "bool", "oid"]),
    ("t_txt", "id int PRIMARY KEY, a text, b varchar(12), c char(6), d bytea, e name, f uuid",
     ["int4", "text", "varchar", "bpchar", "bytea", "name", "uuid"]),
    ("t_time", "id int PRIMARY KEY, a date, b time, c timestamp, d timestamptz, e interval",
     ["int4", "date", "time", "timestamp", "timestamptz", "interval"]),
    ("t_json", "id int PRIMARY KEY, a json, b jsonb, c int4[], d text[], e numeric[]",
     ["int4", "json", "jsonb", "int4[]", "text[]", "numeric[]"]),
    ("j_a", "id int PRIMARY KEY, a int4, b int4, c text", ["int4", "int4", "int4", "text"]),
    ("j_b", "id int PRIMARY KEY, a int4, b int8, c varchar(4)", ["int4", "int4", "int8", "varchar"]),
    ("j_c", "id int PRIMARY KEY, a int2, b numeric, c text", ["int4", "int2", "numeric", "text"]),
    ("j_empty", "id int PRIMARY KEY, a int4, b text", ["int4", "int4", "text"]),
]
INDEXES = ["CREATE INDEX ON j_a (a)", "CREATE INDEX ON j_b (a, b)", "CREATE INDEX ON j_c (c DESC)",
           "CREATE UNIQUE INDEX ON t_num (id, b)", "CREATE INDEX ON t_time (c)", "CREATE INDEX ON j_a (c) WHERE b > 1"]
SMALL = {"int2": ["0", "1", "2", "3"], "int4": ["0", "1", "2", "3", "5"], "int8": ["0", "1", "2", "3"],
         "numeric": ["0", "1", "2.0", "2.5"], "text": ["a", "b", "c", "abc"], "varchar": ["a", "b", "c", "abc"]}

# Tables that statements change; made anew for each seed.
CHANGED = [
    ("d_parent", "k int PRIMARY KEY, v int NOT NULL DEFAULT 7, s varchar(5) CHECK (s <> 'bad'), n numeric(6,2)",
     ["int4", "int4", "varchar", "numeric"]),
    ("d_child", "id serial PRIMARY KEY, k int REFERENCES d_parent ON DELETE CASCADE ON UPDATE CASCADE, u int UNIQUE, "
     "t text DEFAULT 'x', g int GENERATED ALWAYS AS (u * 2) STORED", ["int4", "int4", "int4", "text", "int4"]),
    ("d_free", "a int, b text, c timestamp, d jsonb, e int[], UNIQUE (a, b)",
     ["int4", "text", "timestamp", "jsonb", "int4[]"]),
]
COLUMN_NAMES = {"d_parent": ["k", "v", "s", "n"], "d_child": ["id", "k", "u", "t", "g"],
                "d_free": ["a", "b", "c", "d", "e"]}
