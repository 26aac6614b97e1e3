#!/usr/bin/env python3
"""Runs generated statements on a real PostgreSQL 15 and on Pando and compares rows, column types and SQLSTATE.

    differential.py PANDO --seeds 1..20 --statements 200 [--report FILE] [--postgresql PORT] [--pando-port PORT]

Each seed makes its statements and the tables they change anew. A difference prints the seed, the statement and both answers;
the exit code says whether there was one. With --postgresql or --pando-port a server that runs already is used.
"""
import argparse
import collections
import contextlib
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "compat"))

import generator  # noqa: E402
import server  # noqa: E402
import tables  # noqa: E402
import wire  # noqa: E402
from postgresql import postgresql  # noqa: E402

TIMEOUT_STATES = {"57014"}
STATEMENT_TIMEOUT_MS = 5000
CONNECT_ATTEMPTS = 50
# Errors that depend on which part of a statement is computed first, or at all.
RUNTIME_CLASSES = {"22", "21", "23", "54", "P0"}
# Errors of running that are of the classes of syntax and of missing features.
RUNTIME_MESSAGES = re.compile(r"cannot use \"|multiple decimal points|cannot convert|not supported for type|cannot be binned")
FLOAT_DIGITS = 9
FOLDED = re.compile("COALESCE|CASE|NULLIF|GREATEST|LEAST")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


class Side:
    """One server: connected anew after it broke off."""

    def __init__(self, name, port):
        self.name = name
        self.port = port
        self.connection = None
        self.connect()

    def connect(self):
        # A server that something restarts needs a moment.
        for attempt in range(CONNECT_ATTEMPTS):
            try:
                self.connection = wire.Connection(self.port)
                break
            except OSError:
                if attempt + 1 == CONNECT_ATTEMPTS:
                    raise
                time.sleep(0.1)
        self.connection.query(f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}; SET TimeZone = 'UTC'; SET client_min_messages = error")

    def run(self, sql):
        try:
            return self.connection.run(sql)
        except (wire.Disconnected, OSError) as error:
            answer = wire.Answer(error={"C": "LOST", "M": str(error)})
            with contextlib.suppress(OSError):
                self.connection.close()
            self.connect()
            return answer


def rounded(text):
    """Numbers in the text with few digits, without trailing zeros or a sign of zero."""
    def shorten(match):
        try:
            return f"{float(match.group()):.{FLOAT_DIGITS}g}".replace("-0", "0") if match.group() in ("-0",) else \
                f"{float(match.group()):.{FLOAT_DIGITS}g}"
        except (ValueError, OverflowError):
            return match.group()
    return NUMBER.sub(shorten, text)


def equal_rows(statement, a, b):
    if not statement.ordered:
        key = lambda row: tuple((value is None, value or "") for value in row)
        a, b = sorted(a, key=key), sorted(b, key=key)
    if a == b:
        return True
    if not (statement.loose or statement.floats) or len(a) != len(b):
        return False
    clean = lambda rows: [tuple(None if value is None else rounded(value.rstrip(" ")) for value in row) for row in rows]
    a, b = clean(a), clean(b)
    if not statement.ordered:
        key = lambda row: tuple((value is None, value or "") for value in row)
        a, b = sorted(a, key=key), sorted(b, key=key)
    return a == b


def compare(statement, expected, got):
    """None, or what differs."""
    if expected.state != got.state:
        if {expected.state, got.state} & TIMEOUT_STATES:
            return None
        # Damage can leave several mistakes, and which is met first is nobody's promise.
        if statement.damaged and expected.state[:2] == got.state[:2] == "42":
            return None
        racy = statement.racy and all(
            not answer.error or answer.state[:2] in RUNTIME_CLASSES or RUNTIME_MESSAGES.search(answer.message)
            for answer in (expected, got))
        return "RACE" if racy else f"{expected.state} became {got.state}"
    if expected.error:
        return None
    # PostgreSQL tells modifiers of what is left when constants are folded away.
    shape = lambda answer: [(c.name, c.type, None if FOLDED.search(statement.sql) else c.modifier) for c in answer.columns]
    if shape(expected) != shape(got):
        return "columns"
    if not equal_rows(statement, expected.rows, got.rows):
        return "rows"
    if expected.tag != got.tag:
        return "tag"
    return None


