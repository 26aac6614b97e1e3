"""Generates statements from a seed: typed expressions over PostgreSQL's own signatures, queries, changes, and mistakes.

    catalog = Catalog(connection)            # a real PostgreSQL's signatures
    for statement in Generator(catalog, seed=7).statements(count=200): ...

A statement says how its answers compare: `ordered` rows come in one order only; `loose` values may be shown as any of their
equals (1.0 and 1.00); `floats` depend on the order of summation; `racy` statements may meet an error that evaluating in
another order avoids.
"""
import dataclasses
import random

import values


@dataclasses.dataclass
class Statement:
    sql: str
    ordered: bool = False
    loose: bool = False
    floats: bool = False
    racy: bool = False
    changes: bool = False
    damaged: bool = False


class Catalog:
    """Functions, operators and casts over the types that the statements are about."""

    def __init__(self, connection):
        names = {name: ("_" + name[:-2] if name.endswith("[]") else name) for name in values.LITERALS}
        quoted = ",".join(f"'{name}'" for name in names.values())
        rows = connection.run(f"SELECT oid, typname FROM pg_type WHERE typname IN ({quoted}) AND typnamespace = 11").rows
        by_name = {typname: oid for oid, typname in rows}
        self.types = {by_name[typname]: name for name, typname in names.items()}
        self.pseudo = dict(connection.run(
            "SELECT oid, typname FROM pg_type WHERE typname IN ('anyelement','anyarray','anynonarray','any','anycompatible',"
            "'anycompatiblearray','anycompatiblenonarray','jsonpath','record')").rows)
        self.functions = self._signatures(connection, "f", values.FUNCTIONS)
        self.aggregates = self._signatures(connection, "a", values.AGGREGATES)
        self.operators = {}
        for name, left, right, result in connection.run(
                "SELECT oprname, oprleft, oprright, oprresult FROM pg_operator WHERE oprcode <> 0 ORDER BY oid").rows:
            # Text search is another subject.
            if name in ("@@", "@@@") and self.types.get(left) == "text":
                continue
            if result in self.types and right in self.types and (left == "0" or left in self.types):
                self.operators.setdefault(self.types[result], []).append(
                    (name, self.types.get(left), self.types[right]))
        self.casts = {}
        for source, target in connection.run("SELECT castsource, casttarget FROM pg_cast ORDER BY oid").rows:
            if source in self.types and target in self.types and source != target:
                self.casts.setdefault(self.types[target], []).append(self.types[source])

    def _signatures(self, connection, kind, names):
        quoted = ",".join(f"'{name}'" for name in names)
        found = {}
        for name, arguments, result, returns_set, variadic in connection.run(
                f"SELECT proname, proargtypes::text, prorettype, proretset, provariadic FROM pg_proc WHERE prokind = '{kind}' "
                f"AND pronamespace = 11 AND proname IN ({quoted}) ORDER BY oid").rows:
            types = [self._known(oid) for oid in arguments.split()]
            result_type = self._known(result)
            if None in types or result_type is None:
                continue
            found.setdefault(result_type, []).append((name, types, returns_set == "t", variadic != "0"))
        return found

    def _known(self, oid):
        return self.types.get(oid) or self.pseudo.get(oid)


class Source:
    """A row source in scope: its alias and columns by type."""

    def __init__(self, alias, columns, key=None):
        self.alias = alias
        self.columns = columns  # (name, type)
        self.key = key


