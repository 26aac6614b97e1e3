#!/usr/bin/env python3
"""Real nodes: indexes and constraints that are made while others write, and whose node is killed meanwhile.

    schema_changes_test.py BINARY

The index is then compared with its table, in both directions, by statements that read the one and the other.
"""
import os
import random
import shutil
import sys
import tempfile
import threading
import time
import unittest

import psycopg2

from processes import Cluster, free_port_base

BINARY = sys.argv.pop(1)
# Fewer in the suite.
ROWS = int(os.environ.get("ROWS", "200000"))
BATCH = 20_000

# What a client that is told so tries again: conflicts, and a node that goes away.
RETRYABLE = ("40", "08", "57P", "53")


def run(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def is_retryable(error):
    return error.pgcode is None or error.pgcode.startswith(RETRYABLE)


class Writer(threading.Thread):
    """Changes rows through one node, until it is told to stop; connects anew when the node is gone."""

    def __init__(self, node, seed):
        super().__init__()
        self.node = node
        self.random = random.Random(seed)
        self.seed = seed
        self.stopping = threading.Event()
        self.done = 0
        self.longest_s = 0
        self.failures = []

    def statement(self):
        key = self.random.randrange(ROWS)
        kind = self.random.randrange(3)
        if kind == 0:
            return f"UPDATE t SET v = v + 1, u = -u WHERE k = {key}"
        if kind == 1:
            return f"DELETE FROM t WHERE k = {key}"
        new = ROWS * (self.seed + 1) + self.random.randrange(ROWS)
        return f"INSERT INTO t VALUES ({new}, {new % 1000}, {new}, 'new') ON CONFLICT (k) DO UPDATE SET v = t.v + 1"

    def run(self):
        connection = None
        while not self.stopping.is_set():
            try:
                if connection is None:
                    connection = self.node.connect(timeout_s=3, statement_timeout_ms=10_000)
                began = time.monotonic()
                run(connection, self.statement())
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                self.done += 1
            except psycopg2.Error as error:
                if not is_retryable(error):
                    self.failures.append(f"{error.pgcode}: {error}")
                if connection is not None and connection.closed:
                    connection = None
                elif error.pgcode is None:
                    connection = None
                    time.sleep(0.05)

    def stop(self):
        self.stopping.set()
        self.join()


class SchemaChangesTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="pando_schema_changes_")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        base = free_port_base(int(os.environ.get("PORTS_FROM", "27000")), int(os.environ.get("PORTS_TO", "28000")))
        self.cluster = Cluster(BINARY, nodes=3, base_port=base, directory=self.directory)

    def fill(self, connection):
        run(connection, "CREATE TABLE t (k int PRIMARY KEY, v int, u int, s text)")
        for first in range(0, ROWS, BATCH):
            run(connection, f"INSERT INTO t SELECT i, i % 1000, i, 'row ' || i FROM generate_series({first}, {first + BATCH - 1}) i")
        run(connection, f"CALL pando.split('t', {ROWS // 2})")

    def assert_index_fits(self, connection, column):
        """What a scan of the table finds, and what is found through the index, row by row."""
        digest = f"SELECT count(*), sum(k::bigint * 7919 + {column}), sum(k::bigint * {column}) FROM t WHERE {column} > -2000000000"
        with connection.cursor() as cursor:
            cursor.execute("SET enable_indexscan = off")
            cursor.execute("SET enable_seqscan = on")
            cursor.execute(digest)
            by_table = cursor.fetchall()
            cursor.execute("SET enable_indexscan = on")
            cursor.execute("SET enable_seqscan = off")
            cursor.execute("EXPLAIN " + digest)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            self.assertIn("Index", plan)
            cursor.execute(digest)
            by_index = cursor.fetchall()
            cursor.execute("RESET ALL")
        self.assertGreater(by_table[0][0], ROWS // 2)
        self.assertEqual(by_table, by_index, f"the index on {column} is not like the table")

    def job(self, connection, what="state"):
        rows = run(connection, f"SELECT {what} FROM pando.jobs ORDER BY created_at DESC LIMIT 1")
        return rows[0] if rows else (None,) * (what.count(",") + 1)

    def test_an_index_though_its_node_is_killed(self):
        with self.cluster as cluster:
            cluster.form()
            connections = [node.connect() for node in cluster.nodes]
            self.fill(connections[0])
            writers = [Writer(node, seed) for seed, node in enumerate(cluster.nodes)]
            for writer in writers:
                writer.start()
            before = [writer.done for writer in writers]
            began = time.monotonic()
            gateway = cluster.node(2)
            outcome = []

            def build():
                try:
                    run(gateway.connect(), "CREATE INDEX by_v ON t (v)")
                    outcome.append("built")
                except psycopg2.Error as error:
                    outcome.append(error.pgcode)
            builder = threading.Thread(target=build)
            builder.start()
            cluster.wait(lambda: (self.job(connections[0], "rows_done")[0] or 0) > ROWS // 5, 60, "the index is not begun")
            runs_on, term, done = self.job(connections[0], "node_id, term, rows_done")
            self.assertEqual(runs_on, 2)
            killed = cluster.node(runs_on)
            killed.kill()
            builder.join()
            self.assertEqual(outcome, [None], "the client of a node that was killed heard of the end")
            killed.start()
            cluster.wait(lambda: self.state(connections[0]) not in (None, "running"), 120, "the job is not gone on with")
            took = time.monotonic() - began
            state, other, later_term, at_last = self.job(connections[0], "state, node_id, term, rows_done")
            self.assertEqual(state, "succeeded")
            self.assertGreater(later_term, term)
            self.assertGreaterEqual(at_last, done)
            for writer in writers:
                writer.stop()
                self.assertEqual(writer.failures, [])
            for writer, was in zip(writers, before):
                self.assertGreater(writer.done, was)
            self.assertEqual(run(connections[0], "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_v'::regclass"), [(True,)])
            self.assert_index_fits(connections[0], "v")
            print(f"index built in {took:.1f} s, begun on node {runs_on} (killed at row {done}), ended on node {other}; "
                  f"{sum(w.done for w in writers)} statements of writers meanwhile, "
                  f"the longest {max(w.longest_s for w in writers):.2f} s", file=sys.stderr)

    def state(self, connection):
        try:
            return self.job(connection)[0]
        except psycopg2.Error as error:
            # While shards of the killed node have no leader.
            self.assertTrue(is_retryable(error) or error.pgcode == "57014", error)
            return None

    def test_constraints_and_what_does_not_fit(self):
        with self.cluster as cluster:
            cluster.form()
            connections = [node.connect() for node in cluster.nodes]
            one, two, three = connections
            self.fill(one)
            run(one, "CREATE TABLE parents (id int PRIMARY KEY)")
            run(one, "INSERT INTO parents SELECT generate_series(0, 999)")
            # Nothing that fails leaves anything behind.
            run(one, f"UPDATE t SET u = 77 WHERE k = {ROWS // 2}")
            for node, sql, code in (
                    (one, "CREATE UNIQUE INDEX by_u ON t (u)", "23505"),
                    (two, "ALTER TABLE t ADD CONSTRAINT u_key UNIQUE (u)", "23505"),
                    (three, "ALTER TABLE t ADD CONSTRAINT small CHECK (v < 999)", "23514"),
                    (two, "ALTER TABLE t ADD CONSTRAINT child FOREIGN KEY (u) REFERENCES parents", "23503")):
                with self.assertRaises(psycopg2.Error) as caught:
                    run(node, sql)
                self.assertEqual(caught.exception.pgcode, code, sql)
                self.assertEqual(self.job(three), ("failed",))
                self.assertEqual(run(node, "SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass"), [(1,)])
                self.assertEqual(run(node, "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass"), [(1,)])
            run(one, f"UPDATE t SET u = {ROWS // 2} WHERE k = {ROWS // 2}")
            writers = [Writer(node, seed) for seed, node in enumerate(cluster.nodes)]
            for writer in writers:
                writer.start()
            longest = {}
            for node, sql in ((two, "ALTER TABLE t ADD CONSTRAINT u_key UNIQUE (u)"),
                              (three, "ALTER TABLE t ADD CONSTRAINT small CHECK (u < 100000000)"),
                              (one, "CREATE INDEX by_s ON t (upper(s)) WHERE v > 10")):
                for writer in writers:
                    writer.longest_s = 0
                began = time.monotonic()
                run(node, sql)
                longest[sql] = (time.monotonic() - began, max(writer.longest_s for writer in writers))
                self.assertEqual(self.job(node, "state, progress"), ("succeeded", 1))
            for writer in writers:
                writer.stop()
                self.assertEqual(writer.failures, [])
            run(one, "DELETE FROM t WHERE v > 999")
            run(one, "ALTER TABLE t ADD CONSTRAINT child FOREIGN KEY (v) REFERENCES parents")
            self.assertEqual(run(two, "SELECT bool_and(convalidated), count(*) FROM pg_constraint WHERE conrelid = 't'::regclass"),
                             [(True, 4)])
            self.assert_index_fits(two, "u")
            for sql, code in (("INSERT INTO t VALUES (-1, 1, 100000001, '')", "23514"),
                              ("INSERT INTO t VALUES (-1, 100000, 99999999, '')", "23503"),
                              ("INSERT INTO t SELECT -k - 1, v, u, s FROM t WHERE k < 10", "23505")):
                with self.assertRaises(psycopg2.Error) as caught:
                    run(three, sql)
                self.assertEqual(caught.exception.pgcode, code, sql)
            for sql, (took, waited) in longest.items():
                print(f"{sql}: {took:.1f} s, the longest statement of a writer {waited:.2f} s", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