class Run:
    def __init__(self, postgresql_port, pando_port, report):
        self.expected = Side("postgresql", postgresql_port)
        self.got = Side("pando", pando_port)
        self.report = report
        self.counts = collections.Counter()
        self.kinds = collections.Counter()

    def both(self, sql):
        return self.expected.run(sql), self.got.run(sql)

    def prepare(self, statements):
        for sql in statements:
            expected, got = self.both(sql)
            for side, answer in (("PostgreSQL", expected), ("Pando", got)):
                if answer.error:
                    raise RuntimeError(f"{side} refused {sql}: {answer.state} {answer.message}")

    def regressions(self):
        for line in (pathlib.Path(__file__).resolve().parent / "regressions.sql").read_text().splitlines():
            if not line or line.startswith("--"):
                continue
            expected, got = self.both(line)
            self.counts["statements"] += 1
            difference = compare(generator.Statement(line), expected, got)
            if difference:
                self.show("none: regressions.sql", self.counts["statements"], line, difference, expected, got)

    def seed(self, catalog, seed, count):
        self.prepare(tables.changed())
        for number, statement in enumerate(generator.Generator(catalog, seed).statements(count)):
            expected, got = self.both(statement.sql)
            self.counts["statements"] += 1
            self.counts["errors"] += expected.error is not None
            difference = compare(statement, expected, got)
            if difference == "RACE":
                self.counts["races"] += 1
                difference = None
            if difference:
                self.show(seed, number, statement.sql, difference, expected, got)
            if statement.changes and (expected.error or got.error):
                # How many numbers a sequence gave before an error is nobody's promise.
                self.both(f"SELECT setval('d_child_id_seq', {1000 + number})")
            if statement.changes and (difference or expected.state != got.state or not self.same_tables(seed, number, statement)):
                # From here on the tables differ.
                self.prepare(tables.changed())

    def same_tables(self, seed, number, statement):
        for sql in tables.contents():
            expected, got = self.both(sql)
            if expected.rows != got.rows:
                self.show(seed, number, statement.sql, "tables", expected, got)
                return False
        return True

    def show(self, seed, number, sql, difference, expected, got):
        self.counts["differences"] += 1
        kind = difference
        if "became" in difference:
            kind += " | " + (got.message or expected.message)[:60]
        self.kinds[kind] += 1
        print(f"--- seed {seed} statement {number}: {difference}\n{sql};", file=self.report)
        for side, answer in (("postgresql", expected), ("pando", got)):
            if answer.error:
                print(f"  {side}: {answer.state} {answer.message}", file=self.report)
            else:
                shown = [(c.name, c.type, c.modifier) for c in answer.columns] if difference == "columns" else answer.rows[:12]
                print(f"  {side}: {answer.tag} {shown}", file=self.report)


def parse_range(text):
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pando")
    parser.add_argument("--seeds", type=parse_range, default=parse_range("1..5"))
    parser.add_argument("--statements", type=int, default=200)
    parser.add_argument("--report", type=argparse.FileType("w"), default=sys.stdout)
    parser.add_argument("--postgresql", type=int)
    parser.add_argument("--pando-port", type=int)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        postgresql_port = options.postgresql or stack.enter_context(postgresql())
        pando_port = options.pando_port or stack.enter_context(server.running(options.pando)).port
        run = Run(postgresql_port, pando_port, options.report)
        catalog = generator.Catalog(run.expected.connection)
        run.prepare(tables.fixed())
        run.regressions()
        for seed in options.seeds:
            run.seed(catalog, seed, options.statements)
    options.report.flush()
    for kind, count in run.kinds.most_common(40):
        print(f"{count:6d}  {kind}")
    print(", ".join(f"{run.counts[name]} {name}" for name in ("statements", "errors", "races", "differences")))
    return 1 if run.counts["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
