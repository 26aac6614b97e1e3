#!/usr/bin/env python3
"""Statements that want far more memory than work_mem, or nest too deep: each gives the right answer or PostgreSQL's error, the
session goes on, and the server's resident memory stays within bounds.

    budget_test.py PANDO [--greedy]
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "compat"), str(HERE.parent / "differential")]

import server  # noqa: E402
import wire  # noqa: E402

ROWS = 400_000
RESIDENT_MAX_MIB = 900
OUT_OF_MEMORY = "53200"
TOO_COMPLEX = "54001"

# (statement, its only row): they spill, because the values do not fit in work_mem.
SPILLS = [
    ("SELECT count(*), min(k), max(k) FROM (SELECT k FROM big ORDER BY s, k OFFSET 0) AS t", ("400000", "1", "400000")),
    ("SELECT k FROM big ORDER BY s DESC, k LIMIT 1 OFFSET 399999", None),
    ("SELECT count(*), sum(n) FROM (SELECT s, k, count(*) AS n FROM big GROUP BY s, k) AS t", ("400000", "400000")),
    ("SELECT count(*), sum(n) FROM (SELECT k % 100000 AS g, count(*) AS n FROM big GROUP BY 1) AS t", ("100000", "400000")),
    ("SELECT count(*) FROM big AS a JOIN big AS b ON a.k = b.k AND a.s = b.s", ("400000",)),
    ("SELECT count(*), count(b.k) FROM big AS a LEFT JOIN (SELECT * FROM big WHERE k % 2 = 0) AS b ON a.s = b.s AND a.k = b.k",
     ("400000", "200000")),
    ("SELECT count(*) FROM big AS a FULL JOIN (SELECT k + 200000 AS k, s FROM big) AS b ON a.k = b.k", ("600000",)),
    ("SELECT count(*) FROM big AS a WHERE NOT EXISTS (SELECT 1 FROM big AS b WHERE b.k = a.k + 1 AND b.s IS NOT NULL)", ("1",)),
    ("SELECT count(*) FROM big WHERE k NOT IN (SELECT CASE WHEN k = 77777 THEN NULL ELSE k + 500000 END FROM big)", ("0",)),
    ("SELECT count(*) FROM big WHERE k NOT IN (SELECT k + 200000 FROM big)", ("200000",)),
    ("SELECT count(*) FROM (SELECT DISTINCT s, k FROM big) AS t", ("400000",)),
    ("SELECT count(*), bool_and(k = r) FROM (SELECT k, row_number() OVER () AS r FROM (SELECT DISTINCT ON (k) k, s FROM "
     "(SELECT k, s FROM big UNION ALL SELECT k, s FROM big) AS twice ORDER BY k, s) AS t) AS numbered", ("400000", "t")),
    ("SELECT count(*) FROM (SELECT s, k FROM big UNION SELECT s, k FROM big) AS t", ("400000",)),
    ("SELECT count(*) FROM (SELECT s, k FROM big INTERSECT SELECT s, k FROM big WHERE k % 2 = 0) AS t", ("200000",)),
    ("SELECT count(*) FROM (SELECT s, k FROM big EXCEPT ALL SELECT s, k FROM big WHERE k % 2 = 0) AS t", ("200000",)),
    ("SELECT count(*), max(r), sum(l) FROM (SELECT row_number() OVER (ORDER BY s, k) AS r, lag(k, 1, 0) OVER (ORDER BY k) AS l "
     "FROM big) AS t", ("400000", "400000", "79999800000")),
    ("SELECT count(*), max(c) FROM (SELECT count(*) OVER (PARTITION BY k % 1000) AS c FROM big) AS t", ("400000", "400")),
    ("WITH w AS MATERIALIZED (SELECT * FROM big) SELECT count(*) FROM w AS a JOIN w AS b USING (k)", ("400000",)),
    ("WITH RECURSIVE r(n, s) AS (SELECT 1, repeat('x', 100) UNION ALL SELECT n + 1, s FROM r WHERE n < 200000) "
     "SELECT count(*), max(n) FROM r", ("200000", "200000")),
    ("WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < 200000) SELECT count(*), sum(n) FROM r",
     ("200000", "20000100000")),
    ("SELECT count(*), sum(n) FROM (SELECT k % 3 AS a, s, count(*) AS n FROM big GROUP BY GROUPING SETS ((1, k, s), (1), ())) AS t",
     ("400004", "1200000")),
    ("SELECT count(DISTINCT s || k) FROM big", ("400000",)),
    ("SELECT length(string_agg(s, '' ORDER BY k)) FROM big", ("20000000",)),
    ("SELECT array_length(array_agg(k ORDER BY s, k DESC), 1) FROM big", ("400000",)),
    ("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY k) FROM big", ("200000",)),
    ("SELECT count(*) FROM generate_series(1, 3000000) AS g", ("3000000",)),
]

# Statements that may end with 53200 (or 54000: an answer over a field's limit), and must not end the server.
GREEDY = [
    "SELECT array_agg(a.s || b.s) FROM big AS a, generate_series(1, 200) AS g, (SELECT s FROM big LIMIT 10) AS b",
    "SELECT string_agg(a.s, '') FROM big AS a, generate_series(1, 100) AS g",
    "SELECT jsonb_agg(b) FROM big AS b, generate_series(1, 20) AS g",
    "SELECT repeat('x', 1073741823)",
    "SELECT repeat(repeat('x', 1000000), 100000)",
    "SELECT lpad('x', 2000000000)",
    "SELECT array_fill(0, ARRAY[100000000])",
    "SELECT array_fill(0, ARRAY[1000, 1000, 1000])",
    "SELECT string_to_array(repeat('x,', 100000000), ',')",
    "SELECT regexp_split_to_array(repeat('x,', 10000000), ',')",
    "SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY a.s) FROM big AS a, generate_series(1, 40) AS g) AS t",
    "WITH RECURSIVE r(n, s) AS (SELECT 1, repeat('x', 1000) UNION SELECT n + 1, s || n FROM r WHERE n < 1000000) SELECT count(*) FROM r",
    "SELECT 10 ^ 100000::numeric",
    "SELECT factorial(100000)",
    "SELECT 9::numeric ^ 99999",
    "SELECT (SELECT array_agg(repeat('x', 10000)) FROM big AS b, generate_series(1, 10) AS g)",
    "SELECT count(*) FROM big AS a LEFT JOIN big AS b ON a.k <> b.k AND a.k + b.k < 0",
    "SELECT decode(repeat('00', 500000000), 'hex')",
    "SELECT to_json(array_agg(s)) FROM big",
    "SELECT xyz FROM (SELECT array_agg(s) AS xyz FROM big) AS t, generate_series(1, 50)",
]


def deep_statements():
    depth = 100_000
    yield "parentheses", "SELECT " + "(" * depth + "1" + ")" * depth
    yield "not", "SELECT " + "NOT " * depth + "true"
    yield "minus", "SELECT " + "- " * depth + "1"
    yield "subqueries", "SELECT " + "(SELECT " * 20_000 + "1" + ")" * 20_000
    yield "from", "SELECT * FROM " + "(SELECT * FROM " * 5_000 + "big" + ") AS t" * 5_000
    yield "case", "SELECT " + "CASE WHEN true THEN " * 20_000 + "1" + " END" * 20_000
    yield "array", "SELECT " + "ARRAY[" * 20_000 + "1" + "]" * 20_000
    yield "calls", "SELECT " + "abs(" * 20_000 + "1" + ")" * 20_000
    yield "casts", "SELECT 1" + "::int" * depth
    yield "joins", "SELECT 1 FROM " + "(" * 10_000 + "big" + " CROSS JOIN big)" * 10_000
    yield "union", "(" * 10_000 + "SELECT 1" + " UNION SELECT 1)" * 10_000
    yield "json", "SELECT '" + "[" * depth + "]" * depth + "'::json"
    yield "jsonb", "SELECT '" + '{"a":' * depth + "1" + "}" * depth + "'::jsonb"
    yield "array text", "SELECT '" + "{" * depth + "}" * depth + "'::int[]"
    yield "regex", "SELECT 'x' ~ '" + "(" * depth + "x" + ")" * depth + "'"
    yield "jsonpath", "SELECT jsonb_path_query('1', '" + "(" * depth + "$" + ")" * depth + "')"


def long_statements():
    """Long but flat: they work, as in PostgreSQL."""
    yield "in list", f"SELECT count(*) FROM big WHERE k IN ({','.join(map(str, range(1, 50_001)))})", "50000"
    yield "text in list", "SELECT count(*) FROM big WHERE 'v' || k IN (" + ",".join(f"'v{i}'" for i in range(1, 20_001)) + ")", "20000"
    yield "values", f"SELECT sum(column1) FROM (VALUES {','.join(f'({i})' for i in range(1, 30_001))}) AS v", "450015000"
    yield "or", "SELECT count(*) FROM big WHERE " + " OR ".join(f"k = {i}" for i in range(1, 2_001)), "2000"
    yield "plus", "SELECT " + "+".join(["1"] * 900), "900"
    yield "and", "SELECT count(*) FROM big WHERE k < 10 AND " + " AND ".join(f"k <> {i + 100}" for i in range(1, 1_001)), "9"
    yield "concat", "SELECT length(" + "||".join(["'ab'"] * 900) + ")", "1800"


def resident_peak_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) // 1024


class Test:
    def __init__(self, instance):
        self.instance = instance
        self.failures = []
        self.connect()

    def connect(self):
        self.connection = wire.Connection(self.instance.port, timeout_seconds=300)
        self.connection.query("SET work_mem = '1MB'; SET statement_timeout = '60s'")

    def fail(self, what):
        print("FAILED:", what, flush=True)
        self.failures.append(what)

    def run(self, name, sql):
        """None when the server was lost."""
        try:
            answer = self.connection.run(sql)
            still = self.connection.run("SELECT 1")
            if still.rows != [("1",)]:
                self.fail(f"{name}: the session does not go on: {still}")
            return answer
        except (wire.Disconnected, OSError) as error:
            self.fail(f"{name}: the connection broke: {error}")
            if self.instance.process.poll() is not None:
                raise RuntimeError(f"the server died of: {name}") from error
            self.connect()
            return None

    def spilling(self):
        for sql, expected in SPILLS:
            answer = self.run(sql, sql)
            if answer is None:
                continue
            if answer.error:
                self.fail(f"{sql}: {answer.state} {answer.message}")
            elif expected is not None and answer.rows != [expected]:
                self.fail(f"{sql}: {answer.rows} instead of {expected}")

    def greedy(self):
        # Wanting too much for long is as good as wanting too much.
        self.connection.query("SET statement_timeout = '8s'")
        for sql in GREEDY:
            answer = self.run(sql, sql)
            if answer is not None and answer.error and answer.state[:2] not in ("53", "54", "22") and answer.state != "57014":
                self.fail(f"{sql}: {answer.state} {answer.message}")

    def deep(self):
        for name, sql in deep_statements():
            answer = self.run(f"deep {name}", sql)
            # What PostgreSQL flattens works; what nests is refused as too complex, or for what it says.
            if answer is not None and answer.error and answer.state not in (TOO_COMPLEX, "22P02", "2201B", "54000", OUT_OF_MEMORY):
                self.fail(f"deep {name}: {answer.state} {answer.message[:200]}")
        for name, sql, expected in long_statements():
            answer = self.run(f"long {name}", sql)
            if answer is not None and (answer.error or answer.rows != [(expected,)]):
                self.fail(f"long {name}: {answer.state} {answer.message[:200]} {answer.rows[:3]}")


def main():
    with server.running(sys.argv[1]) as instance:
        test = Test(instance)
        made = test.connection.query(
            "CREATE TABLE big (k int PRIMARY KEY, s text NOT NULL);"
            f"INSERT INTO big SELECT g, md5((g % 5000)::text) || repeat('y', 18) FROM generate_series(1, {ROWS}) AS g")
        if any(answer.error for answer in made):
            raise RuntimeError(made)
        greedy = "--greedy" in sys.argv
        for part in (test.spilling, test.deep) + ((test.greedy,) if greedy else ()):
            part()
            print(f"{part.__name__}: resident peak {resident_peak_mib(instance.process.pid)} MiB", flush=True)
        peak = resident_peak_mib(instance.process.pid)
        if peak > RESIDENT_MAX_MIB:
            test.fail(f"resident memory peaked at {peak} MiB, over {RESIDENT_MAX_MIB}")
    statements = len(SPILLS) + (len(GREEDY) if greedy else 0) + len(list(deep_statements())) + len(list(long_statements()))
    print(f"{statements - len(test.failures)} passed, {len(test.failures)} failed")
    return 1 if test.failures else 0


if __name__ == "__main__":
    sys.exit(main())