class Generator:
    def __init__(self, catalog, seed):
        self.catalog = catalog
        self.random = random.Random(seed)
        self.aliases = 0
        self.flags = Statement("")
        # Queries are for what happens between rows: their expressions seldom fail.
        self.calm = False

    # --- choices ---
    def pick(self, items):
        return self.random.choice(items)

    def chance(self, share):
        return self.random.random() < share

    def any_type(self):
        return self.pick(values.SCALARS if self.chance(0.85) else values.ARRAYS)

    def alias(self):
        self.aliases += 1
        return f"s{self.aliases}"

    # --- statements ---
    def statements(self, count):
        kinds = [(self.plain, 34), (self.select, 34), (self.mistake, 8), (self.conversion, 9), (self.change, 13),
                 (self.session, 2)]
        makers = [maker for maker, _ in kinds]
        weights = [weight for _, weight in kinds]
        for _ in range(count):
            self.aliases = 0
            self.flags = Statement("")
            self.calm = False
            maker = self.random.choices(makers, weights)[0]
            self.flags.sql = maker()
            yield self.flags

    def plain(self):
        """Expressions over at most one table: every row is computed, so errors are certain."""
        source = self.table() if self.chance(0.4) else None
        scope = [source] if source else []
        items = [self.expr(self.any_type(), scope, self.random.randint(1, 3)) for _ in range(self.random.randint(1, 3))]
        sql = "SELECT " + ", ".join(items)
        if source:
            sql += f" FROM {source.sql}"
            # Each row is computed in some order; with several errors, which comes first is the same only in order.
            self.flags.racy = True
            if self.chance(0.3):
                sql += " WHERE " + self.expr("bool", scope, 2)
        elif len(items) > 1:
            self.flags.racy = True
        return sql

    def conversion(self):
        """A text becomes a value, or does not."""
        name = self.any_type()
        text = self.pick(values.ODD) if self.chance(0.6) else self.pick(values.LITERALS[name])
        if self.chance(0.3):
            text = self.mutate_text(text)
        text = text.replace("'", "''")
        modifier = ""
        if self.chance(0.3):
            modifier = {"numeric": "numeric(6,2)", "varchar": "varchar(3)", "bpchar": "char(3)", "time": "time(2)",
                        "timestamp": "timestamp(0)", "timestamptz": "timestamptz(3)",
                        "interval": self.pick(["interval(2)", "interval day to second", "interval year", "interval hour"]),
                        }.get(name, "")
        return f"SELECT '{text}'::{modifier or name}"

    def mutate_text(self, text):
        text = list(text)
        for _ in range(self.random.randint(1, 2)):
            at = self.random.randint(0, len(text))
            if text and self.chance(0.5):
                del text[min(at, len(text) - 1)]
            else:
                text.insert(at, self.pick("0123456789 :-+.,{}[]\"eT/\\ax"))
        return "".join(text)

    def session(self):
        return self.pick([
            "SET DateStyle = 'ISO, MDY'", "SET IntervalStyle = 'postgres'", "SHOW datestyle", "SET extra_float_digits = 1",
            "SET bytea_output = 'hex'", "VALUES (1,'a'),(2,NULL)", "TABLE j_a", "SELECT", "SELECT 1 LIMIT 0",
            "SELECT NULL", "SELECT 'x'", "SHOW server_encoding", "SELECT current_schema()", "SELECT current_user::text"])

    # --- expressions ---
    def literal(self, name):
        if self.chance(0.06):
            return f"NULL::{name}"
        pool = values.SMALL.get(name, values.LITERALS[name]) if self.chance(0.3) else values.LITERALS[name]
        text = self.pick(pool)
        if name == "bool":
            return text
        if name in ("int4", "int8", "numeric") and self.chance(0.5) and text.lstrip("-").replace(".", "").isdigit():
            return f"({text})" if text.startswith("-") else text
        # Only the scope's backslashes are plain: standard_conforming_strings is on.
        quoted = "'" + text.replace("'", "''") + "'"
        return quoted if name in ("text",) and self.chance(0.3) else f"{quoted}::{name}"

    def column(self, name, scope):
        found = [f"{source.alias}.{column}" for source in scope for column, kind in source.columns if kind == name]
        return self.pick(found) if found else None

    def expr(self, name, scope, depth):
        if depth <= 0 or self.chance(0.35 if self.calm else 0.08):
            return (self.column(name, scope) if self.chance(0.75) else None) or self.literal(name)
        makers = [self.function, self.function, self.operator, self.operator, self.conditional, self.cast]
        if name == "bool":
            makers += [self.predicate, self.predicate]
        if name.endswith("[]"):
            makers += [self.array]
        for _ in range(4):
            made = self.pick(makers)(name, scope, depth - 1)
            if made:
                return made
        return (self.column(name, scope) if self.chance(0.75) else None) or self.literal(name)

    def operator(self, name, scope, depth):
        candidates = self.catalog.operators.get(name)
        if not candidates:
            return None
        op, left, right = self.pick(candidates)
        if left and op in ("~", "!~", "~*", "!~*"):
            return f"({self.expr(left, scope, depth)} {op} '{self.pick(values.REGEXES)}')"
        if op == "^":
            return f"({self.small_number(left, scope)} ^ {self.small_number(right, scope)})"
        if left is None:
            return f"({op} {self.expr(right, scope, depth)})"
        return f"({self.expr(left, scope, depth)} {op} {self.expr(right, scope, depth)})"

    def small_number(self, name, scope):
        return f"({self.pick(['0', '1', '2', '-1', '3', '0.5', '10', '-2.5'])})::{name}"

    def conditional(self, name, scope, depth):
        kind = self.random.randrange(5)
        if kind == 0:
            return (f"CASE WHEN {self.expr('bool', scope, depth)} THEN {self.expr(name, scope, depth)} "
                    f"ELSE {self.expr(name, scope, depth)} END")
        if kind == 1:
            return f"COALESCE({self.expr(name, scope, depth)}, {self.expr(name, scope, depth)})"
        if kind == 2 and name != "json":
            return f"NULLIF({self.expr(name, scope, depth)}, {self.expr(name, scope, depth)})"
        if kind == 3 and name not in ("json",):
            return f"{self.pick(['GREATEST', 'LEAST'])}({self.expr(name, scope, depth)}, {self.expr(name, scope, depth)})"
        operand = self.pick(["int4", "text", "date"])
        return (f"CASE {self.expr(operand, scope, depth)} WHEN {self.literal(operand)} THEN {self.expr(name, scope, depth)} "
                f"END")

    def cast(self, name, scope, depth):
        sources = self.catalog.casts.get(name)
        if name in values.STRINGS and (not sources or self.chance(0.25)):
            source = self.any_type()
        elif self.calm:
            calm = [kind for kind in sources or [] if kind not in ("jsonb", "text", "varchar", "bpchar")]
            if not calm:
                return None
            source = self.pick(calm)
        elif not sources or self.chance(0.25):
            source = "text"
        else:
            source = self.pick(sources)
        inner = self.expr(source, scope, depth)
        return f"CAST({inner} AS {name})" if self.chance(0.4) else f"({inner})::{name}"

    def array(self, name, scope, depth):
        element = name[:-2]
        items = ", ".join(self.expr(element, scope, depth) for _ in range(self.random.randint(1, 3)))
        return f"ARRAY[{items}]"

    def predicate(self, _, scope, depth):
        kind = self.random.randrange(9)
        name = self.pick(values.ORDERED)
        left = self.expr(name, scope, depth)
        if kind == 0:
            return f"({left} IS {self.pick(['', 'NOT '])}NULL)"
        if kind == 1:
            items = ", ".join(self.literal(name) for _ in range(self.random.randint(1, 4)))
            return f"({left} {self.pick(['', 'NOT '])}IN ({items}))"
        if kind == 2:
            return (f"({left} {self.pick(['', 'NOT '])}BETWEEN {self.pick(['', 'SYMMETRIC '])}{self.expr(name, scope, 0)} "
                    f"AND {self.expr(name, scope, 0)})")
        if kind == 3:
            return f"({left} IS {self.pick(['', 'NOT '])}DISTINCT FROM {self.expr(name, scope, depth)})"
        if kind == 4:
            pattern = self.pick(["a%", "%b%", "_", "%", "a_c", "10", "\\%", ""])
            return f"({self.expr('text', scope, depth)} {self.pick(['LIKE', 'ILIKE', 'NOT LIKE'])} '{pattern}')"
        if kind == 5:
            return (f"({self.expr('bool', scope, depth)} {self.pick(['AND', 'OR'])} {self.expr('bool', scope, depth)})")
        if kind == 6:
            return f"(NOT {self.expr('bool', scope, depth)})"
        if kind == 7:
            return f"({self.expr('bool', scope, depth)} IS {self.pick(['TRUE', 'NOT TRUE', 'FALSE', 'UNKNOWN'])})"
        arrays = [array for array in values.ARRAYS if array[:-2] == name]
        if arrays:
            op = self.pick(["=", "<>", "<", ">="])
            return f"({left} {op} {self.pick(['ANY', 'ALL'])} ({self.expr(arrays[0], scope, depth)}))"
        return f"({left} {self.pick(['=', '<>', '<', '<=', '>', '>='])} {self.expr(name, scope, depth)})"

    # --- functions ---
    def function(self, name, scope, depth):
        exact = self.catalog.functions.get(name, [])
        generic = self.catalog.functions.get("anyelement", []) if not name.endswith("[]") else []
        arrays = (self.catalog.functions.get("anyarray", []) + self.catalog.functions.get("anycompatiblearray", [])
                  if name.endswith("[]") else [])
        candidates = exact + generic + arrays
        if not candidates:
            return None
        function, types, returns_set, variadic = self.pick(candidates)
        if returns_set:
            return None
        special = self.special(function, types, scope, depth)
        if special:
            return special
        element = name[:-2] if name.endswith("[]") else None
        if element is None:
            element = name if name + "[]" in values.LITERALS else self.pick([a[:-2] for a in values.ARRAYS])
        arguments = []
        for position, kind in enumerate(types):
            if variadic and position == len(types) - 1:
                arguments += [self.argument(function, position, self.variadic_type(kind, element), scope, depth, element)
                              for _ in range(self.random.randint(1, 3))]
            else:
                arguments.append(self.argument(function, position, kind, scope, depth, element))
        return f"{function}({', '.join(arguments)})"

    def variadic_type(self, kind, element):
        if kind.endswith("[]"):
            return kind[:-2]
        return element if kind in ("anyarray", "anycompatiblearray") else self.any_type()

    def argument(self, function, position, kind, scope, depth, element):
        if kind in ("anyelement", "anycompatible", "anynonarray", "anycompatiblenonarray"):
            return self.expr(element, scope, depth)
        if kind in ("anyarray", "anycompatiblearray"):
            return self.expr(element + "[]", scope, depth)
        if kind in ("any", "record"):
            return self.expr(self.any_type(), scope, depth)
        if kind == "jsonpath":
            return f"'{self.pick(values.PATHS)}'"
        text = kind == "text"
        if text and function.startswith("regexp") and position == 1:
            return f"'{self.pick(values.REGEXES)}'"
        if text and function.startswith("regexp") and position >= 2 and kind == "text":
            return "'" + self.pick(["g", "i", "x", "", "gi", "X", "\\1", "z"]) + "'"
        if text and function in ("date_part", "date_trunc", "extract") and position == 0:
            return f"'{self.pick(values.FIELDS)}'"
        if text and function.startswith("to_") and position == 1:
            return f"'{self.pick(values.FORMATS)}'"
        if text and function == "timezone" and position == 0:
            return f"'{self.pick(values.ZONES)}'"
        if text and function == "date_trunc" and position == 2:
            return f"'{self.pick(values.ZONES)}'"
        if text and function in ("encode", "decode", "convert_from", "convert_to"):
            return f"'{self.pick(values.ENCODINGS)}'" if position == 1 else self.expr(kind, scope, depth)
        if text and function in ("normalize", "is_normalized") and position == 1:
            return f"'{self.pick(['NFC', 'NFD', 'NFKC', 'nfx'])}'"
        return self.expr(kind, scope, depth)

    def special(self, function, types, scope, depth):
        """Functions whose arguments decide how much work or memory a call takes."""
        small = lambda: self.pick(["0", "1", "2", "5", "-1", "12"])
        if function in ("repeat", "lpad", "rpad", "left", "right"):
            rest = f", {self.expr('text', scope, depth)}" if len(types) > 2 else ""
            return f"{function}({self.expr('text', scope, depth)}, {small()}{rest})"
        if function == "factorial":
            return f"factorial({small()})"
        if function == "chr":
            return f"chr({self.pick(['65', '97', '233', '20320', '0', '-1', '1114112'])})"
        if function in ("power", "exp", "round", "trunc", "log"):
            return f"{function}({', '.join(self.small_number(kind, scope) for kind in types)})"
        if function == "extract":
            return f"extract({self.pick(values.FIELDS)} FROM {self.expr(types[1], scope, depth)})"
        if function in ("position", "overlay", "trim"):
            return None
        if function == "age":
            # Infinity less something is whatever the bits give.
            return f"age('{self.pick(values.TIMESTAMP[:3])}'::{types[0]}, '{self.pick(values.TIMESTAMP[5:7])}'::{types[-1]})" \
                if len(types) == 2 else None
        if function == "length" and "name" in types:
            return f"length({self.expr('bytea', scope, depth)}, '{self.pick(values.ENCODINGS)}')"
        if function == "array_fill":
            return f"array_fill({self.expr('int4', scope, 0)}, ARRAY[{small()}])"
        if function in ("make_interval", "format_type", "overlaps", "pg_typeof"):
            return "make_interval(days => 10, secs => 1.5)" if function == "make_interval" else None
        return None

    # --- row sources ---
    def table(self, join=False):
        name, definition, kinds = self.pick(values.TABLES[4:] if join else values.TABLES)
        columns = ["id"] + [part.split()[0] for part in definition.split(", ")[1:] if part.split()[0] in "abcdefghi"]
        alias = self.alias()
        source = Source(alias, list(zip(columns, kinds)), key=f"{alias}.id")
        source.sql = f"{name} AS {alias}"
        return source

    def derived(self, outer, depth):
        items = []
        columns = []
        inner, where, _ = self.from_clause(outer if self.chance(0.1) and False else [], depth - 1)
        for position in range(self.random.randint(1, 3)):
            kind = self.pick(["int4", "text", "numeric", "int8", "bool", "date"])
            items.append(f"{self.expr(kind, inner, 1)} AS c{position}")
            columns.append((f"c{position}", kind))
        alias = self.alias()
        tail = where
        shape = self.random.randrange(4)
        distinct = ""
        if shape == 0:
            distinct = "DISTINCT "
            self.flags.loose = True
        source = Source(alias, columns)
        source.sql = f"(SELECT {distinct}{', '.join(items)} {tail}) AS {alias}"
        return source

    def values_source(self):
        alias = self.alias()
        kinds = [self.pick(["int4", "text", "numeric"]) for _ in range(self.random.randint(1, 2))]
        rows = ", ".join("(" + ", ".join(self.literal(kind) for kind in kinds) + ")" for _ in range(self.random.randint(1, 4)))
        # The first row fixes the type of untyped literals.
        names = [f"v{i}" for i in range(len(kinds))]
        casts = ", ".join(f"{name}::{kind} AS {name}" for name, kind in zip(names, kinds))
        source = Source(alias, list(zip(names, kinds)))
        source.sql = f"(SELECT {casts} FROM (VALUES {rows}) AS raw({', '.join(names)})) AS {alias}"
        return source

    def series(self):
        alias = self.alias()
        first, last, step = self.pick([("1", "5", ""), ("3", "1", ", -1"), ("0", "10", ", 4"), ("1", "0", "")])
        source = Source(alias, [("n", "int4")], key=f"{alias}.n")
        source.sql = f"generate_series({first}, {last}{step}) AS {alias}(n)"
        return source

    def function_source(self):
        alias = self.alias()
        document = lambda name: self.pick(['[1,2,3]', '[{"a":1},"x",null]', '[]']) if name == "array" else \
            self.pick(['{"a":1,"b":[2,3]}', '{}', '{"k":"v","n":null,"a":1.50}'])
        call, columns = self.pick([
            (f"unnest({self.literal(self.pick(['int4[]', 'text[]']))})", None),
            (f"json_each('{document('object')}')", [("key", "text"), ("value", "json")]),
            (f"jsonb_each('{document('object')}')", [("key", "text"), ("value", "jsonb")]),
            (f"json_each_text('{document('object')}')", [("key", "text"), ("value", "text")]),
            (f"jsonb_each_text('{document('object')}')", [("key", "text"), ("value", "text")]),
            (f"jsonb_array_elements('{document('array')}')", [("value", "jsonb")]),
            (f"json_array_elements_text('{document('array')}')", [("value", "text")]),
            (f"jsonb_object_keys('{document('object')}')", [("jsonb_object_keys", "text")]),
            (f"jsonb_path_query('{document('array')}', '{self.pick(values.PATHS)}')", [("jsonb_path_query", "jsonb")]),
            (f"string_to_table('{self.pick(['a,b,,c', '', 'x'])}', ',', '{self.pick(['', 'x'])}')", [("string_to_table", "text")]),
            (f"regexp_matches('{self.pick(['foobar', 'aXbXc', ''])}', '{self.pick(values.REGEXES)}', '{self.pick(['g', '', 'gi'])}')",
             [("regexp_matches", "text[]")]),
            (f"regexp_split_to_table('{self.pick(['foo bar', 'a1b22c'])}', '{self.pick(values.REGEXES)}')",
             [("regexp_split_to_table", "text")]),
            (f"generate_series(timestamp '2020-01-30', '2020-03-02', interval '{self.pick(['1 month', '10 days', '-1 day'])}')",
             [("generate_series", "timestamp")]),
            (f"generate_series({self.pick(['1.5', '0', '3'])}::numeric, {self.pick(['4', '2.0'])}, {self.pick(['0.5', '1', '-1'])})",
             [("generate_series", "numeric")]),
            ("generate_subscripts('[2:4]={1,2,3}'::int[], 1)", [("generate_subscripts", "int4")]),
        ])
        if columns is None:
            columns = [("unnest", "text" if "text[]" in call else "int4")]
        names = [f"f{position}" for position in range(len(columns))]
        kinds = [kind for _, kind in columns]
        ordinality = ""
        if self.chance(0.3):
            ordinality = " WITH ORDINALITY"
            names.append("ord")
            kinds.append("int8")
        source = Source(alias, list(zip(names, kinds)))
        source.sql = f"{call}{ordinality} AS {alias}({', '.join(names)})"
        return source

    def item(self, outer, depth):
        kind = self.random.random()
        if depth > 0 and kind < 0.15:
            return self.derived(outer, depth)
        if kind < 0.22:
            return self.values_source()
        if kind < 0.3:
            return self.series() if self.chance(0.5) else self.function_source()
        return self.table(join=kind < 0.8)

    def condition(self, left, right):
        pairs = [(f"{a.alias}.{x}", f"{b.alias}.{y}") for a in left for x, kx in a.columns for b in right
                 for y, ky in b.columns
                 if kx == ky or (kx in values.NUMBERS[:4] and ky in values.NUMBERS[:4])
                 or (kx in values.STRINGS[:2] and ky in values.STRINGS[:2])]
        pairs = [pair for pair in pairs if "json" not in pair]
        scope = left + right
        if not pairs or self.chance(0.1):
            return self.expr("bool", scope, 1)
        a, b = self.pick(pairs)
        op = self.pick(["=", "=", "=", "=", "<", ">=", "<>", "IS NOT DISTINCT FROM"])
        json_columns = {f"{s.alias}.{c}" for s in scope for c, k in s.columns if k == "json"}
        if a in json_columns or b in json_columns:
            return "true"
        text = f"{a} {op} {b}"
        if self.chance(0.25):
            text += f" AND {self.expr('bool', scope, 1)}"
        return text

    def from_clause(self, outer, depth):
        """The sources, the FROM and WHERE text, and whether the order of all rows is known by keys."""
        sources = [self.item(outer, depth)]
        text = sources[0].sql
        for _ in range(self.random.choices([0, 1, 2, 3], [40, 35, 18, 7])[0]):
            if self.chance(0.12):
                lateral = self.lateral(sources)
                text += f" {self.pick(['CROSS', 'CROSS'])} JOIN {lateral.sql}"
                sources.append(lateral)
                continue
            right = self.item(outer, depth)
            kind = self.pick(["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"])
            if kind == "FULL JOIN":
                # Only conditions that can be hashed or merged.
                pairs = [(f"{a.alias}.{x}", f"{right.alias}.{y}") for a in sources for x, kx in a.columns
                         for y, ky in right.columns if kx == ky and kx != "json"]
                on = " = ".join(self.pick(pairs)) if pairs else None
                if on is None:
                    kind = "LEFT JOIN"
            if kind == "CROSS JOIN":
                text += f" CROSS JOIN {right.sql}"
            else:
                on = on if kind == "FULL JOIN" else self.condition(sources, [right])
                text += f" {kind} {right.sql} ON {on}"
            sources.append(right)
        where = ""
        if self.chance(0.55):
            where = " WHERE " + self.where(sources + outer, depth)
        keys = [source.key for source in sources]
        return sources, f"FROM {text}{where}", keys

    def lateral(self, sources):
        alias = self.alias()
        inner = self.table(join=True)
        source = Source(alias, [("n", "int8"), ("m", "int4")])
        source.sql = (f"LATERAL (SELECT count(*) AS n, max({inner.alias}.id) AS m FROM {inner.sql} "
                      f"WHERE {self.condition(sources, [inner])}) AS {alias}")
        return source

    def where(self, scope, depth):
        parts = []
        for _ in range(self.random.randint(1, 2)):
            if depth > 0 and self.chance(0.4):
                parts.append(self.subquery_predicate(scope, depth - 1))
            else:
                parts.append(self.expr("bool", scope, 2))
        return f" {self.pick(['AND', 'OR', 'AND'])} ".join(parts)

    def subquery_predicate(self, scope, depth):
        inner = self.table(join=True)
        correlated = self.condition(scope, [inner]) if self.chance(0.6) else self.expr("bool", [inner], 1)
        kind = self.random.randrange(5)
        column, name = self.pick([c for c in inner.columns if c[1] != "json"])
        target = f"{inner.alias}.{column}"
        body = f"FROM {inner.sql} WHERE {correlated}"
        if kind == 0:
            return f"{self.pick(['', 'NOT '])}EXISTS (SELECT 1 {body})"
        if kind == 1:
            return f"{self.expr(name, scope, 1)} {self.pick(['', 'NOT '])}IN (SELECT {target} {body})"
        if kind == 2:
            op = self.pick(["=", "<", ">=", "<>"])
            return f"{self.expr(name, scope, 1)} {op} {self.pick(['ANY', 'ALL'])} (SELECT {target} {body})"
        if kind == 3:
            aggregate = self.pick(["max", "min"]) if name not in ("bool", "uuid", "bytea") else "count"
            op = self.pick(["=", "<", ">="])
            name = "int8" if aggregate == "count" else name
            return f"{self.expr(name, scope, 1)} {op} (SELECT {aggregate}({target}) {body})"
        return f"(SELECT count(*) {body}) {self.pick(['=', '>', '<='])} {self.random.randint(0, 3)}"

    # --- queries ---
    def select(self):
        self.flags.racy = True
        self.calm = self.chance(0.85)
        shape = self.random.random()
        if shape < 0.30:
            return self.simple_select()
        if shape < 0.58:
            return self.grouped_select()
        if shape < 0.74:
            return self.window_select()
        if shape < 0.87:
            return self.set_operation()
        return self.with_query()

    def total_order(self, count):
        self.flags.ordered = True
        keys = []
        for position in self.random.sample(range(1, count + 1), count):
            keys.append(f"{position}{self.pick(['', '', ' DESC'])}{self.pick(['', '', ' NULLS FIRST', ' NULLS LAST'])}")
        tail = " ORDER BY " + ", ".join(keys)
        if self.chance(0.4):
            tail += f" LIMIT {self.random.randint(0, 8)}"
        if self.chance(0.2):
            tail += f" OFFSET {self.random.randint(0, 4)}"
        return tail

    def item_of(self, kind, scope, depth=1):
        if self.chance(0.12):
            inner = self.table(join=True)
            candidates = [c for c, k in inner.columns if k == kind]
            if candidates:
                return (f"(SELECT {inner.alias}.{candidates[0]} FROM {inner.sql} "
                        f"WHERE {self.condition(scope, [inner])} ORDER BY {inner.alias}.id LIMIT 1)")
        return self.expr(kind, scope, depth)

    def simple_select(self):
        scope, tail, _ = self.from_clause([], 1)
        kinds = [self.pick(values.ORDERED if self.chance(0.3) else ["int4", "text", "numeric", "bool", "date", "int8"])
                 for _ in range(self.random.randint(1, 4))]
        items = [self.item_of(kind, scope) for kind in kinds]
        distinct = ""
        if self.chance(0.2):
            distinct = "DISTINCT "
            self.flags.loose = True
        order = self.total_order(len(items)) if self.chance(0.5) else ""
        if order and any(kind in values.LOOSE for kind in kinds):
            self.flags.loose = True
        aliased = ", ".join(f"{item} AS o{i}" for i, item in enumerate(items))
        return f"SELECT {distinct}{aliased} {tail}{order}"

    def aggregate(self, scope):
        kind = self.random.random()
        tail = f" FILTER (WHERE {self.expr('bool', scope, 1)})" if self.chance(0.2) else ""
        if kind < 0.15:
            return f"count(*){tail}"
        if kind < 0.3:
            name = self.pick([n for n in values.ORDERED])
            distinct = self.pick(["", "DISTINCT "])
            return f"count({distinct}{self.expr(name, scope, 1)}){tail}"
        if kind < 0.42:
            name = self.pick(["int4", "text", "date", "bool", "int8"])
            argument = self.expr(name, scope, 1)
            order = f"{argument}{self.pick(['', ' DESC', ' NULLS FIRST'])}"
            function = self.pick(values.ORDERED_AGGREGATES)
            if function == "string_agg":
                argument = f"({argument})::text"
                return f"string_agg({argument}, ',' ORDER BY {argument}){tail}"
            return f"{function}({self.pick(['', 'DISTINCT '])}{argument} ORDER BY {order}){tail}"
        if kind < 0.5:
            name = self.pick(["int4", "numeric", "float8", "interval"])
            argument = self.expr(name, scope, 1)
            if name == "int4" or name == "numeric":
                self.flags.loose = True
                return f"percentile_disc({self.pick(['0', '0.5', '1', '0.25'])}) WITHIN GROUP (ORDER BY {argument}){tail}"
            return f"percentile_cont({self.pick(['0', '0.5', '1'])}) WITHIN GROUP (ORDER BY {argument}){tail}"
        result = self.pick([r for r in self.catalog.aggregates if r in values.LITERALS])
        name, types, _, variadic = self.pick(self.catalog.aggregates[result])
        if variadic or any(t not in values.LITERALS for t in types):
            return f"count(*){tail}"
        if any(t.startswith("float") for t in types) or result.startswith("float"):
            self.flags.floats = True
        if name in ("min", "max"):
            self.flags.loose = True
        distinct = "DISTINCT " if self.chance(0.15) and len(types) == 1 and types[0] != "json" else ""
        if distinct and types[0] in values.LOOSE:
            self.flags.loose = True
        return f"{name}({distinct}{', '.join(self.expr(t, scope, 1) for t in types)}){tail}"

    def grouped_select(self):
        scope, tail, _ = self.from_clause([], 1)
        groups = []
        for _ in range(self.random.choices([0, 1, 2, 3], [25, 45, 22, 8])[0]):
            kind = self.pick(["int4", "text", "bool", "date", "int8", "int2", "varchar", "uuid"])
            groups.append(self.column(kind, scope) or self.expr(kind, scope, 1))
        # A literal would be a position or have no type.
        groups = [group for group in groups if "." in group and not group.startswith("'")]
        items = list(groups)
        items += [self.aggregate(scope) for _ in range(self.random.randint(1, 3))]
        sql = "SELECT " + ", ".join(f"{item} AS o{i}" for i, item in enumerate(items)) + " " + tail
        if groups:
            if self.chance(0.2):
                grouping = self.pick([f"ROLLUP ({', '.join(groups)})", f"CUBE ({', '.join(groups[:3])})",
                                      "GROUPING SETS (" + ", ".join(f"({group})" for group in groups) + ", ())"])
                sql += " GROUP BY " + grouping
            else:
                sql += " GROUP BY " + ", ".join(groups)
        if self.chance(0.25):
            sql += f" HAVING {self.pick(['count(*) > 1', 'count(*) <> 0', 'max(1) = 1', 'bool_or(true)'])}"
        if groups and self.chance(0.5):
            sql += " ORDER BY " + ", ".join(str(i + 1) for i in range(len(groups)))
            self.flags.ordered = "GROUPING" not in sql and "ROLLUP" not in sql and "CUBE" not in sql
        return sql

    def window_select(self):
        source = self.table()
        scope = [source]
        tail = f"FROM {source.sql}"
        if self.chance(0.3):
            right = self.table(join=True)
            tail += f" JOIN {right.sql} ON {self.condition(scope, [right])}"
            scope.append(right)
        keys = ", ".join(s.key for s in scope)
        if self.chance(0.4):
            tail += " WHERE " + self.expr("bool", scope, 1)
        items = [s.key for s in scope]
        for _ in range(self.random.randint(1, 3)):
            items.append(self.window_call(scope, keys))
        return f"SELECT {', '.join(f'{item} AS o{i}' for i, item in enumerate(items))} {tail}"

    def window_call(self, scope, keys):
        partition = ""
        if self.chance(0.5):
            partition = f"PARTITION BY {self.expr(self.pick(['int4', 'text', 'bool', 'int8']), scope, 1)} "
        order_kind = self.pick([k for k in values.ORDERED if not k.endswith("[]")])
        order = f"ORDER BY {self.expr(order_kind, scope, 1)}{self.pick(['', ' DESC', ' NULLS FIRST'])}, {keys}"
        frame = ""
        if self.chance(0.5):
            start = self.pick(["UNBOUNDED PRECEDING", "2 PRECEDING", "1 PRECEDING", "CURRENT ROW"])
            end = self.pick(["CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING", "3 FOLLOWING"])
            unit = self.pick(["ROWS", "ROWS", "GROUPS"])
            exclude = self.pick(["", "", " EXCLUDE CURRENT ROW", " EXCLUDE TIES", " EXCLUDE GROUP", " EXCLUDE NO OTHERS"])
            frame = f" {unit} BETWEEN {start} AND {end}{exclude}"
        elif self.chance(0.2):
            order = f"ORDER BY {self.column('int4', scope)}"
            frame = f" RANGE BETWEEN {self.random.randint(0, 3)} PRECEDING AND {self.random.randint(0, 3)} FOLLOWING"
            over = f"OVER ({partition}{order}{frame})"
            name = self.pick(["count(*)", f"sum({self.column('int4', scope)})", f"max({self.column('int4', scope)})"])
            return f"{name} {over}"
        over = f"OVER ({partition}{order}{frame})"
        kind = self.pick(["int4", "text", "numeric", "date"])
        argument = self.expr(kind, scope, 1)
        call = self.pick([
            "row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()", f"ntile({self.random.randint(1, 4)})",
            f"lag({argument})", f"lead({argument}, {self.random.randint(0, 3)})",
            f"lag({argument}, 1, {self.expr(kind, scope, 0)})", f"first_value({argument})", f"last_value({argument})",
            f"nth_value({argument}, {self.random.randint(1, 3)})", "count(*)", f"count({argument})",
            f"sum({self.expr('int4', scope, 1)})", f"avg({self.expr('numeric', scope, 0)})", f"max({argument})",
            f"array_agg({argument})", f"bool_and({self.expr('bool', scope, 1)})",
            f"sum({self.expr('int8', scope, 0)}) FILTER (WHERE {self.expr('bool', scope, 1)})"])
        return f"{call} {over}"

    def set_operation(self):
        kinds = [self.pick(["int4", "text", "numeric", "bool", "date", "int8", "jsonb"])
                 for _ in range(self.random.randint(1, 3))]
        self.flags.loose = True
        sql = self.set_side(kinds)
        for _ in range(self.random.randint(1, 2)):
            op = self.pick(["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"])
            other = [self.pick(["int2", "int8", "numeric"]) if kind in ("int4", "int8") and self.chance(0.2) else kind
                     for kind in kinds]
            side = self.set_side(other)
            sql = f"({sql}) {op} ({side})" if self.chance(0.5) else f"{sql} {op} {side}"
        if self.chance(0.5):
            sql += self.total_order(len(kinds))
        return sql

    def set_side(self, kinds):
        scope, tail, _ = self.from_clause([], 0)
        return f"SELECT {', '.join(self.expr(kind, scope, 1) for kind in kinds)} {tail}"

    def with_query(self):
        if self.chance(0.3):
            limit = self.random.randint(2, 6)
            union = self.pick(["UNION", "UNION ALL"])
            return (f"WITH RECURSIVE r(n, t) AS (SELECT {self.pick(['0', '1'])}, {self.expr('text', [], 1)} {union} "
                    f"SELECT n + 1, t || 'x' FROM r WHERE n < {limit}) SELECT n, t FROM r"
                    f"{self.pick(['', ' ORDER BY n DESC', ' JOIN j_a ON j_a.a = n'])}")
        first = self.derived([], 1)
        name = self.alias()
        body = first.sql[1:first.sql.rindex(")")]
        use = Source(self.alias(), first.columns)
        again = Source(self.alias(), first.columns)
        material = self.pick(["", "MATERIALIZED ", "NOT MATERIALIZED "])
        kinds = [column for column in first.columns]
        column, kind = self.pick(kinds)
        if self.chance(0.5):
            tail = f"FROM {name} AS {use.alias}"
            items = f"{self.expr('int4', [use], 2)}, {use.alias}.{column}"
        else:
            tail = (f"FROM {name} AS {use.alias} LEFT JOIN {name} AS {again.alias} "
                    f"ON {use.alias}.{column} = {again.alias}.{column}")
            items = f"{use.alias}.{column}, {again.alias}.{column}, {self.expr(kind, [use, again], 1)}"
        return f"WITH {name} AS {material}({body}) SELECT {items} {tail}"

    # --- mistakes ---
    def mistake(self):
        kind = self.random.randrange(10)
        name = self.any_type()
        if kind == 0:
            return f"SELECT {self.pick(values.FUNCTIONS)}({', '.join(self.literal(self.any_type()) for _ in range(self.random.randint(0, 3)))})"
        if kind == 1:
            self.flags.racy = True
            op = self.pick(["+", "-", "*", "/", "%", "||", "=", "<", "~", "@>", "->", "->>", "&&", "&", "#", "<<", "!!"])
            return f"SELECT {self.literal(name)} {op} {self.literal(self.any_type())}"
        if kind == 2:
            return f"SELECT ({self.literal(name)})::{self.any_type()}"
        if kind == 3:
            return self.pick(["SELECT nope FROM j_a", "SELECT j_b.a FROM j_a", "SELECT * FROM nope", "SELECT a FROM j_a, j_b",
                              "SELECT x.nope FROM j_a AS x", "SELECT j_a.a FROM j_a AS x", "SELECT * FROM j_a JOIN j_b USING (nope)",
                              "SELECT a, count(*) FROM j_a", "SELECT sum(sum(a)) FROM j_a", "SELECT a FROM j_a WHERE count(*) > 1",
                              "SELECT 1 ORDER BY 2", "SELECT a FROM j_a GROUP BY b", "SELECT rank() FROM j_a",
                              "SELECT DISTINCT a FROM j_a ORDER BY b", "SELECT 1 UNION SELECT 'x'", "SELECT 1 UNION SELECT 1, 2",
                              "SELECT (SELECT a FROM j_a)", "SELECT (SELECT 1, 2)", "SELECT a FROM j_a WHERE a IN (SELECT a, b FROM j_a)",
                              "SELECT * FROM (SELECT 1)", "SELECT a FROM j_a LIMIT -1", "SELECT a FROM j_a LIMIT 'x'",
                              "SELECT 1 WHERE 1", "SELECT CASE WHEN 1 THEN 2 END", "SELECT CASE WHEN true THEN 1 ELSE 'x' END",
                              "SELECT COALESCE()", "SELECT ARRAY[1, 'x']", "SELECT ARRAY[]", "SELECT (1,2) = (1,2,3)",
                              "SELECT ROW(1,2) < ROW(1,'x')", "SELECT max(a) OVER () FROM j_a WHERE max(a) OVER () > 1",
                              "INSERT INTO nope VALUES (1)", "INSERT INTO j_a (nope) VALUES (1)", "INSERT INTO j_a (a, a) VALUES (1, 2)",
                              "INSERT INTO j_a (a) VALUES (1, 2)", "UPDATE j_a SET nope = 1", "UPDATE j_a SET a = 'x'",
                              "UPDATE j_a SET a = 1, a = 2", "DELETE FROM nope", "DELETE FROM j_a WHERE a", "DELETE FROM j_a RETURNING nope",
                              "SELECT * FROM j_a x, j_b x", "WITH w AS (SELECT 1) SELECT * FROM w, w", "SELECT 1::nope",
                              "SELECT nope(1)", "SELECT * FROM generate_series(1,2) AS g(a,b)", "SELECT $1", "PREPARE p AS SELECT $1 + 1",
                              "EXECUTE nope", "SELECT string_agg(c) FROM j_a", "SELECT count(DISTINCT a, b) FROM j_a",
                              "SELECT a FROM j_a FOR UPDATE OF nope", "SELECT DISTINCT ON (a) b FROM j_a ORDER BY b",
                              "SELECT sum(c) FROM j_a", "SELECT - 'x'", "SELECT NOT 1", "SELECT 1 IN ('x')", "SELECT 1 BETWEEN 'a' AND 2"])
        if kind in (4, 5, 6):
            self.flags.racy = True
            return self.damage(self.simple_select() if kind == 4 else self.plain())
        if kind == 7:
            return f"SELECT {self.expr(name, [], 1)} FROM {self.table().sql} GROUP BY {self.literal('text')}"
        if kind == 8:
            self.flags.racy = True
            return f"SELECT CASE WHEN true THEN {self.literal(name)} ELSE {self.literal(self.any_type())} END"
        self.flags.racy = True
        return f"SELECT COALESCE({self.literal(name)}, {self.literal(self.any_type())})"

    def damage(self, sql):
        """Words lost, doubled or exchanged."""
        self.flags.ordered = False
        self.flags.damaged = True
        words = sql.split(" ")
        for _ in range(self.random.randint(1, 2)):
            at = self.random.randrange(len(words))
            kind = self.random.randrange(3)
            if kind == 0 and len(words) > 1:
                del words[at]
            elif kind == 1:
                words.insert(at, words[at])
            else:
                other = self.random.randrange(len(words))
                words[at], words[other] = words[other], words[at]
        # What is left of a LIMIT may choose rows at random, and of a cast may name anything.
        return " ".join(words) if "LIMIT" not in words else "SELECT FROM WHERE"

    # --- changes ---
    def change(self):
        self.flags.changes = True
        self.flags.racy = True
        self.calm = True
        table, definition, kinds = self.pick(values.CHANGED)
        columns = list(zip(values.COLUMN_NAMES[table], kinds))
        maker = self.pick([self.insert, self.insert, self.upsert, self.update, self.update, self.delete])
        sql = maker(table, columns)
        if self.chance(0.6):
            names = [column for column, _ in columns]
            source = Source(table, columns)
            sql += " RETURNING " + self.pick(["*", ", ".join(names[:2]), self.expr("int4", [source], 1)])
        if self.chance(0.08) and "RETURNING" in sql:
            self.flags.ordered = False
            sql = f"WITH w AS ({sql}) SELECT count(*) FROM w"
        return sql

    def small(self, name):
        if self.chance(0.1):
            return "NULL"
        pool = values.SMALL.get(name) or values.LITERALS[name]
        return "'" + self.pick(pool).replace("'", "''") + f"'::{name}"

    def insert(self, table, columns):
        writable = [c for c in columns if c[0] not in ("g",)]
        if self.chance(0.05):
            writable = columns
        chosen = self.random.sample(writable, self.random.randint(1, len(writable)))
        if self.chance(0.15):
            source = self.table(join=True)
            items = ", ".join(self.expr(kind, [source], 1) for _, kind in chosen)
            # Rows come in key order, so that the first error and serial numbers are the same.
            body = f"SELECT {items} FROM {source.sql} ORDER BY {source.key}"
        elif self.chance(0.05):
            return f"INSERT INTO {table} DEFAULT VALUES"
        else:
            rows = []
            for _ in range(self.random.randint(1, 3)):
                rows.append("(" + ", ".join("DEFAULT" if self.chance(0.05) else self.small(kind) for _, kind in chosen) + ")")
            body = "VALUES " + ", ".join(rows)
        return f"INSERT INTO {table} ({', '.join(c for c, _ in chosen)}) {body}"

    def upsert(self, table, columns):
        sql = self.insert(table, columns)
        if "DEFAULT VALUES" in sql:
            return sql
        target = {"d_parent": "k", "d_child": self.pick(["id", "u"]), "d_free": "a, b"}[table]
        if self.chance(0.1):
            target = self.pick([column for column, _ in columns])
        if self.chance(0.35):
            return sql + self.pick([" ON CONFLICT DO NOTHING", f" ON CONFLICT ({target}) DO NOTHING"])
        column, kind = self.pick([c for c in columns if c[0] not in ("g", "id")])
        value = self.pick([f"EXCLUDED.{column}", self.small(kind), "DEFAULT", f"{table}.{column}"])
        where = f" WHERE {self.expr('bool', [Source(table, columns)], 1)}" if self.chance(0.2) else ""
        return f"{sql} ON CONFLICT ({target}) DO UPDATE SET {column} = {value}{where}"

    def update(self, table, columns):
        own = Source(table, columns)
        chosen = self.random.sample([c for c in columns if c[0] != "g"], self.random.randint(1, 2))
        scope = [own]
        source = None
        if self.chance(0.25):
            source = self.table(join=True)
        sets = ", ".join(f"{column} = {self.expr(kind, scope, 1) if self.chance(0.5) else self.small(kind)}"
                         for column, kind in chosen)
        sql = f"UPDATE {table} SET {sets}"
        if source:
            # A join by the source's key changes each row at most once.
            key = {"d_parent": "k", "d_child": "u", "d_free": "a"}[table]
            sql += f" FROM {source.sql} WHERE {table}.{key} = {source.key}"
            return sql
        if self.chance(0.8):
            sql += f" WHERE {self.changed_rows(own)}"
        return sql

    def changed_rows(self, own):
        if self.chance(0.3):
            inner = self.table(join=True)
            return f"{own.alias}.{own.columns[0][0]} {self.pick(['', 'NOT '])}IN (SELECT {inner.alias}.id FROM {inner.sql})"
        return self.expr("bool", [own], 2)

    def delete(self, table, columns):
        own = Source(table, columns)
        if self.chance(0.25):
            source = self.table(join=True)
            key = {"d_parent": "k", "d_child": "u", "d_free": "a"}[table]
            return f"DELETE FROM {table} USING {source.sql} WHERE {table}.{key} = {source.key}"
        return f"DELETE FROM {table} WHERE {self.changed_rows(own)}"
